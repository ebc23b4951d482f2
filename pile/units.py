"""Numbers with their units, as people read them."""

from __future__ import annotations


def size(count: float) -> str:
    """Return a number of bytes in powers of 1024: ``1.50 MiB``."""
    units = ["B", "KiB", "MiB", "GiB", "TiB"]
    while count >= 1024 and len(units) > 1:
        count /= 1024
        units.pop(0)
    return f"{count:.0f} {units[0]}" if units[0] == "B" else f"{count:.2f} {units[0]}"
