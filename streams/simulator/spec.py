"""What a simulated world is asked to be: one frozen value, and all of it can be written as JSON."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from detectors.coding.actors import coded
from detectors.world.units import UNITS

Kind = Literal["surge", "new_front", "lull"]

#: Shares of incidents by whole days from the incident to its first report: 1 at the median, 2 at
#: 90 %, 4 at 95 % (measured on UCDP GED 23.1, Afghanistan, January to June 2020).
MEASURED_DELAY: Final = (0.25, 0.40, 0.25, 0.03, 0.02, *(0.005,) * 10)
#: Days at the beginning in which no episode is drawn: a monitor learns what is normal.
QUIET_DAYS: Final = 90
#: Days that two drawn episodes of one unit lie apart at least.
APART_DAYS: Final = 42
MOST_COPIES: Final = 40
#: The organisation that `Spec.rename` is about, and the two names, both in the actor registry.
RENAMED: Final = "ttp"
OLD_NAME: Final = "TTP"
NEW_NAME: Final = "Fitna al-Khawarij"


class Episode(Struct, frozen=True):
    """A change of the rate of one unit, from `first` on for `days` days.

    A surge multiplies the background by `factor` > 1, a lull by `factor` < 1. A new front adds
    `added` incidents a day in a district, and by a group, that the unit did not see before.
    """

    unit: str
    first: date
    days: int
    kind: Kind
    factor: float = 1.0
    added: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what is no episode.

        Raises:
            ValueError: It has no day, or its strength does not fit its kind.
        """
        fits = {
            "surge": self.factor > 1 and self.added == 0,
            "lull": 0 <= self.factor < 1 and self.added == 0,
            "new_front": self.added > 0 and self.factor == 1,
        }
        if self.days < 1 or not fits[self.kind]:
            raise ValueError(
                f"{self}: it lasts a day at least; a surge has a factor above 1, a lull one from 0 "
                "to below 1, a new front a number of incidents added and no factor"
            )

    @property
    def last(self) -> date:
        """Its last day."""
        return self.first + timedelta(days=self.days - 1)


class Outage(Struct, frozen=True):
    """A spell in which a share of the reporting is lost.

    `what` is "all", a country (AFG, PAK), a language (en, fa, ps, ur), a unit, or a source.
    """

    what: str
    first: date
    days: int
    share: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what is no outage.

        Raises:
            ValueError: It has no day, or its share is none.
        """
        if self.days < 1 or not 0 < self.share <= 1:
            raise ValueError(f"{self}: it lasts a day at least and takes a share above 0, up to 1")

    @property
    def last(self) -> date:
        """Its last day."""
        return self.first + timedelta(days=self.days - 1)


class Spec(Struct, frozen=True):
    """A world. Rates are incidents a day; effects and deviations are of the rate's logarithm."""

    seed: int = 1
    first_day: date = date(2024, 1, 1)
    days: int = 365
    units: tuple[str, ...] = ()  # every admin1 unit where it is empty
    rate: tuple[float, float] = (0.02, 20.0)  # each unit's is drawn between, evenly in logarithms
    dispersion: float = 0.15  # a: the variance is m + a m² about the day's expected count m
    friday: float = -0.1
    season: float = 0.2  # the annual wave's amplitude; its second harmonic has half of it
    ramadan: float = 0.1
    eid: float = -0.5  # three days each, after Ramadan and at the sacrifice
    drift: float = 0.01  # a day, of a random walk
    echo: float = 0.0  # autocorrelation from day to day about the expected counts, below 1
    episodes: int | tuple[Episode, ...] = 0  # so many drawn at random, or these
    delay: tuple[float, ...] = MEASURED_DELAY  # shares by days; empty: all on the same day
    delay_factor: float = 1.0  # by which the days of delay are stretched
    witnesses: tuple[float, ...] = (0.55, 0.25, 0.11, 0.06, 0.03)  # shares of 1, 2, ... outlets
    outages: tuple[Outage, ...] = ()
    duplicates: float = 0.0  # share of reports that others reprint, up to `MOST_COPIES` times
    news: float = 24.0  # other, non-violent news a day
    prose: float = 0.0  # share of incidents told in prose, the rest as structured records
    rename: date | None = None  # from this day on reports use another name of `RENAMED`
    anniversaries: tuple[date, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what is no world.

        Raises:
            ValueError: A number is out of its range, or a date out of the world.
        """
        for wrong, text in self._wrong():
            if wrong:
                raise ValueError(text)

    def _wrong(self) -> tuple[tuple[bool, str], ...]:
        low, high = self.rate
        shares = (self.delay, self.witnesses)
        return (
            (self.seed < 0, f"seed {self.seed}: give a number from 0 on"),
            (self.days < 1, f"{self.days} days: a world has one at least"),
            (not 0 < low <= high, f"rate {low:g} to {high:g}: give positive numbers, lower first"),
            (self.dispersion < 0, f"dispersion {self.dispersion:g} is negative"),
            (not 0 <= self.echo < 1, f"echo {self.echo:g}: it lies from 0 to below 1"),
            (self.delay_factor < 0, f"delay {self.delay_factor:g} is negative"),
            (not 0 <= self.duplicates <= 1, f"duplicates {self.duplicates:g}: a share is 0 to 1"),
            (not 0 <= self.prose <= 1, f"prose {self.prose:g}: a share is 0 to 1"),
            (self.news < 0, f"news {self.news:g} is negative"),
            (not self.witnesses, "an incident needs a witness: give their shares"),
            (any(p < 0 for each in shares for p in each), "a share is negative"),
            (len(set(self.units)) < len(self.units), "a unit is named twice"),
            (self.rename is not None and not _has_new_name(self.rename), _too_early(self.rename)),
            *((not self._inside(day), f"{day} lies outside the world") for day in self.dates()),
        )

    def dates(self) -> tuple[date, ...]:
        """Return the days that are named, which have to lie in the world."""
        given = () if isinstance(self.episodes, int) else tuple(e.first for e in self.episodes)
        return (*given, *(outage.first for outage in self.outages), *self.anniversaries)

    def _inside(self, day: date) -> bool:
        return 0 <= (day - self.first_day).days < self.days

    def with_(self, **changes: Any) -> Spec:  # noqa: ANN401 - the fields' own types
        """Return the same world but for the fields given.

        Counts of the background are drawn apart from episodes, outages and reports: a world with
        episodes and one without, of one seed, have the same background to the last incident.

        Raises:
            TypeError: There is no such field.
            ValueError: It would be no world.
        """
        return replace(self, **changes)

    @property
    def names(self) -> tuple[str, ...]:
        """The units, in the order of the rows of every array."""
        return self.units or WATCHED


#: The admin1 units that are watched, in the order of their codes.
WATCHED: Final = tuple(unit.code for unit in UNITS.values() if unit.kind == "admin1")


def unit_names(count: int) -> tuple[str, ...]:
    """Return names for so many units: those watched, then replicates for counts only.

    >>> unit_names(1), unit_names(42)[-1]
    (('AF-BAL',), 'AF-BAL.2')
    """
    rounds = range(1, 2 + (count - 1) // len(WATCHED))
    return tuple(n if r == 1 else f"{n}.{r}" for r in rounds for n in WATCHED)[:count]


def _has_new_name(on: date) -> bool:
    return coded((NEW_NAME,), "PAK", on) == (RENAMED,)


def _too_early(on: date | None) -> str:
    return f"rename {on}: nobody called it {NEW_NAME!r} then; see tocsin world actors"
