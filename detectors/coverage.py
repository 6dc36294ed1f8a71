"""How much of what is usually seen can be seen now: `ok`, `thin`, `dark`, for every unit.

Each partition of the reports tells the health of its cells (`cells.py`: a source, a publisher
family, a language), by hours. Here all of them are known, so that here they are judged together:
all, those of one language, of one country, of one family and of one source (`silence.py`). Cells
are judged by all that they bring, never by the violent part of it: a lull in violence is no
silence. A unit is covered by the cells that report on it, each weighted by its share of the
unit's events. Where the outlets of a country are out, so is what the rest of the world can know
of it: its units are covered no better than they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import log
from typing import Final

from msgspec import Struct, field

from detectors.cells import cell_of, failed
from detectors.records import Coverage, Event, SourceHealth
from detectors.silence import LULL_SIZE, Burstiness, Found, chance, outage, surplus, together
from detectors.timegrid import DAY, instant, seconds
from detectors.world.families import FAMILIES

#: A unit is covered `ok` from this weighted share of its cells upwards, `dark` below the other.
UNIT_OK: Final = 0.75
UNIT_DARK: Final = 0.4
_PRIOR_EVENTS: Final = 5.0
HOUR: Final = 3_600
_UNIT_DISCOUNT: Final = 0.99  # per event of the unit
_FORGOTTEN: Final = 0.02  # events

_KEPT: Final = 24  # steps
_PACE: Final = 72  # steps that a cell's weight is the mean of
_WINDOWS: Final = (3, 6, 12, 24)  # steps
_BLOCK: Final = 6  # steps
#: By how many nats an outage must explain more than a lull to be believed: at once, or for two
#: steps; and to go on so.
_AT_ONCE: Final = 9.0
_BELIEVED: Final = 5.0
_STILL: Final = 2.0
_ANEW: Final = 0.02  # the share that joins an outage later on
_ROUND_KEPT: Final = 0.5 ** (1 / 30)  # per day
_ROUND_PRIOR: Final = 10.0  # reports
_HOME_FAMILIES: Final = 2  # a country with fewer is not judged by its outlets
_RETURN: Final = 6  # steps within which who was lost together is heard together again
_NAMED: Final = 3  # sources named in a reason
_STALE: Final = 24  # steps after which a cell of which nothing is told is forgotten

LANGUAGE_NAMES: Final = {
    "ar": "Arabic", "en": "English", "fa": "Dari and Persian", "ps": "Pashto", "ur": "Urdu",
}  # fmt: skip
_COUNTRY_NAMES: Final = {"AFG": "Afghanistan", "PAK": "Pakistan"}


class CellHealth(Struct):
    """What is known of one cell, by steps."""

    source: str
    publisher: str
    language: str
    at: int = 0  # the end of the last step told
    state: Coverage = "ok"  # alone
    share: float = 1.0
    seen: list[int] = []  # reports in each of the last steps
    expected: list[float] = []  # usual reports in each of them
    bursts: Burstiness = field(default_factory=Burstiness)
    steps: int = 0  # told so far
    pace: float = 0.0  # usual reports in a step
    failed: bool = False  # whether its source could not be fetched
    out: float = 0.0  # how likely it is out, by its groups
    returned: int = 0  # when it was last heard after it had been lost
    excused: int = 0  # when its silence was last forgiven, since its group is back

    @property
    def covered(self) -> float:
        """The share of what is usual of it that can be had."""
        forgiven = self.excused and not self.failed and self.at < self.excused + _KEPT * HOUR
        return 1.0 - self.out if forgiven else min(self.share, 1.0 - self.out)

    @property
    def daily(self) -> float:
        """Usual reports in a day; a little where nothing is known yet."""
        return max(0.5, 24.0 * self.pace)

    def take(self, health: SourceHealth) -> None:
        """Take in what is told of a step."""
        at = seconds(health.at)
        if at <= self.at:
            return
        if health.seen:
            if self.covered < 0.5:
                self.returned = at
            self.out, self.excused = 0.0, 0
        self.at, self.state, self.share = at, health.state, health.share
        self.failed = failed(health)
        self.steps += 1
        self.pace += (health.expected - self.pace) / min(self.steps, _PACE)
        self.seen = [*self.seen[-(_KEPT - 1) :], health.seen]
        self.expected = [*self.expected[-(_KEPT - 1) :], health.expected]
        block = at // HOUR % _BLOCK == 0 and self.state == "ok" and self.out < 0.5
        if block and any(self.expected[-_BLOCK:]):
            self.bursts.note(sum(self.seen[-_BLOCK:]), sum(self.expected[-_BLOCK:]))


class Sources(Struct):
    """The health of all cells of all partitions, judged together."""

    cells: dict[str, CellHealth] = {}  # "source|family|language", sorted
    out: dict[str, int] = {}  # group -> since when it is out, seconds
    suspect: list[str] = []  # groups that may be out, if they are so again
    round: list[tuple[float, float]] = field(default_factory=lambda: [(0.0, 0.0)] * 24)
    missing: str = ""  # what is out now, in words
    share: float = 1.0  # of all that is usually reported, that can be had
    homes: dict[str, float] = {}  # the same of a country's own outlets, where it has some

    def know(self, told: Iterable[SourceHealth], end: int) -> None:
        """Take in what is told of the steps up to `end`, then judge all together.

        The order in which it is told, and by how many partitions, changes nothing.
        """
        grown = False
        for health in sorted(told, key=lambda h: (h.at, _key(h))):
            name = _key(health)
            if name not in self.cells:
                self.cells[name] = CellHealth(
                    health.source, health.publisher or "", health.language or ""
                )
                grown = True
            self.cells[name].take(health)
        if grown:
            self.cells = dict(sorted(self.cells.items()))
        self._forget()
        self._go_round(end)
        self._welcome(end)
        self._judge(end)

    @property
    def ailing(self) -> bool:
        """Whether anything is not as usual."""
        return self.share < 1.0

    def covered(self, name: str) -> float:
        """Return the share that can be had of a cell, or of what is nearest to it."""
        if name in self.cells:
            return self.cells[name].covered
        source, _, language = name.split("|")
        of_source = [cell for cell in self.cells.values() if cell.source == source]
        alike = [cell for cell in of_source if cell.language == language]
        return _mean(alike or of_source)

    def _forget(self) -> None:
        """Forget cells of which nothing is told any more: their source does not go on with them."""
        newest = max((cell.at for cell in self.cells.values()), default=0)
        for name in [n for n, c in self.cells.items() if c.at < newest - _STALE * HOUR]:
            del self.cells[name]

    def _go_round(self, end: int) -> None:
        """Mend what was expected in the step by what its hour of the day usually brings of that.

        Each source knows its own hours, but from few reports: at night they are too many together.
        """
        hour = end % DAY // HOUR
        seen, expected = self.round[hour]
        factor = (seen + _ROUND_PRIOR) / (expected + _ROUND_PRIOR)
        told = [cell for cell in self.cells.values() if cell.at == end and cell.expected[-1]]
        if not self.out:
            self.round[hour] = (
                seen * _ROUND_KEPT + sum(cell.seen[-1] for cell in told),
                expected * _ROUND_KEPT + sum(cell.expected[-1] for cell in told),
            )
        for cell in told:
            cell.expected[-1] = round(cell.expected[-1] * factor, 4)

    def _welcome(self, end: int) -> None:
        """Forgive the silence of those whose group is back: they are heard when they have news.

        Some are heard again; that the rest are still out must explain their silence since then
        better than that all are back. Silence from now on counts anew.
        """
        groups = self._groups()
        for group in self.out:
            cells = [self.cells[name] for name in groups.get(group, ())]
            back = [c for c in cells if c.returned > end - _RETURN * HOUR]
            lost = [c for c in cells if c.covered < 1.0 and not c.failed and not c.seen[-1]]
            if len(back) < 2 or not lost:
                continue
            window = (end - min(c.returned for c in back)) // HOUR + 1
            silent = [_bursts(c, window) for c in lost]
            if together(silent, [_heard(c, window) for c in back]).gain <= 0.0:
                for cell in lost:
                    before = max(0, len(cell.expected) - window)
                    cell.expected[:before] = [0.0] * before
                    cell.out, cell.excused = 0.0, end

    def _judge(self, end: int) -> None:
        """Find which groups are out, and what of each cell may be out with them."""
        found: dict[str, tuple[int, Found]] = {}
        members = self._groups()
        for group, names in members.items():
            # An outage that is known already is looked at from its start.
            lasting = min((end - self.out.get(group, end)) // HOUR, _KEPT)
            for window in sorted({*_WINDOWS, lasting} - {0}):
                best = self._look(group, names, window)
                if best is not None and (group not in found or best.gain > found[group][1].gain):
                    found[group] = window, best
        suspect = sorted(found)
        known = {*self.out, *self.suspect}
        found = {g: f for g, f in found.items() if g in known or f[1].gain >= _AT_ONCE}
        self.suspect = suspect
        for cell in self.cells.values():
            cell.out = 0.0
        for group, (window, best) in found.items():
            for name in members[group]:
                cell = self.cells[name]
                if not any(cell.seen[-window:]):
                    # Who was heard since the outage began is no part of it: it would be a new one.
                    since = (end - self.out.get(group, end)) // HOUR
                    share = _ANEW if _trailing(cell.seen) < min(since, _KEPT) else best.share
                    likely = outage(share, _bursts(cell, window))
                    # In twentieths, so that what does not change is not told anew.
                    cell.out = max(cell.out, round(likely * 20) / 20)
        self.out = {
            group: self.out.get(group, end - HOUR * self._silence(members[group]))
            for group in sorted(found)
        }
        self._sum_up()

    def _sum_up(self) -> None:
        """Keep what every unit asks for."""
        self.share = _mean(self.cells.values())
        self.missing = "; ".join(self._told()) if self.ailing else ""
        outlets: dict[str, list[CellHealth]] = {}
        for cell in self.cells.values():
            if country := _country(cell.publisher):
                outlets.setdefault(country, []).append(cell)
        self.homes = {
            country: _mean(cells)
            for country, cells in sorted(outlets.items())
            if len({cell.publisher for cell in cells}) >= _HOME_FAMILIES
        }

    def _look(self, group: str, names: list[str], window: int) -> Found | None:
        """Return what is out of a group, if it is believed."""
        cells = [self.cells[name] for name in names]
        silent = [_bursts(cell, window) for cell in cells if not any(cell.seen[-window:])]
        if not silent:
            return None
        least = _STILL if group in self.out else _BELIEVED
        heard = [_heard(cell, window) for cell in cells if any(cell.seen[-window:])]
        if surplus(silent, heard) < 0.5 * least:
            return None
        found = together(silent, heard)
        return found if found.gain >= least else None

    def _groups(self) -> dict[str, list[str]]:
        """Return the cells of each group that has several, and whose silence tells something."""
        groups: dict[str, list[str]] = {}
        for name, cell in self.cells.items():
            country = _country(cell.publisher)
            for group in (
                "all",
                f"language {cell.language}" if cell.language else "",
                f"country {country}" if country else "",
                f"family {cell.publisher}" if cell.publisher else "",
                f"source {cell.source}",
            ):
                if group and any(cell.expected):
                    groups.setdefault(group, []).append(name)
        return {group: names for group, names in groups.items() if len(names) > 1}

    def _silence(self, names: list[str]) -> int:
        """Return for how many steps those of a group that may be out have all been silent."""
        quiet = [_trailing(self.cells[n].seen) for n in names if self.cells[n].out >= 0.5]
        return min(quiet, default=0)

    def _told(self) -> Iterator[str]:
        """Yield in words what is out: whole groups first, then sources that are in none."""
        groups = self._groups()
        said: set[str] = set()
        for kind in ("all", "country", "language", "family"):
            for group in (g for g in self.out if g.partition(" ")[0] == kind):
                names = groups[group]
                if set(names) <= said or _mean(self.cells[n] for n in names) >= UNIT_DARK:
                    continue
                said.update(names)
                since = instant(self.out[group]).strftime("%Y-%m-%d %H:%M UTC")
                yield f"{_words(group)} silent since {since}"
        lost = {c.source for n, c in self.cells.items() if n not in said and c.covered < 0.5}
        named = ", ".join(sorted(lost)[:_NAMED])
        more = f" and {len(lost) - _NAMED} more" if len(lost) > _NAMED else ""
        if lost:
            yield f"{named}{more} silent or not to be had"
        thin = {c.source for c in self.cells.values() if 0.5 <= c.covered < 1.0} - lost
        if thin and not said and not lost:
            yield f"{', '.join(sorted(thin)[:_NAMED])} with fewer reports than usual"


def _key(health: SourceHealth) -> str:
    return f"{health.source}|{health.publisher or ''}|{health.language or ''}"


def _country(family: str) -> str:
    return FAMILIES[family].country if family in FAMILIES else ""


def _words(group: str) -> str:
    kind, _, name = group.partition(" ")
    if kind == "language":
        return f"{LANGUAGE_NAMES.get(name, 'other-language')} outlets"
    if kind == "country":
        return f"outlets of {_COUNTRY_NAMES.get(name, name)}"
    return "all outlets" if kind == "all" else name


def _bursts(cell: CellHealth, window: int) -> float:
    """Return how many nats a cell's silence in the last steps is worth.

    That is its usual bursts, less what its pace may vary and how well it is known.
    """
    size = cell.bursts.size
    known = 1.0 / (1.0 / LULL_SIZE + size / cell.bursts.expected)
    return -log(chance(sum(cell.expected[-window:]) / size, known))


def _heard(cell: CellHealth, window: int) -> tuple[float, float]:
    """Return the bursts that a cell brought in the last steps, and those that were usual."""
    size = cell.bursts.size
    return sum(cell.seen[-window:]) / size, sum(cell.expected[-window:]) / size


def _trailing(seen: list[int]) -> int:
    silent = 0
    for count in reversed(seen):
        if count:
            break
        silent += 1
    return silent


def _mean(cells: Iterable[CellHealth]) -> float:
    """Return the share of some cells' usual reports that can be had; 1 where there are none."""
    usual = covered = 0.0
    for cell in cells:
        usual += cell.daily
        covered += cell.daily * cell.covered
    return covered / usual if usual else 1.0


