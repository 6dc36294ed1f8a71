"""A simulated world: its counts, its incidents and arrivals, its reports, its truth.

Each is drawn when it is first asked for, and is a function of the `Spec`: the same one gives the
same arrays and the same bytes (numpy keeps its streams within a version, which the lock file
fixes). Counts alone are fast; reports come day by day, so that a long world needs little memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from functools import cached_property
from random import Random
from typing import Final, Literal

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from detectors.records import Report
from detectors.timegrid import DAY, instant, seconds
from streams.simulator import arrivals, counts
from streams.simulator.arrivals import Arrivals, Tellings, reaches_unit, stage
from streams.simulator.counts import COPIES, Counts, Ints, generator
from streams.simulator.happenings import Happening, happening
from streams.simulator.others import others
from streams.simulator.spec import MOST_COPIES, WATCHED, Episode, Outage, Spec
from streams.simulator.telling import Issue, report_id, tell

_COPIED_WITHIN: Final = (0.2, 48.0)  # hours


class About(Struct, frozen=True):
    """What a report is really about. For measuring only: no report carries it."""

    report: str
    incident: int | None  # None for what tells of no incident of the world
    kind: Literal["first", "second", "copy", "news", "anniversary", "old"]


class UnitTruth(Struct, frozen=True):
    """What truly happened in one unit."""

    unit: str
    rate: float  # incidents a day, of the background in the mean
    counts: tuple[int, ...]  # incidents by day of occurring
    reported: tuple[int, ...]  # those of them of which a report was seen in the world


class Truth(Struct, frozen=True):
    """What truly happened in a world, and what was lost."""

    spec: Spec
    first_day: date
    incidents: int
    reported: int
    episodes: tuple[Episode, ...]
    outages: tuple[Outage, ...]
    units: tuple[UnitTruth, ...]


class Copies(Struct, frozen=True):
    """Reprints: which report each copies, which of the mirrors has it, and when it is seen."""

    of: Ints  # place in the flattened tellings
    mirror: Ints
    seen: Ints


class World:
    """One simulated world."""

    def __init__(self, spec: Spec) -> None:
        """Take what the world is asked to be; nothing is drawn yet."""
        self.spec = spec

    @cached_property
    def drawn(self) -> Counts:
        """The counts in all their parts: rates, expected counts, background and episodes."""
        return counts.draw(self.spec)

    @property
    def counts(self) -> Ints:
        """Incidents, units by days of occurring."""
        return self.drawn.total

    @property
    def episodes(self) -> tuple[Episode, ...]:
        """What was injected, by first day."""
        return self.drawn.episodes

    @cached_property
    def _both(self) -> tuple[Arrivals, Tellings]:
        return arrivals.draw(self.spec, self.drawn)

    @property
    def arrivals(self) -> Arrivals:
        """Each incident's unit, day, episode, and when it was first seen."""
        return self._both[0]

    @property
    def tellings(self) -> Tellings:
        """Who tells of each incident and when."""
        return self._both[1]

    def known(self, by: int) -> Ints:
        """Return the counts, units by days, as they are known `by` days after the beginning."""
        return self.arrivals.known(by * DAY, self.counts.shape)

    @property
    def truth(self) -> Truth:
        """What truly happened, in a form that can be written as JSON."""
        reported = self.known(self.spec.days)
        return Truth(
            spec=self.spec,
            first_day=self.spec.first_day,
            incidents=int(self.counts.sum()),
            reported=int(reported.sum()),
            episodes=self.episodes,
            outages=self.spec.outages,
            units=tuple(
                UnitTruth(unit, round(float(rate), 4), tuple(row.tolist()), tuple(seen.tolist()))
                for unit, rate, row, seen in zip(
                    self.spec.names, self.drawn.rates, self.counts, reported, strict=True
                )
            ),
        )

    def reports(self) -> Iterator[Report]:
        """Yield the reports seen within the world's days, in the order of (seen_at, id).

        Raises:
            ValueError: A unit is a replicate, for counts only.
        """
        for report, _ in self.told():
            yield report

    def told(self) -> Iterator[tuple[Report, About]]:
        """Yield the reports as `reports` does, each with what it is really about.

        Raises:
            ValueError: A unit is a replicate, for counts only.
        """
        for day in range(self.spec.days):
            yield from self.told_on(day)

    def told_on(self, day: int) -> list[tuple[Report, About]]:
        """Return the reports seen on one day, from 0, as `told` does.

        Raises:
            ValueError: A unit is a replicate, for counts only.
        """
        strange = sorted(set(self.spec.names) - set(WATCHED))
        if strange:
            raise ValueError(f"{strange[0]} is no watched unit: it has counts and no reports")
        found = [*self._first_hand(day), *self._copied(day)]
        for report, kind in others(self.spec, day):
            found.append((report, About(report.id, None, kind)))
        return sorted(found, key=lambda pair: (pair[0].seen_at, pair[0].id))

    @cached_property
    def _start(self) -> int:
        return seconds(datetime.combine(self.spec.first_day, time(), UTC))

    @cached_property
    def _flat(self) -> tuple[Ints, Ints]:
        """Return the places of the reports that were not lost, by when they were seen; and when."""
        places = np.flatnonzero(~self.tellings.lost)
        seen = self.tellings.seen.ravel()[places]
        order = np.argsort(seen, kind="stable")
        return places[order], seen[order]

    @cached_property
    def copies(self) -> Copies:
        """The reprints, by when they were seen.

        How many a story has falls as one over their number, up to `MOST_COPIES`.
        """
        rng = generator(self.spec, COPIES)
        places = np.flatnonzero(self.tellings.outlet >= 0)  # the lost ones too: see `Spec.with_`
        copied = places[rng.random(len(places)) < self.spec.duplicates]
        times = np.minimum(MOST_COPIES, 1 / (1 - rng.random(len(copied)))).astype(np.int64)
        of = np.repeat(copied, times)
        rank = np.arange(len(of)) - np.repeat(np.cumsum(times) - times, times)
        mirror = rng.integers(MOST_COPIES, size=len(copied)).repeat(times)
        later = (rng.uniform(*_COPIED_WITHIN, len(of)) * 3_600).astype(np.int64)
        seen = self.tellings.seen.ravel()[of] + later
        kept = np.flatnonzero(~self.tellings.lost.ravel()[of])
        kept = kept[np.argsort(seen[kept], kind="stable")]
        return Copies(of[kept], ((mirror + rank) % MOST_COPIES)[kept], seen[kept])

    def _first_hand(self, day: int) -> Iterator[tuple[Report, About]]:
        places, seen = self._flat
        first, last = np.searchsorted(seen, [day * DAY, (day + 1) * DAY])
        for place in places[first:last].tolist():
            incident, slot, report = self._tell(place)
            yield report, About(report.id, incident, "second" if slot else "first")

    def _tell(self, place: int) -> tuple[int, int, Report]:
        """Return the report at a place of the flattened tellings, its incident and its rank."""
        incident, slot = divmod(place, self.tellings.outlet.shape[1])
        issue = Issue(
            outlet=stage()[int(self.tellings.outlet[incident, slot])],
            published=instant(self._start + int(self.tellings.published[incident, slot])),
            seen=instant(self._start + int(self.tellings.seen[incident, slot])),
            key=f"{self.spec.seed}/{incident}/{slot}",
            kind="second" if slot else "first",
        )
        return incident, slot, tell(self.happening(incident), issue)

    def happening(self, incident: int) -> Happening:
        """Return an incident in full."""
        found = self.arrivals
        episode = int(found.episode[incident])
        return happening(
            self.spec,
            incident,
            self.spec.names[int(found.unit[incident])],
            int(found.day[incident]),
            front=episode >= 0 and self.episodes[episode].kind == "new_front",
        )

    def _copied(self, day: int) -> Iterator[tuple[Report, About]]:
        """Yield the reprints of a day, but for those that fall in an outage."""
        copies = self.copies
        first, last = np.searchsorted(copies.seen, [day * DAY, (day + 1) * DAY])
        for number in range(int(first), int(last)):
            place = int(copies.of[number])
            incident, _, original = self._tell(place)
            source = f"mirror-{int(copies.mirror[number]) + 1:02d}"
            report = replace(
                original,
                id=report_id(source, f"{self.spec.seed}/copy/{place}"),
                source=source,
                seen_at=instant(self._start + int(copies.seen[number])),
                publisher=original.publisher if original.record else source,
            )
            unit = self.spec.names[int(self.arrivals.unit[incident])]
            if not self._is_out(report, unit):
                yield report, About(report.id, incident, "copy")

    def _is_out(self, report: Report, unit: str) -> bool:
        """Whether an outage takes a reprint."""
        on = report.seen_at.date()
        luck = Random(report.id).random()  # noqa: S311  not for secrets
        return any(
            outage.first <= on <= outage.last
            and luck < outage.share
            and (reaches_unit(outage, unit) or outage.what in (report.language, report.source))
            for outage in self.spec.outages
        )
