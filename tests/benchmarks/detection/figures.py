"""How the parts of the detection benchmark tell what they found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

#: What a part found, ready for JSON: names to numbers, texts, and lists and tables of these.
Figures = dict[str, Any]


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table; numbers to the right."""
    texts = [[_text(cell) for cell in row] for row in rows]
    widths = [max(len(name), *(len(row[i]) for row in texts)) for i, name in enumerate(head)]
    print("  " + "  ".join(name.rjust(width) for name, width in zip(head, widths, strict=True)))
    for row in texts:
        print("  " + "  ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True)))


def _text(cell: object) -> str:
    if cell is None:
        return "-"
    return f"{cell:.2f}" if isinstance(cell, float) else str(cell)


def between(low: float, high: float) -> str:
    """Return an interval."""
    return f"({low:.2f} to {high:.2f})"
