"""Who reports an incident and when, and what outages take away: as arrays, one row an incident.

Seconds are counted from 00:00 UTC of the world's first day. A report is published between 01:00 and
18:59 UTC, when the date is the same in UTC, Afghanistan and Pakistan.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from detectors.timegrid import DAY
from detectors.world.units import UNITS
from streams.scenarios.outlets import Outlet, outlets
from streams.scenarios.plan import HOURS
from streams.simulator.counts import ARRIVALS, LOSSES, Counts, Floats, Ints, generator
from streams.simulator.spec import Outage, Spec

Flags = NDArray[np.bool_]

#: The invented outlets are those of the bundled scenario.
STAGE: Final = "doha-2020"
_HOUR: Final = 3_600
_SAME_DAY_FROM: Final = 5  # news of the same day comes in its later hours, UTC
_LATER: Final = (1.0, 30.0)  # hours from the first report to another outlet's
_MORNING: Final = 2  # the hour to which what falls in a night is moved
_NIGHT: Final = (1, 18)  # first and last hour of the day
_WAIT: Final = (0.2, 2.0)  # of an outlet's usual wait until it is polled
_HOMES: Final = {"AF": "AFG", "PK": "PAK"}


class Arrivals(Struct, frozen=True):
    """The incidents, by unit and day of occurring. Each array has one entry an incident."""

    unit: Ints  # row of the unit
    day: Ints  # day of occurring, from 0
    episode: Ints  # the number of the episode that added it, -1 for the background
    first: Ints  # seconds when its first report was seen; -1 where every report was lost

    def known(self, by: int, shape: tuple[int, int]) -> Ints:
        """Return units by days: the incidents of each day of which a report was seen by then.

        Args:
            by: Seconds from the world's beginning; what was seen at that moment is not known yet.
            shape: The numbers of units and days of the world.
        """
        seen = (self.first >= 0) & (self.first < by)
        place = self.unit[seen] * shape[1] + self.day[seen]
        return np.bincount(place, minlength=shape[0] * shape[1]).reshape(shape)


class Tellings(Struct, frozen=True):
    """The first-hand reports: incidents by outlets that may tell of them, first to last."""

    outlet: Ints  # number of the outlet, -1 where there is no further witness
    published: Ints  # seconds
    seen: Ints  # seconds
    lost: Flags


def stage() -> tuple[Outlet, ...]:
    """Return the outlets that report, in the order of their numbers."""
    return outlets(STAGE)


def home(outlet: Outlet) -> str:
    """Return the country (ISO 3166-1 alpha-3) that an outlet mostly reports from."""
    weights: dict[str, float] = dict.fromkeys(_HOMES, 0.0)
    for place, weight in outlet.covers:
        weights[place[:2]] = max(weights[place[:2]], weight)
    return _HOMES[max(weights, key=lambda prefix: weights[prefix])]


def country_of(unit: str) -> str:
    """Return the country (ISO 3166-1 alpha-3) of a unit, or of a replicate of one."""
    return UNITS[unit.partition(".")[0]].country


def draw(spec: Spec, counts: Counts) -> tuple[Arrivals, Tellings]:
    """Return the world's incidents and the reports of them.

    Raises:
        ValueError: An outage is of nothing that there is.
    """
    unit, day, episode = _incidents(counts)
    rng = generator(spec, ARRIVALS)
    published = _published(spec, day, rng)
    outlet = _outlets(spec, unit, rng)
    waits = np.array([each.poll_minutes * 60 for each in stage()])[outlet]
    seen = published + np.maximum(20, waits * rng.uniform(*_WAIT, published.shape)).astype(np.int64)
    lost = _losses(spec, unit, outlet, seen) | (outlet < 0)
    first = np.where(lost, np.iinfo(np.int64).max, seen).min(axis=1)
    first[lost.all(axis=1)] = -1
    return Arrivals(unit, day, episode, first), Tellings(outlet, published, seen, lost)


def _incidents(counts: Counts) -> tuple[Ints, Ints, Ints]:
    """Return each incident's unit, day and episode, in the order of units and days."""
    found = []
    for array, episodes in ((counts.kept, None), (counts.extra, counts.within)):
        unit, day = np.nonzero(array)
        times = array[unit, day]
        number = np.full(len(unit), -1) if episodes is None else episodes[unit, day]
        found.append(np.repeat(np.stack([unit, day, number]), times, axis=1))
    unit, day, episode = np.concatenate(found, axis=1)
    order = np.lexsort((episode, day, unit))
    return unit[order], day[order], episode[order]


