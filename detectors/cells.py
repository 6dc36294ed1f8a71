"""What each source usually brings, by publisher family and language, and what it brought of late.

A cell is what one source carries of one publisher family in one language. Its pace has a half-life
of two weeks, over the source's own round of hours and weekdays: news sleeps at night and on Friday.
A cell is `dark` when it is silent for so long that its history makes that a chance of three in a
thousand, or when its source could not be fetched; `thin` when three days brought far fewer than
usual. An outage never becomes what is usual.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from msgspec import Struct, field

from detectors.distributions import lower_tail
from detectors.records import Coverage, Report, SourceHealth
from detectors.silence import LULL_SIZE, Burstiness, chance
from detectors.timegrid import DAY, instant
from detectors.world.families import FAMILIES, family_of, find

HOUR: Final = 3_600
#: The languages watched; all others are one more.
LANGUAGES: Final = ("ar", "en", "fa", "ps", "ur")
_ALSO: Final = {"prs": "fa", "per": "fa", "fas": "fa", "pus": "ps", "urd": "ur", "eng": "en"}
OTHER: Final = "other"
_FAILED: Final = "not to be had: "

_KEPT: Final = 0.5 ** (1 / (14 * 24))  # per hour
_WINDOW: Final = 72  # hours told of
_LEARNING: Final = 72  # hours
_LEARNING_REPORTS: Final = 5
_DARK: Final = 0.003
_THIN: Final = 0.002
_BLOCK: Final = 6  # hours, in which bursts are measured
_CELLS: Final = 32  # of one source; what is beyond shares a cell
#: Seconds without a record after which a source, or a publisher of one, is no more waited for.
RETIRED: Final = 60 * DAY
_ROUND_KEPT: Final = 0.5 ** (1 / 30)  # per day
_ROUND_PRIOR: Final = 1.0  # reports that the even round is worth, by hour of the day or weekday
_EAST: Final = 4 * HOUR + HOUR // 2  # local days are those of Kabul


@lru_cache(4_096)
def cell_of(source: str, publisher: str | None, language: str | None) -> str:
    """Return the cell of what a source carries: "family|language", either of which may be empty.

    A publisher that no table names shares a cell with all such of its source; a language that is
    not declared is that of the outlet's table.
    """
    family = family_of(publisher or source)
    if language is None:
        outlet = find(publisher or source)
        language = outlet.language if outlet is not None and outlet.kind == "domain" else ""
    tongue = language.partition("-")[0].lower()
    tongue = _ALSO.get(tongue, tongue)
    if tongue and tongue not in LANGUAGES:
        tongue = OTHER
    return f"{family if family in FAMILIES else ''}|{tongue}"


def failed(health: SourceHealth) -> bool:
    """Whether a source could not be fetched: it is dark for sure, not by its silence."""
    return health.reason.startswith(_FAILED)


def cell_of_report(report: Report) -> str:
    """Return the cell of its source that a report belongs to."""
    return cell_of(report.source, report.publisher, report.language)


class Round(Struct):
    """How a source's reports are spread over the hours of the day and the days of the week."""

    hours: list[float] = field(default_factory=lambda: [0.0] * 24)
    days: list[float] = field(default_factory=lambda: [0.0] * 7)
    day: int = 0  # the local day up to which they are discounted

    def factor(self, end: int) -> float:
        """Return how much of the mean pace is usual in the hour that ended at `end`."""
        hour, day = _place(end)
        return _part(self.hours, hour) * _part(self.days, day % 7)

    def take(self, end: int, count: int) -> None:
        """Learn what an hour brought."""
        hour, day = _place(end)
        if day > self.day:
            kept = _ROUND_KEPT ** (day - self.day) if self.day else 1.0
            self.hours = [each * kept for each in self.hours]
            self.days = [each * kept for each in self.days]
            self.day = day
        self.hours[hour] += count
        self.days[day % 7] += count


def _place(end: int) -> tuple[int, int]:
    """Return the hour of the day and the day number, local, of the hour that ended at `end`."""
    within = end - 1 + _EAST
    return within % DAY // HOUR, within // DAY


