"""How surely a crossing is closed: a hidden Markov filter with a duration hazard.

Each crossing is open or closed. An open one closes at a constant hazard; a closed one opens again
at one that falls with the days since it closed: closures last hours, days or months, so their
durations are taken as Weibull with a shape of 0.6 (a semi-Markov chain: Rabiner 1989, Proc. IEEE
77, IV.D). The pace of each crossing is a row of `closures.csv`, or else that of its status.

What a day's news says of it multiplies the odds: the later news of a day counts where the news
contradicts itself. On a day that is covered and without news, most changes would have been told, so
the state is kept more firmly than its hazard would have it; but a closure would be spoken of now
and then, so that one of which nothing more is heard fades within weeks. That is no opening: one is
told. Without coverage silence says nothing, and the belief drifts to what is usual.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from math import exp, gamma, log
from typing import Final

from msgspec import Struct
from scipy.special import gammaincc

from detectors.distributions import logistic
from detectors.incidents import Incident
from detectors.tables import rows
from detectors.world.border import CROSSINGS, SEGMENTS, Crossing
from detectors.world.towns import districts_of, letters
from detectors.world.units import border_code

CLOSED: Final = "border_closed"
OPENED: Final = "border_opened"
SHAPE: Final = 0.6
#: Nats that a first witness gives, and each further independent one; the most of a day.
FIRST: Final = 5.0
FURTHER: Final = 1.5
MOST: Final = 8.0
#: Nats less where the border is named, but no crossing.
UNNAMED: Final = 2.0
_LIMIT: Final = 7.0  # of the log odds: it must be able to change
_USUAL_KEPT: Final = 0.5 ** (1 / 180)  # per day
_USUAL_PRIOR: Final = 120.0  # days


class Pace(Struct, frozen=True):
    """How often a crossing closes, and for how long."""

    closings: float  # a year
    median: float  # days
    told: float  # the share of changes that are in the news
    news: float  # the share of days of a closure that bring news of it

    @property
    def scale(self) -> float:
        """The scale of the Weibull distribution, days."""
        return float(self.median / log(2.0) ** (1 / SHAPE))

    @property
    def share(self) -> float:
        """The share of days on which it is closed."""
        closed = self.closings / 365 * self.scale * gamma(1 + 1 / SHAPE)
        return closed / (1 + closed)

    @property
    def quiet(self) -> float:
        """The probability that it is closed after a long time of coverage without news of it."""
        unseen = 1.0 - self.told
        closes = self.closings / 365 * unseen
        opens = (1.0 - self.lasts(0.0, 1.0)) * unseen - log(1.0 - self.news)
        return closes / (closes + opens)

    def lasts(self, days: float, more: float) -> float:
        """Return the chance that a closure of so many days lasts so many days more."""
        return exp((days / self.scale) ** SHAPE - ((days + more) / self.scale) ** SHAPE)

    def so_long(self, days: float) -> float:
        """Return the share of all days of closure that are at least so many days into one."""
        return float(gammaincc(1 / SHAPE, (days / self.scale) ** SHAPE))


class Gate(Struct):
    """What is believed of a crossing. Days are day numbers."""

    closed: float  # probability
    since: int = 0  # the day from which closed is the likelier; 0: it is not
    opened: int = 0  # the last day on which it opened again
    lasted: int = 0  # days for which it had been closed then
    days: float = 0.0  # discounted days
    shut: float = 0.0  # ... on which it was closed

    def usual(self, pace: Pace) -> float:
        """Return the share of days on which it is usually closed."""
        return (self.shut + _USUAL_PRIOR * pace.share) / (self.days + _USUAL_PRIOR)

    def pass_day(self, pace: Pace, day: int, nats: float, *, covered: bool) -> None:
        """Take in what a day says: log odds of closed against open, 0 for no news."""
        silent = covered and not nats
        unseen = 1.0 - pace.told if silent else 1.0
        age = day - self.since if self.since else 0
        opens = (1.0 - pace.lasts(age, 1.0)) * unseen
        closes = pace.closings / 365 * unseen
        before = self.closed * (1.0 - opens) + (1.0 - self.closed) * closes
        said = log(1.0 - pace.news) if silent else nats
        odds = log(before / (1.0 - before)) + said
        self.closed = round(logistic(min(max(odds, -_LIMIT), _LIMIT)), 6)
        self._turn(day, opening=nats < 0.0)
        if covered:
            self.days = round(self.days * _USUAL_KEPT + 1.0, 4)
            self.shut = round(self.shut * _USUAL_KEPT + self.closed, 4)

    def _turn(self, day: int, *, opening: bool) -> None:
        """Note which state is the likelier now. A belief that only faded is no opening."""
        if self.closed >= 0.5 and not self.since:
            self.since = day
        elif self.closed < 0.5 and self.since:
            if opening:
                self.opened, self.lasted = day, day - self.since
            self.since = 0

    def closure(self, pace: Pace, today: int) -> float:
        """Return how unusual it is that the crossing is closed for so long, nats.

        It is -log of the chance that it is open after all, or closed as it is on some usual days.
        So the log odds of closed against usual count as far as the closure is rare.
        """
        if not self.since:
            return 0.0
        rare = self.usual(pace) * pace.so_long(today - self.since)
        return -log(1.0 - self.closed * (1.0 - rare))

    def opening(self, pace: Pace, today: int, *, within: int) -> float:
        """Return how unusual it is that it has opened again within some days, nats.

        It is -log of the chance that it has not, or that a closure as old as this one was would
        have ended in these days.
        """
        if self.since or not self.opened or today - self.opened >= within or self.lasted < 2:
            return 0.0
        ended = 1.0 - pace.lasts(self.lasted, max(3, today - self.opened + 1))
        return -log(1.0 - (1.0 - self.closed) * (1.0 - ended))


@cache
def paces() -> dict[str, Pace]:
    """Return the pace of each crossing of the border table by its id."""
    table = {
        r["crossing"]: Pace(
            float(r["closings"]), float(r["days"]), float(r["told"]), float(r["news"])
        )
        for r in rows("detectors.signals", "closures.csv")
    }
    return {id: table.get(id) or table[each.status] for id, each in CROSSINGS.items()}


@cache
def crossings_of(unit: str) -> tuple[str, ...]:
    """Return the ids of the crossings of a border, or of the relations of two states; sorted.

    >>> crossings_of("AF-NAN~PK-KP"), crossings_of("AFG~IRN")
    (('gursal', 'torkham'), ())
    """
    if unit == "AFG~PAK":
        return tuple(sorted(CROSSINGS))
    return tuple(sorted(id for id, each in CROSSINGS.items() if _border(each) == unit))


def _border(crossing: Crossing) -> str:
    segment = SEGMENTS[crossing.segment]
    return border_code(segment.af_unit, segment.pk_unit)


def at(place: str, unit: str | None, among: Iterable[str]) -> tuple[str, ...]:
    """Return which of some crossings a place is, or else the official ones of its district.

    >>> at("Spin Boldak", "AF-KAN", CROSSINGS), at("Landi Kotal", "PK-KP", CROSSINGS)
    (('chaman',), ('torkham',))
    >>> at("Kabul", "AF-KAB", CROSSINGS)
    ()
    """
    among = set(among)
    named = _names().get(letters(place))
    if named:
        return tuple(id for id in named if id in among)
    found = districts_of(place, unit) if unit else frozenset[str]()
    return tuple(
        id
        for id in sorted(among)
        if CROSSINGS[id].status == "official" and found & _districts(CROSSINGS[id], unit or "")
    )


def _districts(crossing: Crossing, unit: str) -> set[str]:
    segment = SEGMENTS[crossing.segment]
    return {
        district
        for code, district in (
            (segment.af_unit, segment.af_district),
            (segment.pk_unit, segment.pk_district),
        )
        if code == unit
    }


@cache
def _names() -> dict[str, tuple[str, ...]]:
    """Return the crossings by the letters of each of their names and of its parts."""
    found: dict[str, set[str]] = {}
    for each in CROSSINGS.values():
        parts = [each.name, *re.split(r"[()]", each.name)]
        for name in [
            *parts,
            *(half for part in parts if "-" in part for half in part.split("-", 1)),
        ]:
            if key := letters(name):
                found.setdefault(key, set()).add(each.id)
    return {key: tuple(sorted(ids)) for key, ids in found.items()}


def news(incidents: Iterable[Incident], crossings: tuple[str, ...]) -> dict[str, float]:
    """Return what a day's incidents say of each crossing: log odds of closed against open, nats.

    An incident that tells of both says nothing. One without a crossing is about all official ones.
    """
    found: dict[str, float] = {}
    for incident in sorted(incidents, key=lambda each: (each.first_seen, each.id)):
        closed, opened = CLOSED in incident.themes, OPENED in incident.themes
        if closed == opened:
            continue
        nats = FIRST + FURTHER * (len(incident.publishers) - 1)
        named = at(incident.place, incident.admin1, crossings)
        if not named:
            nats -= UNNAMED
            named = tuple(id for id in crossings if CROSSINGS[id].status == "official")
        for id in named:
            nats = min(nats, MOST)
            before = found.get(id, 0.0) * (1 if closed else -1)
            total = min(before + nats, MOST) if before > 0 else nats
            found[id] = total if closed else -total
    return found
