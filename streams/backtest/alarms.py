"""From risks to alarms: one alarm stands for a fortnight, and every rule makes equally many.

A rule gives alarm for a unit on the first day on which its risk reaches a threshold, and is then
silent on that unit for `HORIZON_DAYS` days, for which the alarm stands; so no rule can buy recall
by repeating itself. The threshold is the lowest with which it makes no more alarms than allowed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from detectors.ledger import VIOLENCE
from detectors.records import Alert, Claim, Resolver
from detectors.rules.base import HORIZON_DAYS
from detectors.timegrid import DAY, LOCAL_OFFSET, day_of, instant
from detectors.world.units import UNITS

Floats = NDArray[np.float64]


class Alarm(Struct, frozen=True, order=True):
    """A rule's word on a unit, at the end of a day."""

    day: int  # row
    unit: int  # column


class Alarms(Struct, frozen=True):
    """What a rule gave alarm of at a threshold."""

    threshold: float | None  # None: no risk was ever told
    given: tuple[Alarm, ...]  # by day, then unit


def alarms_from(risk: Floats, threshold: float) -> list[Alarm]:
    """Return the alarms of a threshold, by day, then unit.

    Args:
        risk: By day and unit; NaN gives no alarm.
        threshold: From here upwards.
    """
    found = []
    for unit in range(risk.shape[1]):
        over = np.flatnonzero(risk[:, unit] >= threshold)
        place = 0
        while place < len(over):
            day = int(over[place])
            found.append(Alarm(day, unit))
            place = int(np.searchsorted(over, day + HORIZON_DAYS))
    return sorted(found)


def within(risk: Floats, most: int) -> Alarms:
    """Return the alarms of the lowest threshold that gives no more than `most`.

    Equal risks cannot be told apart: a rule with few grades makes fewer alarms than allowed.
    """
    levels = np.unique(risk[~np.isnan(risk)])
    low, high = 0, len(levels)  # levels[high:] are known to be within, `len(levels)` gives none
    while low < high:
        middle = (low + high) // 2
        if len(alarms_from(risk, float(levels[middle]))) <= most:
            high = middle
        else:
            low = middle + 1
    if high == len(levels):
        return Alarms(None, ())
    threshold = float(levels[high])
    return Alarms(threshold, tuple(alarms_from(risk, threshold)))


def claims(
    alarms: Sequence[Alarm], units: Sequence[str], first_day: int, bar: Floats
) -> list[Alert]:
    """Return alarms as claims, so that they are held to the same account as Tocsin's own.

    A claim says that the unit's next `HORIZON_DAYS` days reach its bar.
    """
    return [
        _claim(each, units[each.unit], first_day, float(bar[each.day, each.unit]))
        for each in alarms
    ]


def _claim(alarm: Alarm, unit: str, first_day: int, bar: float) -> Alert:
    day = first_day + alarm.day
    end = instant((day + 1) * DAY - LOCAL_OFFSET.get(UNITS[unit].country, 0) - 1)
    first, last = day_of(day + 1), day_of(day + HORIZON_DAYS)
    count = int(bar)
    resolver = Resolver(VIOLENCE, unit, first, last, "at_least", count, end)
    return Alert(
        id=f"{unit}/{day}",
        revision=0,
        signal="rule",
        direction="rise",
        unit=unit,
        state="open",
        severity="watch",
        at=end,
        opened_at=end,
        changed="opened",
        claim=Claim(
            f"At least {count} violent incidents from {first} to {last}",
            0.5,
            0.5,
            HORIZON_DAYS,
            resolver,
        ),
        p=None,
        observed=None,
        expected=None,
        window_days=None,
        coverage="ok",
        coverage_share=1.0,
        reason="",
    )