def _part(counts: list[float], place: int) -> float:
    """Return one of some equally long parts' share of all, 1 when it is the mean one's."""
    total, parts = sum(counts), len(counts)
    seen = counts[place]
    if parts == 24:  # hours are few reports each: their neighbours tell of them too
        seen = 0.5 * seen + 0.25 * (counts[place - 1] + counts[(place + 1) % parts])
    return (seen + _ROUND_PRIOR) / (total / parts + _ROUND_PRIOR)


class Cell(Struct):
    """What one source brought of one family in one language, by hours of stream time."""

    hours: float = 0.0  # discounted number of hours watched
    reports: float = 0.0  # discounted number of reports
    total: int = 0  # reports, undiscounted
    watched: int = 0  # hours watched, undiscounted
    silent: int = 0  # hours since the last report
    quiet: float = 0.0  # reports that were to be expected in them
    lost: bool = False  # whether the silence was dark
    recent: list[int] = []  # reports in each of the last `_WINDOW` hours
    block: tuple[int, int, float] = (0, 0, 0.0)  # hours, reports and expected in the block so far
    bursts: Burstiness = field(default_factory=Burstiness)

    @property
    def learning(self) -> bool:
        """Whether too little is known to hold silence against it."""
        return self.watched < _LEARNING or self.total < _LEARNING_REPORTS

    @property
    def pace(self) -> float:
        """Usual reports in an hour."""
        return self.reports / self.hours if self.hours else 0.0

    def close_hour(self, count: int, expected: float) -> None:
        """Take the count of an hour, of which `expected` was usual."""
        learning, gap = self.learning, self.silent
        self.silent = 0 if count else gap + 1
        self.quiet = 0.0 if count else self.quiet + expected
        if self.lost and count:  # the days in which it was lost tell nothing of those since
            self.recent = []
        self.recent = [*self.recent[-(_WINDOW - 1) :], count]
        self.watched += 1
        self.total += count
        if learning:
            self._learn(1, count)
        elif count:  # silence is learned once it is over, and an outage never becomes usual
            self._learn(1 if self.lost else gap + 1, count)
        if learning or self.lost:
            self.block = (0, 0, 0.0)
        else:
            self._measure(count, expected)

    def _learn(self, hours: int, count: int) -> None:
        kept = _KEPT**hours
        self.hours = self.hours * kept + (1.0 - kept) / (1.0 - _KEPT)
        self.reports = self.reports * kept + count

    def _measure(self, count: int, expected: float) -> None:
        hours, seen, usual = self.block
        hours, seen, usual = hours + 1, seen + count, usual + expected
        if hours == _BLOCK:
            self.bursts.note(seen, usual)
            hours, seen, usual = 0, 0, 0.0
        self.block = (hours, seen, usual)

    def judge(self) -> tuple[Coverage, float, str]:
        """Return its state, the share of the usual that comes, and why."""
        if self.learning:
            return "ok", 1.0, "learning what is usual"
        size, day = self.bursts.size, self.pace * 24
        known = min(LULL_SIZE, self.reports / size + 1.0)
        if self.silent and chance(self.quiet / size, known) < _DARK:
            return "dark", 0.0, f"silent for {self.silent} hours, usually {day:.1f} a day"
        seen, usual = sum(self.recent), self.pace * len(self.recent)
        if seen < usual and lower_tail(int(seen / size), usual / size, known) < _THIN:
            return "thin", seen / usual, f"{seen} reports in three days, usually {usual:.0f}"
        return "ok", 1.0, ""


