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

from detectors.incidents import MEMORY_DAYS, OPEN_DAYS, Incident, told_by
from detectors.linkage import REACH_DAYS, Profile, Told, may_be, profile, weight
from detectors.pace import Pace
from detectors.records import Event, EventType
from detectors.timegrid import day_number, day_of

#: An interval longer than this names no day on which to count.
LONGEST_INTERVAL_DAYS: Final = 7
#: Share of first reports among those that speak of something told before.
_FOLLOWS_NOTHING: Final = 0.1
#: How much likelier (log) a report must be of another incident to be moved there.
_MARGIN: Final = 2.0
#: Reports with which one is compared before it may part; what has more is established.
_FEWEST_TO_PART: Final = 2
_MOST_TO_PART: Final = 12


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
            known.revise([*known.told, known.as_reprint(told)])
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
                    incident.settle()

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
            fit = self._fit(told, incident.profile, best_weight)
            if fit > best_weight:
                best, best_weight = incident, fit
        return best

    def _newness(self, told: Told) -> float:
        """Return how likely (log) a report begins an incident."""
        expected = self.pace.of_new(told.admin1, told.first)
        return log(expected * (_FOLLOWS_NOTHING if told.follows else 1.0))

    def _fit(self, told: Told, known: Profile, least: float) -> float:
        """Return how likely (log) a report is of an incident, on the scale of `_newness`.

        What is less than `least` is not told exactly.
        """
        further = log(self.pace.of_further())
        return further + weight(told, known, least - further)

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
            alone = self._newness(told) - _MARGIN
            if self._fit(told, profile(rest), alone) < alone:
                changed.reports -= 1
                changed.revise(rest)
                incident = self._begin(unit, told, at, event=changed.event, parted=changed.id)
                incident.note_parting(changed)
                own.append(incident)
        return own

    def _mend(self, changed: Incident, told: Told) -> list[Incident]:
        """Move reports of other incidents to the changed one where they now fit it better.

        Returns:
            The other incidents that changed. Those that lost all their reports were the same
            happening, and are gone.
        """
        touched = []
        alone: dict[tuple[str | None, int, bool], float] = {}
        for other in [] if changed.settled else list(self._near(told)):
            if other is changed or other.settled or not other.reports:  # or gone in the meantime
                continue
            moved = [each for each in other.told if self._moves(each, other, changed, alone)]
            if not moved:
                continue
            touched += [other, changed]
            if len(moved) == len(other.told):
                changed, gone = sorted((changed, other), key=lambda i: (i.first_seen, i.id))
                changed.absorb(gone)
            else:
                changed.part(other, moved)
        return touched

    def _moves(
        self,
        told: Told,
        home: Incident,
        other: Incident,
        alone: dict[tuple[str | None, int, bool], float],
    ) -> bool:
        """Return whether a report fits another incident much better than what else it is in.

        Args:
            told: The report.
            home: The incident that it is in.
            other: The other incident.
            alone: What is known already of how likely reports begin incidents.
        """
        if not may_be(told, other.profile):
            return False
        key = (told.admin1, told.first, told.follows)
        if key not in alone:
            alone[key] = self._newness(told)
        least = alone[key] + _MARGIN
        there = self._fit(told, other.profile, least)
        if there <= least:
            return False
        rest = [each for each in home.told if each is not told]
        return not rest or there - _MARGIN > self._fit(told, profile(rest), there - _MARGIN)

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
