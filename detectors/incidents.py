"""Events from several reports become incidents: one happening is counted once.

A report joins the incident it most likely tells of, or begins one: the likelihood ratio of what
they have in common (`linkage.py`) is weighed against how many new incidents the place usually has.
Each report may show that earlier ones were put together wrongly; then they move, incidents merge or
part, and a trace of it stays. What was scored before is not rewritten.

Within a step the order of arrival does not matter, because a step hands its events over sorted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from math import log
from typing import Final, NamedTuple

from msgspec import Struct, field
from msgspec.structs import replace

from detectors.coding.sketch import alike, bits
from detectors.linkage import COPY, REACH_DAYS, Profile, Told, may_be, profile, weight
from detectors.pace import Pace
from detectors.records import Casualties, Event, EventType, IncidentRef, Statement, Voice
from detectors.timegrid import day_number, day_of, seconds

#: Days for which an incident is known.
MEMORY_DAYS: Final = 45
#: Days for which its reports can be put together otherwise; then their texts are forgotten.
OPEN_DAYS: Final = 7
#: Reports of one incident that are kept one by one; of more, one for each witness.
MOST_REPORTS: Final = 40
#: An interval longer than this names no day on which to count.
LONGEST_INTERVAL_DAYS: Final = 7
#: Share of first reports among those that speak of something told before.
_FOLLOWS_NOTHING: Final = 0.1
#: How much likelier (log) a report must be of another incident to be moved there.
_MARGIN: Final = 2.0
#: Reports with which one is compared before it may part; what has more is established.
_FEWEST_TO_PART: Final = 2
_MOST_TO_PART: Final = 12
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
        _note(other.parted, self.id)
        _note(self.parted, other.id)

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


class Change(NamedTuple):
    """What a report did: incidents that came into being, and that are none after all."""

    new: tuple[Incident, ...] = ()
    gone: tuple[Incident, ...] = ()


NONE: Final = Change()


def netted(changes: Iterable[Change]) -> Change:
    """Return what several changes, one after the other, come to: what came and went is neither."""
    new: dict[str, Incident] = {}
    gone: dict[str, Incident] = {}
    for change in changes:
        for incident in change.new:
            if gone.pop(incident.id, None) is None:
                new[incident.id] = incident
        for incident in change.gone:
            if new.pop(incident.id, None) is None:
                gone[incident.id] = incident
    return Change(tuple(new.values()), tuple(gone.values()))


class IncidentLog(Struct):
    """The incidents of one unit in the last `MEMORY_DAYS` days."""

    by_day: dict[int, list[Incident]] = {}
    #: Event id -> day. After a crash events come again, in a fast replay those of months.
    seen: dict[str, int] = {}
    pace: Pace = field(default_factory=Pace)

    def take(self, event: Event, at: int) -> Change:
        """Take in an event; return the incidents that it brought or took away.

        An event without a day, of a day longer ago than `MEMORY_DAYS`, or seen before, changes
        nothing. One that says that nothing happened (a denial, a retraction) begins no incident.
        """
        if event.id in self.seen or event.occurred is None:
            return NONE
        day = day_number(event.occurred.start)
        length = (event.occurred.end - event.occurred.start).days
        if length > LONGEST_INTERVAL_DAYS or not 0 <= at // 86_400 - day + 1 <= MEMORY_DAYS:
            return NONE
        self.seen[event.id] = day
        told = told_by(event)
        known = self._likeliest(told)
        if known is not None:
            before = known.profile
            known.reports += 1
            known.revise([*known.told, _as_reprint(told, known)])
            self.pace.go_on()
            if not known.profile.tells_more(before):
                return self._changed([known])
        elif event.auxiliary:
            return NONE
        else:
            known = self._begin(event.unit, told, at, event=event.event)
        touched = [known, *self._part(event.unit, known, at), *self._mend(known, told)]
        return self._changed(touched)

    def forget(self, today: int) -> None:
        """Drop what is older than `MEMORY_DAYS` before day number `today`; settle what is old."""
        oldest, open_from = today - MEMORY_DAYS, today - OPEN_DAYS
        if any(day < oldest for day in self.by_day):
            self.by_day = {day: kept for day, kept in self.by_day.items() if day >= oldest}
        if any(day < oldest for day in self.seen.values()):
            self.seen = {event: day for event, day in self.seen.items() if day >= oldest}
        for day, incidents in self.by_day.items():
            if day < open_from:
                for incident in incidents:
                    _settle(incident)

    def between(self, first: int, last: int) -> list[Incident]:
        """Return the incidents of the day numbers `first` to `last`, both included, by day."""
        days = (self.by_day.get(day, ()) for day in range(first, last + 1))
        return [incident for found in days for incident in found if not incident.withdrawn]

    def _near(self, told: Told) -> Iterator[Incident]:
        """Yield the incidents that a report may be of."""
        first, admin1 = told.first - REACH_DAYS, told.admin1
        for day in range(first - LONGEST_INTERVAL_DAYS, told.last + REACH_DAYS + 1):
            for incident in self.by_day.get(day, ()):
                if incident.last < first:
                    continue
                if admin1 is None or incident.admin1 in (None, admin1):
                    yield incident

    def _likeliest(self, told: Told) -> Incident | None:
        best: Incident | None = None
        best_weight = self._newness(told)
        for incident in self._near(told):
            fit = self._fit(told, incident.profile)
            if fit > best_weight:
                best, best_weight = incident, fit
        return best

    def _newness(self, told: Told) -> float:
        """Return how likely (log) a report begins an incident."""
        expected = self.pace.of_new(told.admin1, told.first)
        return log(expected * (_FOLLOWS_NOTHING if told.follows else 1.0))

    def _fit(self, told: Told, known: Profile) -> float:
        """Return how likely (log) a report is of an incident, on the scale of `_newness`."""
        return log(self.pace.of_further()) + weight(told, known)

    def _begin(
        self, unit: str, told: Told, at: int, *, event: EventType, parted: str = ""
    ) -> Incident:
        """Begin an incident with a report; `parted` is the one that it was in until now."""
        digest = blake2b(f"{unit}|{told.event}{parted}".encode(), digest_size=6).hexdigest()
        incident = Incident(
            id=f"{unit}/{day_of(told.first).isoformat()}/{digest}",
            day=told.first,
            filed=told.first,
            last=told.last,
            admin1=told.admin1,
            first_seen=at,
            place=told.place,
            told=[told],
            event=event,
            themes=told.themes,
            contexts=told.contexts,
        )
        self.by_day.setdefault(told.first, []).append(incident)
        self.pace.begin(told.admin1, told.first)
        return incident

    def _part(self, unit: str, changed: Incident, at: int) -> list[Incident]:
        """Let reports of the changed incident be incidents of their own that fit the rest badly.

        Returns:
            The incidents that came of it.
        """
        own: list[Incident] = []
        if changed.settled or len(changed.told) > _MOST_TO_PART:
            return own
        for told in list(changed.told):
            rest = [each for each in changed.told if each is not told]
            if len(rest) < _FEWEST_TO_PART or told.follows:
                continue
            if self._fit(told, profile(rest)) + _MARGIN < self._newness(told):
                changed.reports -= 1
                changed.revise(rest)
                incident = self._begin(unit, told, at, event=changed.event, parted=changed.id)
                _note(incident.parted, changed.id)
                _note(changed.parted, incident.id)
                own.append(incident)
        return own

    def _mend(self, changed: Incident, told: Told) -> list[Incident]:
        """Move reports of other incidents to the changed one where they now fit it better.

        Returns:
            The other incidents that changed. Those that lost all their reports were the same
            happening, and are gone.
        """
        touched = []
        for other in [] if changed.settled else list(self._near(told)):
            if other is changed or other.settled or not other.reports:  # or gone in the meantime
                continue
            moved = [each for each in other.told if self._moves(each, other, changed)]
            if not moved:
                continue
            touched += [other, changed]
            if len(moved) == len(other.told):
                changed, gone = sorted((changed, other), key=lambda i: (i.first_seen, i.id))
                changed.absorb(gone)
            else:
                changed.part(other, moved)
        return touched

    def _moves(self, told: Told, home: Incident, other: Incident) -> bool:
        """Return whether a report fits another incident much better than what else it is in."""
        if not may_be(told, other.profile):
            return False
        there, alone = self._fit(told, other.profile), self._newness(told)
        if there <= alone + _MARGIN:
            return False
        rest = [each for each in home.told if each is not told]
        return not rest or there > self._fit(told, profile(rest)) + _MARGIN

    def _changed(self, touched: list[Incident]) -> Change:
        """File incidents under their days; return what is new, and what was told but is gone.

        An incident whose day is now known better is gone from the one and new on the other.
        """
        new, gone = [], []
        for incident in {id(each): each for each in touched}.values():
            counts = incident.reports > 0 and not incident.withdrawn
            incident.__dict__.pop("as_evidence", None)  # its traces may have changed
            self._file(incident)
            day = incident.day if counts else None
            if day == incident.counted:
                continue
            if incident.counted is not None:
                gone.append(replace(incident, day=incident.counted))
            if day is not None:
                new.append(incident)
            incident.counted = day
        return Change(tuple(new), tuple(gone))

    def _file(self, incident: Incident) -> None:
        if incident.filed != incident.day or not incident.reports:
            kept = [each for each in self.by_day[incident.filed] if each is not incident]
            self.by_day[incident.filed] = kept
            if incident.reports:
                self.by_day.setdefault(incident.day, []).append(incident)
                incident.filed = incident.day


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


def _as_reprint(told: Told, known: Incident) -> Told:
    """Return a report with the witness whose text it repeats, if it does so.

    The earliest text counts as the original.
    """
    for each in known.told if told.sketch else ():
        if not each.sketch or (each.witness, each.language) == (told.witness, told.language):
            continue
        if each.language == told.language and alike(bits(told.sketch), bits(each.sketch)) >= COPY:
            return replace(told, witness=each.witness)
    return told


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


def _settle(incident: Incident) -> None:
    """Forget the texts of an incident's reports: they stay together now."""
    if not incident.settled:
        incident.settled = True
        incident.revise(replace(told, sketch="") for told in _thinned(incident.told))


def _all(told: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """Return what any of the reports tells, sorted."""
    return tuple(sorted({each for some in told for each in some}))


def _note(trace: list[str], id: str) -> None:
    if id not in trace:
        trace.append(id)
        del trace[:-_TRACES]