class SourceMonitor(Struct):
    """What one source has brought, by cells."""

    source: str
    since: int  # the end of the first hour in which it was seen
    heard: int = 0  # the end of the last hour in which there was any record of it
    round: Round = field(default_factory=Round)
    cells: dict[str, Cell] = {}

    def close_hour(
        self, counts: dict[str, int], end: int, error: str | None
    ) -> tuple[SourceHealth, list[SourceHealth]]:
        """Take the counts of an hour that ended at `end`, by cell.

        A report in the hour proves the source alive, whatever a poll in the same hour said.

        Returns:
            The source's health over the last three days, and that of each of its cells, whose
            `seen` and `expected` are those of this hour alone.
        """
        factor = self.round.factor(end)
        merged = self._admit(counts)
        if counts:
            error = None
            self.round.take(end, sum(counts.values()))
        found = [
            self._close(name, merged.get(name, 0), factor, end, error)
            for name in sorted(self.cells)
        ]
        whole = self._whole(found, end, error)
        if whole.state == "dark":  # all that it carries is out with it
            found = [each if each.state == "dark" else _dark(each, whole.reason) for each in found]
        for health, name in zip(found, sorted(self.cells), strict=True):
            self.cells[name].lost = health.state == "dark"
        self._retire()
        return whole, found

    def _admit(self, counts: dict[str, int]) -> dict[str, int]:
        """Return the counts by known cells, new ones among them as long as there is room."""
        merged: dict[str, int] = {}
        if not self.cells and not counts:  # nothing has come yet: one cell stands for the source
            self.cells["|"] = Cell()
        if counts and "|" in self.cells and not self.cells["|"].total:
            del self.cells["|"]
        for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
            known = name
            if known not in self.cells and len(self.cells) >= _CELLS:
                known = "|" + name.partition("|")[2]
            self.cells.setdefault(known, Cell())
            merged[known] = merged.get(known, 0) + count
        return merged

    def _close(
        self, name: str, count: int, factor: float, end: int, error: str | None
    ) -> SourceHealth:
        cell = self.cells[name]
        expected = 0.0 if cell.learning else cell.pace * factor
        cell.close_hour(count, expected)
        state, share, reason = cell.judge()
        if error is not None:
            state, share, reason = "dark", 0.0, f"{_FAILED}{error}"
        family, _, language = name.partition("|")
        return SourceHealth(
            source=self.source,
            at=instant(end),
            state=state,
            share=round(share, 4),
            seen=count,
            expected=round(expected, 4),
            publisher=family or None,
            language=language or None,
            reason=reason,
        )

    def _whole(self, found: list[SourceHealth], end: int, error: str | None) -> SourceHealth:
        """Return the source's health over all of its cells."""
        cells = [self.cells[name] for name in sorted(self.cells)]
        usual = [cell.pace * len(cell.recent) for cell in cells]
        total = sum(usual)
        covered = sum(u * h.share for u, h in zip(usual, found, strict=True))
        share = covered / total if total else 1.0
        state: Coverage = "ok" if all(h.state == "ok" for h in found) else "thin"
        reason = "; ".join(sorted({h.reason for h in found if h.state != "ok"})[:3])
        if state == "ok":
            reason = found[0].reason if len({h.reason for h in found}) == 1 else ""
        if all(h.state == "dark" for h in found) or self._silent(cells):
            state, share = "dark", 0.0
            if error is None and len(cells) > 1:
                silent, day = min(cell.silent for cell in cells), sum(c.pace for c in cells) * 24
                reason = f"silent for {silent} hours, usually {day:.1f} a day"
        return SourceHealth(
            source=self.source,
            at=instant(end),
            state=state,
            share=1.0 if state == "ok" else min(round(share, 4), 0.9999),
            seen=sum(sum(cell.recent) for cell in cells),
            expected=round(total, 4),
            publisher=found[0].publisher if len(found) == 1 else None,
            language=found[0].language if len(found) == 1 else None,
            reason=reason,
        )

    def _silent(self, cells: list[Cell]) -> bool:
        """Whether several cells, none of them dark by itself, are silent together for too long."""
        hours = min(cell.silent for cell in cells)
        if not hours or len(cells) < 2:
            return False
        # What the others brought since one fell silent is no part of a common silence.
        known = [cell for cell in cells if not cell.learning]
        quiet = sum(cell.quiet * hours / cell.silent / cell.bursts.size for cell in known)
        return chance(quiet) < _DARK

    def _retire(self) -> None:
        """Forget cells that have long been silent, while the source went on."""
        if all(cell.silent * HOUR >= RETIRED for cell in self.cells.values()):
            return
        for name in [name for name, cell in self.cells.items() if cell.silent * HOUR >= RETIRED]:
            del self.cells[name]


def _dark(health: SourceHealth, reason: str) -> SourceHealth:
    return SourceHealth(
        health.source, health.at, "dark", 0.0, health.seen, health.expected, health.publisher,
        health.language, reason,
    )  # fmt: skip
