"""Daily counts of incidents by unit: a seasonal, overdispersed, autocorrelated background.

The expected count m(u, t) of a unit is its rate times weekday, season (a Fourier series of two
terms), Ramadan and the two Eids, and a random walk. The count is negative binomial (a Poisson
whose mean is multiplied by a gamma variable of mean 1 and variance a). With an echo, part of a
day's incidents bring on one each on the next: the INAR(1) process of Al-Osh & Alzaid 1987, by
binomial thinning, with autocorrelation `echo` to the power of the lag and the same mean and
dispersion as without.

An episode does not redraw the background: a surge or a new front is added to it, with the same
gamma variable, so that the sum is negative binomial too; a lull thins it.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from detectors.world.calendar import from_islamic, islamic_year
from streams.simulator.spec import APART_DAYS, QUIET_DAYS, Episode, Spec

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Each kind of draw has a generator of its own, so that one does not shift the others.
RATES, CALENDAR, DRIFT, SPREAD, BACKGROUND, EPISODES, EXTRA, LULLS = range(8)
ARRIVALS, LOSSES, COPIES = range(8, 11)
_FRIDAY: Final = 4  # date.weekday()
_RAMADAN: Final = 9
_EIDS: Final = ((10, 1), (12, 10))  # Islamic month and day
_EID_DAYS: Final = 3
_FACTORS: Final = (1.5, 2.0, 3.0)
_LENGTHS: Final = (7, 14, 28)
_LULL: Final = 0.3
_FRONT: Final = (0.3, 1.0)  # incidents a day
#: A dispersion below this is none: the gamma variable would be 1 to the last bits.
_NO_SPREAD: Final = 1e-9
#: Drawn episodes by kind, in turn.
_TURN: Final = ("surge", "new_front", "surge", "lull")


class Counts(Struct, frozen=True):
    """Arrays of units by days, and the episodes in them."""

    rates: Floats  # by unit: incidents a day
    expected: Floats  # of the background, before episodes
    kept: Ints  # of the background, what lulls left
    extra: Ints  # what surges and new fronts added
    within: Ints  # the number of the episode that a day belongs to, -1 where none
    episodes: tuple[Episode, ...]

    @property
    def total(self) -> Ints:
        """All incidents."""
        return self.kept + self.extra


def generator(spec: Spec, stream: int) -> np.random.Generator:
    """Return the generator of one kind of draw: a function of the seed and nothing else."""
    return np.random.default_rng([spec.seed, stream])


def draw(spec: Spec) -> Counts:
    """Return the world's counts.

    Raises:
        ValueError: There is no room for so many episodes, or one is of no unit of the world.
    """
    rates = _rates(spec)
    expected = rates[:, None] * _calendar(spec) * _drift(spec)
    episodes = _episodes(spec)
    within, more, thinned = _effects(spec, expected, episodes)
    spread = spec.dispersion * (1 + spec.echo) / (1 - spec.echo)
    gamma: Floats = np.ones_like(expected)
    if spread > _NO_SPREAD:
        gamma = generator(spec, SPREAD).gamma(1 / spread, spread, expected.shape)
    kept = inar(expected, gamma, spec.echo, generator(spec, BACKGROUND))
    if (thinned < 1).any():
        kept = generator(spec, LULLS).binomial(kept, thinned)
    extra = np.zeros_like(kept)
    if more.any():
        extra = inar(more, gamma, spec.echo, generator(spec, EXTRA))
    return Counts(rates, expected, kept, extra, within, episodes)


def inar(mean: Floats, gamma: Floats, echo: float, rng: np.random.Generator) -> Ints:
    """Draw counts of units by days with a mean, multiplied by `gamma`, and an autocorrelation.

    Where the mean falls faster than the echo fades, the echo is cut so that the mean holds.
    """
    if echo == 0:
        return rng.poisson(mean * gamma)
    before = np.maximum(mean[:, :-1], 1e-300)
    lasting = np.minimum(echo, mean[:, 1:] / before)
    fresh = mean.copy()
    fresh[:, 1:] = np.maximum(0.0, mean[:, 1:] - lasting * mean[:, :-1])
    counts = rng.poisson(fresh * gamma)
    counts[:, 0] = rng.poisson(mean[:, 0])  # nothing to echo, so none of the wider spread for it
    for day in range(1, mean.shape[1]):
        counts[:, day] += rng.binomial(counts[:, day - 1], lasting[:, day - 1])
    return counts


def _rates(spec: Spec) -> Floats:
    low, high = np.log(spec.rate)
    rates: Floats = np.exp(generator(spec, RATES).uniform(low, high, len(spec.names)))
    return rates


def _calendar(spec: Spec) -> Floats:
    """Return by how much each day differs for each unit; the mean over the world is 1."""
    phases = generator(spec, CALENDAR).uniform(0, 2 * np.pi, (2, len(spec.names), 1))
    days = [spec.first_day + timedelta(days=n) for n in range(spec.days)]
    year = np.array([day.timetuple().tm_yday for day in days]) * (2 * np.pi / 365.25)
    wave = np.cos(year + phases[0]) + 0.5 * np.cos(2 * year + phases[1])
    effect: Floats = np.exp(spec.season * wave + np.array([_of_day(day, spec) for day in days]))
    effect /= effect.mean(axis=1, keepdims=True)
    return effect


def _of_day(day: date, spec: Spec) -> float:
    effect = spec.friday if day.weekday() == _FRIDAY else 0.0
    year = islamic_year(day)
    begins, ends = from_islamic(year, _RAMADAN, 1), from_islamic(year, _RAMADAN + 1, 1)
    if begins and ends and begins <= day < ends:
        effect += spec.ramadan
    feasts = [from_islamic(year, month, first) for month, first in _EIDS]
    if any(feast and 0 <= (day - feast).days < _EID_DAYS for feast in feasts):
        effect += spec.eid
    return effect


def _drift(spec: Spec) -> Floats:
    """Return the random walk as a factor whose expected value is 1 on every day."""
    shape = (len(spec.names), spec.days)
    if spec.drift == 0:
        return np.ones(shape)
    walk = generator(spec, DRIFT).normal(0, spec.drift, shape).cumsum(axis=1)
    variance = spec.drift**2 * np.arange(1, spec.days + 1)
    return np.exp(walk - variance / 2)


def _episodes(spec: Spec) -> tuple[Episode, ...]:
    if not isinstance(spec.episodes, int):
        unknown = {episode.unit for episode in spec.episodes} - set(spec.names)
        if unknown:
            raise ValueError(f"episodes of units that are not in the world: {sorted(unknown)}")
        return spec.episodes
    rng = generator(spec, EPISODES)
    found: list[Episode] = []
    for number in range(spec.episodes):
        episode = next(
            (e for e in (_drawn(spec, number, rng) for _ in range(200)) if _is_free(e, found)), None
        )
        if episode is None:
            raise ValueError(
                f"no room for {spec.episodes} episodes in {len(spec.names)} units and "
                f"{spec.days} days: take fewer, or more units or days"
            )
        found.append(episode)
    return tuple(sorted(found, key=lambda e: (e.first, e.unit)))


def _drawn(spec: Spec, number: int, rng: np.random.Generator) -> Episode:
    quiet = min(QUIET_DAYS, spec.days // 3)
    days = min(int(_LENGTHS[int(rng.integers(len(_LENGTHS)))]), spec.days - quiet)
    start = quiet + int(rng.integers(max(1, spec.days - quiet - days + 1)))
    unit = spec.names[int(rng.integers(len(spec.names)))]
    factor = _FACTORS[int(rng.integers(len(_FACTORS)))]
    added = round(float(rng.uniform(*_FRONT)), 2)
    first = spec.first_day + timedelta(days=start)
    match _TURN[number % len(_TURN)]:
        case "surge":
            return Episode(unit, first, days, "surge", factor=factor)
        case "new_front":
            return Episode(unit, first, days, "new_front", added=added)
        case _:
            return Episode(unit, first, days, "lull", factor=_LULL)


def _is_free(episode: Episode, others: list[Episode]) -> bool:
    apart = timedelta(days=APART_DAYS)
    return all(
        other.unit != episode.unit
        or other.last + apart < episode.first
        or episode.last + apart < other.first
        for other in others
    )


def _effects(
    spec: Spec, expected: Floats, episodes: tuple[Episode, ...]
) -> tuple[Ints, Floats, Floats]:
    """Return which episode a day belongs to, what is added to its mean, and the share kept."""
    within = np.full(expected.shape, -1, dtype=np.int64)
    more, kept = np.zeros_like(expected), np.ones_like(expected)
    rows = {name: row for row, name in enumerate(spec.names)}
    for number, episode in enumerate(episodes):
        start = (episode.first - spec.first_day).days
        where = (rows[episode.unit], slice(start, start + episode.days))
        within[where] = number
        more[where] += episode.added
        if episode.factor > 1:
            more[where] += (episode.factor - 1) * expected[where]
        else:
            kept[where] *= episode.factor
    return within, more, kept
