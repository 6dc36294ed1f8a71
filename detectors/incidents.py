"""An incident: one happening, as far as its reports tell of it.

Which reports belong together is found in `incident_log.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from detectors.coding.sketch import alike, bits
from detectors.linkage import COPY, Profile, Told, profile
from detectors.records import Casualties, Event, EventType, IncidentRef, Statement, Voice
from detectors.timegrid import day_number, day_of, seconds

#: Days for which an incident is known.
MEMORY_DAYS: Final = 45
#: Days for which its reports can be put together otherwise; then their texts are forgotten.
OPEN_DAYS: Final = 7
#: Reports of one incident that are kept one by one; of more, one for each witness.
MOST_REPORTS: Final = 40
_TRACES: Final = 12


class Incident(Struct, dict=True):
    """One happening, as far as it is known. Its reports are in the order in which they came."""

    id: str
    day: int  # day number: the first day on which it may have occurred
    filed: int  # the day under which the log has it
    first_seen: int  # seconds
    last: int  # day number: the last day on which it may have occurred
    admin1: str | None
    place: str
    told: list[Told]
    reports: int = 1
    absorbed: list[str] = []  # incidents that turned out to be this one
    parted: list[str] = []  # incidents that gave reports to it, or took them from it
    settled: bool = False
    withdrawn: bool = False  # all who reported it have taken it back
    counted: int | None = None  # the day for which it has been told as new
    event: EventType = "ASSAULT"
    themes: tuple[str, ...] = ()  # sorted
    contexts: tuple[str, ...] = ()  # sorted

    @property
    def profile(self) -> Profile:
        """What its reports have told together."""
        known: Profile | None = self.__dict__.get("profile")
        if known is None:
            known = self.__dict__["profile"] = profile(self.told)
        return known

    def revise(self, told: Iterable[Told]) -> None:
        """Take these as its reports."""
        self.told = sorted(told, key=lambda each: (each.seen, each.event))
        if len(self.told) > MOST_REPORTS:
            self.told = _thinned(self.told)
        self.__dict__.clear()  # what was made of its reports before
        known = self.__dict__["profile"] = profile(self.told)
        self.day, self.last, self.admin1 = known.first, known.last, known.admin1
        self.withdrawn = _withdrawn(self.told)
        self.themes = _all(told.themes for told in self.told)
        self.contexts = _all(told.contexts for told in self.told)
        self.place = next((each.place for each in self.told if each.precise), self.told[0].place)

    def absorb(self, other: Incident) -> None:
        """Take all reports of an incident that turned out to be this one."""
        self.reports += other.reports
        for id in (other.id, *other.absorbed):
            _note(self.absorbed, id)
        self.revise([*self.told, *other.told])
        other.reports = 0

    def part(self, other: Incident, moved: list[Told]) -> None:
        """Take some of the reports of another incident."""
        ids = {each.event for each in moved}
        self.reports += len(moved)
        other.reports -= len(moved)
        other.revise(each for each in other.told if each.event not in ids)
        self.revise([*self.told, *moved])
        self.note_parting(other)

    def note_parting(self, other: Incident) -> None:
        """Note on both sides that reports went from one to the other."""
        _note(other.parted, self.id)
        _note(self.parted, other.id)

    def settle(self) -> None:
        """Forget the texts of the reports: they stay together now."""
        if not self.settled:
            self.settled = True
            self.revise(replace(told, sketch="") for told in _thinned(self.told))

    def as_reprint(self, told: Told) -> Told:
        """Return a report with the witness whose text it repeats, if it does so.

        The earliest text counts as the original.
        """
        for each in self.told if told.sketch else ():
            if not each.sketch or (each.witness, each.language) == (told.witness, told.language):
                continue
            alike_enough = alike(bits(told.sketch), bits(each.sketch)) >= COPY
            if each.language == told.language and alike_enough:
                return replace(told, witness=each.witness)
        return told

    @property
    def publishers(self) -> tuple[str, ...]:
        """Return its independent witnesses, sorted: a family counts once, a reprint not at all."""
        return tuple(sorted({told.witness for told in self.told}))

    @property
    def actors(self) -> tuple[str, ...]:
        """Return the organisations that are named in it, sorted."""
        return _all(told.actors for told in self.told)

    @property
    def modes(self) -> frozenset[str]:
        """Return the PLOVER modes that are told of it."""
        return self.profile.modes

    @property
    def voices(self) -> tuple[Voice, ...]:
        """Return the sides that are cited for it, sorted."""
        return tuple(sorted({voice for told in self.told for voice in told.voices}))

    @property
    def statements(self) -> tuple[Statement, ...]:
        """Return what was said of it besides plain reports, sorted."""
        return tuple(sorted({told.statement for told in self.told if told.statement}))

    @property
    def killed(self) -> Casualties | None:
        """Return the number of killed that its witnesses come to (`toll`)."""
        if "killed" not in self.__dict__:
            self.__dict__["killed"] = toll(self.told)
        known: Casualties | None = self.__dict__["killed"]
        return known

    def ref(self) -> IncidentRef:
        """Return the incident as evidence."""
        known: IncidentRef | None = self.__dict__.get("as_evidence")
        if known is None:
            known = self.__dict__["as_evidence"] = self._ref()
        return known

    def _ref(self) -> IncidentRef:
        return IncidentRef(
            id=self.id,
            day=day_of(self.day),
            place=self.place,
            killed=self.killed,
            publishers=self.publishers,
            events=tuple(sorted(told.event for told in self.told)),
            reports=self.reports,
            voices=self.voices,
            statements=self.statements,
            absorbed=tuple(self.absorbed),
            parted=tuple(self.parted),
            event=self.event,
            themes=self.themes,
        )


def told_by(event: Event) -> Told:
    """Return what is kept of an event. It has a day."""
    if event.occurred is None:
        raise ValueError(f"{event.id} has no day")
    place = event.place
    return Told(
        event=event.id,
        seen=seconds(event.seen_at),
        first=day_number(event.occurred.start),
        last=day_number(event.occurred.end),
        source=event.source,
        witness=event.wire or event.publisher,
        admin1=place.admin1 if place else None,
        place=place.name if place else "",
        precise=place is not None and place.precision in ("town", "district"),
        actors=event.actors,
        mode=event.mode,
        killed=event.killed,
        victims=event.victims,
        also=event.killed_also,
        risen=event.risen,
        statement=event.statement,
        voices=event.voices,
        language=event.language,
        sketch=event.sketch,
        themes=event.themes,
        contexts=event.contexts,
    )


def toll(reports: Iterable[Told]) -> Casualties | None:
    """Return what the witnesses of one incident come to: the last number of each counts.

    A toll said to have risen puts the lower ones before it out of date. The best number is the
    median of the witnesses'; of two in the middle, the one told last. The range holds all.
    """
    last: dict[str, Told] = {}
    for told in reports:
        killed = told.killed
        if killed is None:
            continue
        if told.risen:
            last = {w: t for w, t in last.items() if t.killed and t.killed.best >= killed.best}
        last[told.witness] = told
    counts = sorted((t.killed.best, t.seen, t.killed) for t in last.values() if t.killed)
    if not counts:
        return None
    middle = counts[(len(counts) - 1) // 2 : len(counts) // 2 + 1]
    best = max(middle, key=lambda count: count[1])[0]
    return Casualties(min(k.low for _, _, k in counts), best, max(k.high for _, _, k in counts))


def _withdrawn(reports: list[Told]) -> bool:
    """Return whether every witness has taken back what it told."""
    if all(told.statement != "retraction" for told in reports):
        return False
    last = {told.witness: told for told in reports}
    return all(told.statement == "retraction" for told in last.values())


def _thinned(reports: list[Told]) -> list[Told]:
    """Return the first report of an incident and the last of each witness, as many as are kept."""
    kept = {reports[0].event} | {told.event for told in {t.witness: t for t in reports}.values()}
    return [told for told in reports if told.event in kept][:MOST_REPORTS]


def _all(told: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """Return what any of the reports tells, sorted."""
    return tuple(sorted({each for some in told for each in some}))


def _note(trace: list[str], id: str) -> None:
    if id not in trace:
        trace.append(id)
        del trace[:-_TRACES]