class Judged(Struct, frozen=True):
    """A unit's coverage: its state, the share of its usual reporting, and what is missing."""

    state: Coverage = "ok"
    share: float = 1.0
    missing: str = ""


AS_USUAL: Final = Judged()


class UnitCoverage(Struct):
    """Which cells report on a unit: the discounted number of its events by cell."""

    events: dict[str, float] = {}

    def take(self, event: Event) -> None:
        """Count an event of the unit for the cell that brought it."""
        name = f"{event.source}|{cell_of(event.source, event.publisher, event.language)}"
        kept = {k: v * _UNIT_DISCOUNT for k, v in self.events.items()}
        self.events = {k: v for k, v in kept.items() if v >= _FORGOTTEN}
        self.events[name] = self.events.get(name, 0.0) + 1.0

    def judge(self, sources: Sources, countries: Iterable[str]) -> Judged:
        """Return the unit's state and the share of its usual reporting that can be had now.

        A unit with few events of its own leans on how much each cell brings altogether.

        Args:
            sources: The health of all cells.
            countries: Those of the unit: without the outlets of any, nothing else is reliable.
        """
        if not sources.ailing:
            return AS_USUAL
        own = sum(self.events.values())
        shares = {name: sources.covered(name) for name in sorted(self.events)}
        covered = sum(self.events[name] * share for name, share in shares.items())
        share = (covered + _PRIOR_EVENTS * sources.share) / (own + _PRIOR_EVENTS)
        homes = [sources.homes.get(country, 1.0) for country in countries]
        if homes and max(homes) < UNIT_DARK:
            share = min(share, *homes)
        share = round(min(1.0, max(0.0, share)), 2)
        state: Coverage = "ok" if share >= UNIT_OK else "thin" if share >= UNIT_DARK else "dark"
        if state == "ok":
            return Judged(state, share)
        return Judged(state, share, "; ".join(filter(None, (sources.missing, _lost(shares)))))


def _lost(shares: dict[str, float]) -> str:
    """Return in words how many of a unit's own sources are lost."""
    best: dict[str, float] = {}
    for name, share in shares.items():
        source = name.partition("|")[0]
        best[source] = max(share, best.get(source, 0.0))
    lost = sum(share < 0.5 for share in best.values())
    return f"{lost} of {len(best)} sources that tell of it" if best else ""
