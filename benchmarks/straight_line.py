"""The straight line through figures by least squares, and a drawing of both as SVG, which any browser shows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

#: Pixels of the drawing, and of the margin that holds its labels.
WIDTH, HEIGHT, MARGIN = 640, 420, 60


class Line(NamedTuple):
    """``y = start + slope x``, and by which share of the line the figure farthest from it is off."""

    start: float
    slope: float
    farthest: float


def fit(x: list[float], y: list[float]) -> Line:
    """Return the line that fits best, each figure weighed by its size: twice as much may be off by twice as much."""
    table = np.stack([np.ones(len(x)), np.array(x)], axis=1)
    weights = 1 / np.array(y)
    start, slope = np.linalg.lstsq(table * weights[:, None], np.ones(len(y)), rcond=None)[0]
    said = start + slope * np.array(x)
    return Line(float(start), float(slope), float(np.abs(np.array(y) / said - 1).max()))


def drawing(x: list[float], y: list[float], line: Line, across: str, up: str) -> str:
    """Return an SVG of the figures as points and of their line; ``across`` and ``up`` name the axes."""
    right, top = max(x) * 1.05, max(y) * 1.1

    def place(at: float, height: float) -> tuple[float, float]:
        return (
            MARGIN + (WIDTH - 2 * MARGIN) * at / right,
            HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * height / top,
        )

    (left, bottom), (end, _) = place(0, 0), place(right, 0)
    (x1, y1), (x2, y2) = place(0, line.start), place(right, line.start + line.slope * right)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" font-size="12">',
        f'<path d="M{left:.0f} {MARGIN} V{bottom:.0f} H{end:.0f}" fill="none" stroke="black"/>',
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="steelblue"/>',
        f'<text x="{WIDTH / 2:.0f}" y="{HEIGHT - 15}" text-anchor="middle">{across}</text>',
        f'<text x="{left:.0f}" y="{MARGIN - 15}">{up}</text>',
    ]
    for at, height in zip(x, y, strict=True):
        dot_x, dot_y = place(at, height)
        parts.append(f'<circle cx="{dot_x:.1f}" cy="{dot_y:.1f}" r="4"/>')
        parts.append(f'<text x="{dot_x:.1f}" y="{bottom + 18:.0f}" text-anchor="middle">{at:g}</text>')
        parts.append(f'<text x="{dot_x - 8:.1f}" y="{dot_y - 6:.1f}" text-anchor="end">{height:.1f}</text>')
    return "\n".join([*parts, "</svg>", ""])
