"""Models that a recipe names by address: what is to be fetched, and the bytes that it must be.

Filters read files only; a build fetches the file, keeps it with its results, and hands the filter its path.
"""

from __future__ import annotations

from pile.document import Input


def wanted(model: str, sha256: str) -> Input | None:
    """Return the file that an address names, None for a path; raises ``ValueError`` where its sha256 is not given."""
    if "://" not in model:
        return None
    if not sha256:
        raise ValueError("a model by address needs its sha256: an address does not say which bytes it has")
    return Input(model, checksum=f"sha256:{sha256}")
