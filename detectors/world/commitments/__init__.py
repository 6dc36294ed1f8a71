"""The registry of commitments: who undertook what, from when to when, and what speaks of a breach.

Treaties, truces, assurances, decisions of the Security Council, and policies that a state announced
as its own duty. The tables:

- `commitments.csv`: the parties, the days, the public document, and what all that rests on.
- `clauses.csv`: what each obliges whom to, in our own words, for which units, and when it is due.
- `evidence.csv`: which events speak for a breach of which clause, and which against.
- `parties.csv`: parties that are no organisation of the actor registry.

Nothing is read before it is asked for, so a table at fault can still be checked (`check.py`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from typing import Final

from detectors.world.commitments import reading
from detectors.world.commitments.values import CERTAINTIES as CERTAINTIES
from detectors.world.commitments.values import Clause as Clause
from detectors.world.commitments.values import Commitment as Commitment
from detectors.world.commitments.values import Due as Due
from detectors.world.commitments.values import Evidence as Evidence
from detectors.world.commitments.values import Party as Party
from detectors.world.commitments.values import Stage as Stage
from detectors.world.commitments.weighing import Happening as Happening
from detectors.world.commitments.weighing import Told as Told
from detectors.world.commitments.weighing import bearing as bearing
from detectors.world.commitments.weighing import deciding as deciding
from detectors.world.registry import Registry

#: Every party that is no organisation of the actor registry, by its id.
PARTIES: Final[Mapping[str, Party]] = Registry(reading.parties)
#: Every commitment by its id, in the order of the table.
COMMITMENTS: Final[Mapping[str, Commitment]] = Registry(reading.commitments)
#: Every clause by its id, in the order of the table.
CLAUSES: Final[Mapping[str, Clause]] = Registry(reading.clauses)

_ONE_DAY: Final = timedelta(days=1)
#: The days on which something begins or has ended, and what is in force from each on.
_Timeline = tuple[tuple[date, ...], tuple[tuple[Clause, ...], ...]]
_EMPTY: Final[_Timeline] = ((date.min,), ((),))


def _timeline(about: list[Clause]) -> _Timeline:
    ends = {each.last + _ONE_DAY for each in about if each.last}
    days = sorted({date.min, *(each.first for each in about), *ends})
    return tuple(days), tuple(tuple(c for c in about if c.holds(day)) for day in days)


@cache
def _timelines() -> dict[str, _Timeline]:
    about: dict[str, list[Clause]] = {}
    for clause in CLAUSES.values():
        for unit in clause.units:
            about.setdefault(unit, []).append(clause)
    return {unit: _timeline(found) for unit, found in about.items()}


def commitments(unit: str, on: date) -> tuple[Clause, ...]:
    """Return the clauses about a unit that are in force on a day, in the order of the table.

    A clause with one day by which it is due stays while its commitment is in force: what is overdue
    is still owed. One that runs from day to day is in force on these days only.

    Args:
        unit: Code of a unit. A country's clauses are not its provinces' unless the table says so.
        on: A local day of the place.

    >>> [clause.id for clause in commitments("AF-KDZ", date(2020, 2, 23))]
    ['reduction-in-violence/taliban', 'reduction-in-violence/republic-and-us']
    """
    days, in_force = _timelines().get(unit, _EMPTY)
    return in_force[bisect_right(days, on) - 1]
