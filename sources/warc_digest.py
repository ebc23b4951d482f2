"""The digests that a WARC record states of itself (ISO 28500: ``sha1:<base32>`` and its like), against the bytes that it has.

A block digest is of the whole block, and all writers met agree on that. A payload digest is, depending on the writer, of the
body with or without its transfer coding, or without its content coding too, and tells nothing when it disagrees.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable

#: Algorithms as WARCs name them, without "-".
ALGORITHMS = frozenset({"md5", "sha1", "sha224", "sha256", "sha384", "sha512"})


def agrees(stated: str, contents: Iterable[bytes]) -> bool | None:
    """Return whether a stated digest, in base 32 or hexadecimal, is that of one of the ``contents``.

    None where nothing is stated, or by an algorithm that is not known.
    """
    algorithm, _, value = stated.strip().partition(":")
    name = algorithm.lower().replace("-", "")
    if name not in ALGORITHMS or not value:
        return None
    for content in contents:
        digest = hashlib.new(name, content, usedforsecurity=False).digest()
        if value.lower() == digest.hex() or value.upper().rstrip("=") == base64.b32encode(digest).decode().rstrip("="):
            return True
    return False
