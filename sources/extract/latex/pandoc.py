"""pandoc as a child process that cannot read files, run on, or eat the machine's memory.

The program is the one inside the ``pypandoc-binary`` wheel (https://pandoc.org), never another on the PATH, since its
version is part of what makes bytes repeat.
"""

from __future__ import annotations

import contextlib
import os
import resource
import selectors
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import IO, NamedTuple

import pypandoc

from pile.errors import RecordHungError

#: Seconds for one paper, all tries together. The slowest of the real papers tried took 0.6 s; the rest is for slow machines.
SECONDS = 60.0
#: Heap of the child, as GHC's run-time option. The largest of the real papers tried needed less than 200 MB.
HEAP = "512M"
#: Bytes of output that are read. The JSON tree is about ten times the text.
MAX_OUTPUT = 128 << 20
#: Bytes of messages that are read.
MAX_MESSAGES = 8 << 20
#: pandoc's exit status when a file cannot be parsed (pandoc's manual, "Exit codes").
EXIT_PARSE_ERROR = 64
#: Exit status for a macro that expands to itself (the same table).
EXIT_MACRO_LOOP = 91
#: GHC's exit status for a heap overflow, found by experiment with pandoc 3.9 and a macro that grows tenfold nine times.
EXIT_HEAP = 251


class PandocError(Exception):
    """pandoc gave no result: ``status`` is its exit status, ``message`` the last that it said."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"pandoc exit status {status}: {message}")
        self.status = status
        self.message = message


class Conversion(NamedTuple):
    """What pandoc gave."""

    tree: bytes  #: its document tree as JSON
    messages: str  #: what it said: one ``[INFO] Skipped '...'`` for each command that it did not know


def bundled() -> Path:
    """Return the path of the pandoc inside the installed ``pypandoc-binary``."""
    return Path(pypandoc.__file__).parent / "files" / "pandoc"


def tree(tex: str, deadline: float, *, program: Path | None = None) -> Conversion:
    """Return pandoc's document tree of a LaTeX text that inputs no files.

    ``deadline`` is on the clock of ``time.monotonic``; past it the child and all that it started are killed and
    ``RecordHungError`` is raised, as it is when a signal ends the child. Raises ``PandocError`` where pandoc stops,
    which the same text always repeats.
    """
    command = [str(program or bundled()), "--sandbox", "--verbose", "--from=latex", "--to=json"]
    command += ["+RTS", f"-M{HEAP}", "-RTS"]
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as messages:
        source.write(tex.encode("utf-8", "replace"))
        source.seek(0)
        with subprocess.Popen(
            command,
            stdin=source,
            stdout=subprocess.PIPE,
            stderr=messages,
            env={"LANG": "C.UTF-8"},
            start_new_session=True,
        ) as child:
            try:
                _limit(child.pid, deadline)
                output = _read(child, deadline)
                child.wait(timeout=max(deadline - time.monotonic(), 0.0))
            except BaseException as error:
                _kill(child)
                if isinstance(error, TimeoutError | subprocess.TimeoutExpired):
                    raise RecordHungError("pandoc went over its time bound") from error
                raise
        return _result(child.returncode, output, messages)


def _limit(pid: int, deadline: float) -> None:
    """Bound the child's processor time too: a build that is killed leaves no pandoc running on."""
    seconds = max(1, round(deadline - time.monotonic())) + 1
    with contextlib.suppress(ProcessLookupError, AttributeError):
        resource.prlimit(pid, resource.RLIMIT_CPU, (seconds, seconds + 1))


def _read(child: subprocess.Popen[bytes], deadline: float) -> bytes:
    assert child.stdout is not None
    chunks: list[bytes] = []
    size = 0
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while True:
            if not selector.select(max(deadline - time.monotonic(), 0.0)):
                raise TimeoutError
            chunk = os.read(child.stdout.fileno(), 1 << 16)
            size += len(chunk)
            if not chunk:
                return b"".join(chunks)
            if size > MAX_OUTPUT:
                raise PandocError(0, f"output over {MAX_OUTPUT} bytes")
            chunks.append(chunk)


def _kill(child: subprocess.Popen[bytes]) -> None:
    """End the child and all that it started: it leads a process group of its own, whose number stays taken till waited for."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _result(status: int, output: bytes, messages: IO[bytes]) -> Conversion:
    messages.seek(0)
    said = messages.read(MAX_MESSAGES).decode("utf-8", "replace")
    if status < 0:  # processor time used up, or the machine out of memory: chance, so it must not decide content
        raise RecordHungError(f"pandoc was killed by signal {-status}")
    if status:
        errors = [entry for entry in said.split("\n") if not entry.startswith(("[INFO]", "[WARNING]", "  "))]
        raise PandocError(status, "\n".join(errors).strip()[:1000] or "no message")
    return Conversion(output, said)
