"""Parts of a rule that stand in reach of one another: what `plover.py` and `themes.py` share."""

from __future__ import annotations

from typing import Final

#: Characters that may lie between two parts of a rule: about ten words.
GAP: Final = 60
#: Characters read of a sentence: what is longer is no sentence.
LONGEST: Final = 1_000

Span = tuple[int, int]
Places = dict[str, list[Span]]  # of a symbol: where it stands in the text


def follow(parts: tuple[str, ...], first: Span, places: Places) -> list[Span]:
    """Return where all parts stand, each in reach of the one before; empty where one does not."""
    trail = [first]
    for part in parts[1:]:
        end = trail[-1][1]
        near = next((span for span in places[part] if end < span[0] <= end + GAP), None)
        if near is None:
            return []
        trail.append(near)
    return trail
