"""Stories: alerts of one direction that follow each other, here and in units beside, tell one.

An alert that opens continues the story of one that lives, or ended in the last 14 days, in the same
unit or one related to it; else it is the first of its own. Of several, the nearest unit's goes
before, then the one that opened last.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final

from detectors.life import Case
from detectors.records import Alert
from detectors.tables import rows
from detectors.timegrid import DAY
from detectors.world.border import SEGMENTS
from detectors.world.units import UNITS, Unit, of_kind

#: Days after its end for which an alert's story may go on.
LINGERS_DAYS: Final = 14
_SAME, _BESIDE, _WITHIN, _BETWEEN = range(4)  # how near a unit is


def story_of(opened: Alert, cases: Iterable[Case], at: int) -> str:
    """Return the story that an alert tells which opens at `at`, seconds: its first alert's id."""
    found = [
        (-near, case.alert.opened_at, case.alert.id, case.alert.story)
        for case in cases
        if case.alert.direction == opened.direction
        and (case.ended is None or at - case.ended < LINGERS_DAYS * DAY)
        and (near := nearness(opened.unit, case.alert.unit)) is not None
    ]
    return max(found)[3] if found else opened.id


def nearness(one: str, other: str) -> int | None:
    """Return how near two units are, 0 the same; None: neither has to do with the other.

    Related are provinces that touch, a border and its two sides (1), a country and what is in it
    (2), the relations of states and what is in one of these states; for a border, in both (3).
    A group is related to nothing but itself: it is no place.

    >>> nearness("AF-NAN", "PK-KP"), nearness("AF-NAN", "AFG"), nearness("AF-NAN", "PK-SD")
    (1, 2, None)
    """
    if one == other:
        return _SAME
    near = _around().get(one, {}).get(other)
    return near if near is not None else _around().get(other, {}).get(one)


@cache
def _around() -> dict[str, dict[str, int]]:
    found: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for one, other in _touching():
        found[one][other] = found[other][one] = _BESIDE
    for unit in of_kind("admin1", "border", "country"):
        for other, near in _containing(unit):
            found[unit.code].setdefault(other, near)
    return dict(found)


def _touching() -> Iterator[tuple[str, str]]:
    """Yield pairs of provinces that touch, across the border and within a country."""
    for segment in SEGMENTS.values():
        yield segment.af_unit, segment.pk_unit
    for row in rows("detectors", "touching.csv"):
        yield row["unit"], row["other"]


def _containing(unit: Unit) -> Iterator[tuple[str, int]]:
    """Yield what a unit is a part of, and a border's two sides."""
    if unit.kind == "border":
        yield from ((side, _BESIDE) for side in unit.code.split("~"))
    if unit.kind != "country":
        yield from ((country, _WITHIN) for country in unit.countries if country in UNITS)
    for relation in of_kind("dyad"):
        if set(unit.countries) <= set(relation.countries):
            yield relation.code, _BETWEEN
