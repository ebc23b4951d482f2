"""Sealing: shards are put into the output folder, then their index, the report, the manifest, and SHA256SUMS last.

Its existence means that the corpus is whole; it is taken away before the first shard of another corpus is written
there.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import zstandard

from pile.errors import CorpusError, RequestError, WorkerDiedError, WorkError
from pile.executor import Executor
from pile.frames import FRAMES
from pile.gather import STAGE as GATHER
from pile.gather import piece_name, table_name
from pile.manifest import EXAMPLES, MANIFEST, REPORT, SUMS, Manifest, Shard, read, read_sums, sums_of
from pile.recipe import Output
from pile.runner import Result
from pile.score_tables import FILE as SCORES
from pile.shards import FRAME, Digests
from pile.stage import Work
from pile.storage import Storage

#: The names of shards: nothing else is ever removed from an output folder.
SHARD_NAME = re.compile(r"(train/\d+|validation|test)\.jsonl\.zst")
#: What a split holds that no document fell into.
EMPTY_FRAME = zstandard.ZstdCompressor(write_checksum=True, write_content_size=True).compress(b"")
#: Bytes copied at a time.
COPY_BYTES = 1 << 20


class Assembly(msgspec.Struct, frozen=True):
    """One shard to be: its name, and where the second pass wrote it (no key where no document fell into it)."""

    name: str
    split: str
    key: str
    piece: str
    table: str
    digests: Digests | None
    work: Work
    out: Storage

    def frames(self) -> npt.NDArray[Any]:
        """Return the FRAME array of the shard; only where the work folder can be read."""
        if not self.key:
            return np.empty(0, FRAME)
        found: npt.NDArray[Any] = np.load(self.work.file(GATHER, self.key, self.table))
        return found


def finished(out: Storage, key: str) -> Manifest | None:
    """Return the manifest when ``out`` already holds, whole as far as sizes tell, the corpus of this key."""
    try:
        manifest, sums, sizes = read(out), read_sums(out), out.sizes()
    except CorpusError:
        return None
    files = {*(shard.name for shard in manifest.shards), MANIFEST, REPORT, EXAMPLES, FRAMES, SCORES}
    whole = all(sizes.get(shard.name) == shard.bytes for shard in manifest.shards) and files == set(sums) <= set(sizes)
    return manifest if whole and manifest.key == key else None


def former_shards(out: Storage) -> set[str]:
    """Return the shards of the corpus that ``out`` holds, whole or not; raises ``RequestError`` for what is not ours."""
    sums, manifest = out.read(SUMS), out.read(MANIFEST)
    names = {line[66:] for line in (sums or b"").decode("utf-8", "replace").splitlines()}
    try:
        names |= {shard.name for shard in read(out).shards}
    except CorpusError:
        if (sums is not None or manifest is not None) and MANIFEST not in names:
            raise RequestError(
                f"{out.url} holds a {SUMS} or {MANIFEST} of something else: choose another --out"
            ) from None
    return {name for name in names if SHARD_NAME.fullmatch(name)}


def unseal(out: Storage, keep: Iterable[str]) -> None:
    """Take the seal off ``out``, and the former corpus's shards that will not be replaced.

    Only names that a corpus of ours has are ever removed; the manifest goes last, so that a killed run is taken up again.
    """
    former, keep = former_shards(out), set(keep)
    strangers = {name for name in out.names() if SHARD_NAME.fullmatch(name)} - former - keep
    if strangers:
        raise RequestError(
            f"{out.url} holds {', '.join(sorted(strangers))}, of no corpus here: move it, or choose another --out"
        )
    out.delete(SUMS)
    for name in sorted(former - keep):
        out.delete(name)
    out.delete(MANIFEST)


def assemblies(output: Output, gathers: list[Result], work: Work, out: Storage) -> list[Assembly]:
    """Return where each shard is; raises ``CorpusError`` where equal bytes leave one of train without a document."""
    shares = {"validation": output.splits.validation, "test": output.splits.test}
    digits = max(2, len(str(output.shards - 1)))
    names = {("train", n): f"train/{n:0{digits}}.jsonl.zst" for n in range(output.shards)}
    names |= {(split, 0): f"{split}.jsonl.zst" for split in shares}
    found = {name: (g.key, digests) for g in gathers for name, digests in g.facts["pieces"].items()}
    calls = []
    for (split, number), name in names.items():
        piece, table = piece_name(split, number), table_name(split, number)
        key, facts = found.get(piece, ("", None))
        digests = msgspec.convert(facts, Digests) if facts else None
        if digests is None and split == "train":
            raise CorpusError(
                f'{name} is empty beside a document longer than a shard: lower [output] shards, or leave out equal = "bytes"'
            )
        if digests or shares[split]:
            calls.append(Assembly(name, split, key, piece, table, digests, work, out))
    return calls


def assemble(call: Assembly) -> Shard:
    """Put one shard into the output folder, checking it on the way, and return what it is."""
    try:
        return _assemble(call)
    except OSError as error:
        raise WorkError(
            f"cannot write {call.out.url}/{call.name}: {error.strerror or error}; make room in --out, then run it again"
        ) from error


def _assemble(call: Assembly) -> Shard:
    with call.out.scratch() as scratch, call.work.reading(scratch / "inputs"):
        target = scratch / "shard"
        if call.digests is None:  # an empty file is no zstd; an empty frame is
            target.write_bytes(EMPTY_FRAME)
            digest, empty = hashlib.sha256(EMPTY_FRAME).hexdigest(), hashlib.sha256().hexdigest()
            digests = Digests(0, len(EMPTY_FRAME), digest, 0, empty)
        else:
            digests = call.digests
            path = call.work.file(GATHER, call.key, call.piece)
            if _copy(path, target) != digests.sha256:
                raise WorkError(f"{path} has changed since it was written: delete {path.parent} and build again")
        call.out.put_file(target, call.name)
    return Shard(call.name, call.split, **msgspec.structs.asdict(digests))


def _copy(path: Path, target: Path) -> str:
    """Copy a file and return the sha256 of what was copied."""
    digest = hashlib.sha256()
    with open(path, "rb") as file, open(target, "wb") as output:
        while chunk := file.read(COPY_BYTES):
            output.write(chunk)
            digest.update(chunk)
    return digest.hexdigest()


def assemble_all(calls: list[Assembly], executor: Executor, finished: Callable[[Shard], Any]) -> list[Shard]:
    """Write every shard; a worker that dies is given one more try."""
    shards: list[Shard] = []
    todo = calls
    for last in (False, True):
        died: list[Assembly] = []
        for call, outcome in executor.map(assemble, todo):
            if isinstance(outcome, WorkerDiedError):
                if last:
                    raise outcome
                died.append(call)
            else:
                shards.append(outcome)
                finished(outcome)
        todo = died
    order = {call.name: place for place, call in enumerate(calls)}
    return sorted(shards, key=lambda shard: order[shard.name])


def seal(out: Storage, manifest: Manifest, others: dict[str, bytes]) -> None:
    """Write the other files of the corpus, the manifest, and SHA256SUMS over all of them last."""
    digests = {shard.name: shard.sha256 for shard in manifest.shards}
    others = {**others, MANIFEST: msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"}
    for name, content in others.items():
        out.write(name, content)
        digests[name] = hashlib.sha256(content).hexdigest()
    out.write(SUMS, sums_of(digests))