def _published(spec: Spec, day: Ints, rng: np.random.Generator) -> Ints:
    """Return when each of an incident's outlets publishes, the first before the others."""
    whole = chosen(spec.delay or (1.0,), len(day), rng)
    stretched = spec.delay_factor * (whole + rng.random(len(day)))
    after = np.floor(stretched).astype(np.int64) if spec.delay else np.zeros_like(day)
    hour = np.where(after > 0, _hours(rng, len(day), 0), _hours(rng, len(day), _SAME_DAY_FROM))
    first = (day + after) * DAY + hour * _HOUR + rng.integers(_HOUR, size=len(day))
    more = rng.uniform(*_LATER, (len(day), len(spec.witnesses) - 1)) * _HOUR
    later = first[:, None] + more.astype(np.int64)
    return np.concatenate([first[:, None], _by_day(later)], axis=1)


def _hours(rng: np.random.Generator, count: int, least: int) -> Ints:
    hours = np.array([hour for hour in HOURS if hour >= least])
    return hours[chosen([HOURS[int(hour)] for hour in hours], count, rng)]


def chosen(weights: Sequence[float], count: int, rng: np.random.Generator) -> Ints:
    """Return places in a list of weights, each as likely as its weight says."""
    sums = np.cumsum(np.array(weights, dtype=float))
    return np.searchsorted(sums / sums[-1], rng.random(count), side="right")


def _by_day(at: Ints) -> Ints:
    """Move what falls in a night to the next morning."""
    hour = at % DAY // _HOUR
    early, late = hour < _NIGHT[0], hour > _NIGHT[1]
    return np.where(early | late, (at // DAY + late) * DAY + _MORNING * _HOUR + at % _HOUR, at)


def _outlets(spec: Spec, unit: Ints, rng: np.random.Generator) -> Ints:
    """Choose each incident's outlets by their weight in its unit, without doing so twice.

    Adding Gumbel noise to the logarithms of the weights and taking the largest is to draw without
    replacement (Efraimidis & Spirakis 2006).
    """
    most = len(spec.witnesses)
    names = [name.partition(".")[0] for name in spec.names]
    weights = np.array([[o.weight(n, country_of(n)) for o in stage()] for n in names])
    with np.errstate(divide="ignore"):
        keys = np.log(weights)[unit]
    keys += rng.gumbel(size=keys.shape)
    first = np.argsort(-keys, axis=1, kind="stable")[:, :most]
    told = np.arange(most) <= chosen(spec.witnesses, len(unit), rng)[:, None]
    told &= np.isfinite(np.take_along_axis(keys, first, axis=1))
    return np.where(told, first, -1)


def _losses(spec: Spec, unit: Ints, outlet: Ints, seen: Ints) -> Flags:
    """Tell which reports fall into an outage and are lost."""
    lost = np.zeros(outlet.shape, dtype=np.bool_)
    rng = generator(spec, LOSSES)
    for outage in spec.outages:
        luck: Floats = rng.random(outlet.shape)
        rows = np.array([reaches_unit(outage, name) for name in spec.names])
        who = np.array([reaches_outlet(outage, each) for each in stage()])
        if not rows.any() and not any(reaches_news(outage, each) for each in stage()):
            raise ValueError(f"outage of {outage.what!r}: {_known(spec)}")
        start = (outage.first - spec.first_day).days * DAY
        within = (seen >= start) & (seen < start + outage.days * DAY)
        lost |= within & (rows[unit][:, None] | who[outlet]) & (luck < outage.share)
    return lost


def _known(spec: Spec) -> str:
    languages = ", ".join(sorted({outlet.language for outlet in stage()}))
    sources = ", ".join(outlet.source for outlet in stage())
    return (
        f"there is no such thing; take all, AFG, PAK, a language ({languages}), "
        f"a unit of the world ({spec.names[0]}, ...) or a source ({sources})"
    )


def reaches_unit(outage: Outage, unit: str) -> bool:
    """Whether an outage takes reports of a unit because of where it is."""
    return outage.what in ("all", unit, country_of(unit))


def reaches_outlet(outage: Outage, outlet: Outlet) -> bool:
    """Whether an outage takes the reports of an outlet whatever they are about."""
    return outage.what in ("all", outlet.source, outlet.language)


def reaches_news(outage: Outage, outlet: Outlet) -> bool:
    """Whether an outage takes an outlet's other news: also that of a country at home there."""
    return reaches_outlet(outage, outlet) or outage.what == home(outlet)
