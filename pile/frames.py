"""The frame index of a finished corpus, ``frames.npy``: where each zstd frame of each shard is, and which documents it holds.

Readers find any document by it without reading what is before; ``docs/decisions/010`` says why it lies beside the shards.
"""

from __future__ import annotations

import io
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from pile.errors import CorpusError
from pile.manifest import Shard
from pile.shards import FRAME
from pile.storage import Storage

FRAMES = "frames.npy"
#: A frame with its shard, by place in the manifest; documents are counted from the shard's first on. Sorted.
INDEXED = np.dtype([("shard", "<u8"), *((name, FRAME[name].str) for name in FRAME.names or ())])


def index_of(tables: list[npt.NDArray[Any]]) -> bytes:
    """Return the index as it is stored, from the FRAME array of each shard in the manifest's order."""
    index = np.zeros(sum(map(len, tables)), INDEXED)
    index["shard"] = np.repeat(np.arange(len(tables)), [len(table) for table in tables])
    for name in FRAME.names or ():
        index[name] = np.concatenate([np.empty(0, "<u8"), *(table[name] for table in tables)])
    file = io.BytesIO()
    np.save(file, index, allow_pickle=False)
    return file.getvalue()


def read_index(corpus: Storage) -> npt.NDArray[Any]:
    """Return the index of a corpus, an INDEXED array; raises ``CorpusError`` where there is none to read.

    A local one is mapped, not read: all processes that use it share its memory. It has 40 bytes for each MiB of text.
    """
    place = f"{corpus.url}/{FRAMES}"
    try:
        index = np.load(corpus.path / FRAMES, mmap_mode="r") if corpus.is_local else _remote(corpus)
    except FileNotFoundError:
        raise CorpusError(
            f"no {FRAMES} in {corpus.url}: documents of its shards can only be read in order; `pile build` writes one"
        ) from None
    except (ValueError, EOFError, OSError) as error:
        raise CorpusError(f"{place} is damaged: {error}; build again or copy it from elsewhere") from error
    if getattr(index, "dtype", None) != INDEXED or index.ndim != 1:
        raise CorpusError(f"{place} is no index of frames; build again or copy it from elsewhere")
    found: npt.NDArray[Any] = index
    return found


def _remote(corpus: Storage) -> Any:
    content = corpus.read(FRAMES)
    if content is None:
        raise FileNotFoundError(FRAMES)
    return np.load(io.BytesIO(content))


def rows_of(index: npt.NDArray[Any], shards: int) -> list[npt.NDArray[Any]]:
    """Return the rows of each shard."""
    bounds = np.searchsorted(index["shard"], np.arange(shards + 1))
    return [index[start:end] for start, end in pairwise(bounds.tolist())]


def fault_of(rows: npt.NDArray[Any], shard: Shard) -> str:
    """Return in what the rows of a shard disagree with the manifest or with each other, "" where in nothing."""
    ends = np.cumsum(rows["size"])
    if not len(rows):
        return "" if not shard.documents else f"has no frames, should have {shard.documents} documents"
    if not np.array_equal(rows["offset"], ends - rows["size"]) or int(ends[-1]) != shard.bytes:
        return f"its frames do not cover the {shard.bytes} bytes of the shard one after the other"
    if int(rows["content"].sum()) != shard.content_bytes:
        return f"its frames hold {int(rows['content'].sum())} bytes, should be {shard.content_bytes}"
    documents = np.append(rows["document"].astype(np.int64), shard.documents)
    if documents[0] or (documents[1:] <= documents[:-1]).any():
        return f"its frames do not share out {shard.documents} documents one after the other"
    return ""
