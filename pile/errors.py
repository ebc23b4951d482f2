"""The exception tree. Every message names the thing, the place and the next step, in one line.

::

    PileError                    exit 1
    ├── RequestError             exit 2: the request is wrong
    │   ├── RecipeError          a key, a value or a file of the recipe
    │   ├── PluginError          a name that stands for nothing
    │   └── LockError            the recipe has outgrown its lock
    └── DataError                exit 1: the data is wrong
        ├── FetchError           a download that cannot succeed
        │   ├── ChecksumError    bytes that are not the ones pinned
        │   ├── NoSuchFileError  upstream, or the mirror, has nothing at that address
        │   └── NotTheFileError  an error page or another kind of file where data should be
        ├── DamagedInputError    an input that ends early or cannot be read on (carries the offset)
        ├── RecordHungError      a record over its time bound: it is quarantined by name
        ├── QuarantineError      too many records of one input had to be quarantined
        ├── WorkerDiedError      a worker process is gone, and not because of one record
        ├── WorkError            a stored result that cannot be read back
        └── CorpusError          a finished corpus that does not verify, or cannot be made from what is there
"""

from __future__ import annotations


class PileError(Exception):
    """The root: ``pile`` prints its message as one line and exits with ``exit_status``."""

    exit_status = 1


class RequestError(PileError):
    """The request is wrong: nothing was done."""

    exit_status = 2


class RecipeError(RequestError):
    """A key, a value or a file of the recipe is wrong."""


class PluginError(RequestError):
    """A name in the recipe stands for nothing that is installed."""


class LockError(RequestError):
    """The recipe has outgrown its lock."""


class DataError(PileError):
    """The data is wrong."""


class FetchError(DataError):
    """A download cannot succeed."""


class ChecksumError(FetchError):
    """The bytes that came are not the ones that are pinned."""


class NoSuchFileError(FetchError):
    """Upstream, or the mirror, has nothing at an address."""


class NotTheFileError(FetchError):
    """The bytes that came are an error page, or another kind of file than the address promises."""


class DamagedInputError(DataError):
    """An input ends early or cannot be read on.

    ``offset`` is in bytes of the file as fetched (compressed bytes where it is compressed), None when unknown.
    """

    def __init__(self, cause: str, offset: int | None = None) -> None:
        super().__init__(cause)
        self.cause = cause
        self.offset = offset

    def __reduce__(self) -> tuple[type[DamagedInputError], tuple[str, int | None]]:
        return (DamagedInputError, (self.cause, self.offset))


class RecordHungError(DataError):
    """A record went over its time bound. The clock decides no content: the record is quarantined in the lock."""


class QuarantineError(DataError):
    """So many records of one input kill their worker that the input, or the machine, is at fault."""


class WorkerDiedError(DataError):
    """A worker process is gone: killed by a signal, or out of memory."""


class WorkError(DataError):
    """A stored result of an earlier stage cannot be read back."""


class CorpusError(DataError):
    """A finished corpus does not verify, or no corpus can be made from what is there."""
