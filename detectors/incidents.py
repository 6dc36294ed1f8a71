"""Events from several reports become incidents: one happening is counted once.

A first, deliberately simple rule: same day give or take one, places that do not contradict each
other, parties that do not exclude each other, and death counts that could be the same. The order
of arrival within a step does not matter, because a step hands its events over sorted.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from msgspec import Struct

from detectors.records import Casualties, Event, IncidentRef, Place
from detectors.timegrid import day_number, day_of

#: Days for which an incident can still be joined or revised by a report.
MEMORY_DAYS: Final = 45
_GRAVE: Final = 8  # killed
_RIVAL: Final = 3  # times as many, at most, one side says as the other
#: An interval longer than this names no day on which to count.
LONGEST_INTERVAL_DAYS: Final = 7


class Incident(Struct):
    """One happening, as far as it is known."""

    id: str
    day: int  # day number: the first day on which it may have occurred
    place: str
    precise: bool  # the place is a town or district, not a whole province or country
    admin1: str | None
    actors: tuple[str, ...]
    killed: Casualties | None
    publishers: list[str]
    events: list[str]
    first_seen: int  # seconds

    def ref(self) -> IncidentRef:
        """Return the incident as evidence."""
        return IncidentRef(
            id=self.id,
            day=day_of(self.day),
            place=self.place,
            killed=self.killed,
            publishers=tuple(sorted(self.publishers)),
            events=tuple(sorted(self.events)),
        )


class IncidentLog(Struct):
    """The incidents of one unit in the last `MEMORY_DAYS` days, and the events they came from."""

    by_day: dict[int, list[Incident]] = {}
    seen: dict[str, int] = {}  # event id -> day, so that an event counts once

    def take(self, event: Event, at: int) -> Incident | None:
        """Take in a violent event; return the incident if it is a new one.

        An event without a day, of a day longer ago than `MEMORY_DAYS`, or seen before, adds
        nothing; one that matches a known incident revises it.
        """
        if event.id in self.seen or event.occurred is None:
            return None
        day = day_number(event.occurred.start)
        length = (event.occurred.end - event.occurred.start).days
        if length > LONGEST_INTERVAL_DAYS or not 0 <= at // 86_400 - day + 1 <= MEMORY_DAYS:
            return None
        self.seen[event.id] = day
        known = self._match(event, day)
        if known is not None:
            _join(known, event)
            return None
        incident = _new(event, day, at)
        self.by_day.setdefault(day, []).append(incident)
        return incident

    def _match(self, event: Event, day: int) -> Incident | None:
        best: Incident | None = None
        best_fit = 0
        place = event.place
        if place is None:
            return None
        precise, actors, sound = _is_precise(place), set(event.actors), sound_of(place.name)
        for near in (day, day - 1, day + 1):
            for incident in self.by_day.get(near, ()):
                if precise and incident.precise and sound_of(incident.place) != sound:
                    continue
                if incident.admin1 != place.admin1 and incident.admin1 and place.admin1:
                    continue
                if actors and incident.actors and actors.isdisjoint(incident.actors):
                    continue
                same_place = precise and incident.precise
                fit = _fit(incident, event, same_place=same_place, same_day=near == day)
                if fit > best_fit:
                    best, best_fit = incident, fit
        return best

    def forget(self, today: int) -> None:
        """Drop what is older than `MEMORY_DAYS` before day number `today`."""
        oldest = today - MEMORY_DAYS
        if any(day < oldest for day in self.by_day):
            self.by_day = {day: kept for day, kept in self.by_day.items() if day >= oldest}
            self.seen = {event: day for event, day in self.seen.items() if day >= oldest}

    def between(self, first: int, last: int) -> list[Incident]:
        """Return the incidents of the day numbers `first` to `last`, both included, by day."""
        return [i for day in range(first, last + 1) for i in self.by_day.get(day, ())]


def _new(event: Event, day: int, at: int) -> Incident:
    place = event.place
    precise = place is not None and _is_precise(place)
    digest = blake2b(f"{event.unit}|{event.id}".encode(), digest_size=6).hexdigest()
    return Incident(
        id=f"{event.unit}/{day_of(day).isoformat()}/{digest}",
        day=day,
        place=place.name if place else "",
        precise=precise,
        admin1=place.admin1 if place else None,
        actors=event.actors,
        killed=event.killed,
        publishers=[event.publisher],
        events=[event.id],
        first_seen=at,
    )


def _join(incident: Incident, event: Event) -> None:
    """Revise an incident by a later report: its count replaces the earlier one."""
    incident.events.append(event.id)
    if event.publisher not in incident.publishers:
        incident.publishers.append(event.publisher)
    if event.killed is not None:
        incident.killed = event.killed
    if event.place is not None and not incident.precise:
        incident.precise = _is_precise(event.place)
        if incident.precise:
            incident.place = event.place.name
    if not incident.actors:
        incident.actors = event.actors


@lru_cache(maxsize=16_384)
def sound_of(name: str) -> str:
    """Return what the spellings of one name have in common: its consonants, in one writing.

    Afghan names reach English by many roads. Within a province the consonants tell places apart.

    >>> sound_of("Zharai") == sound_of("Zhari"), sound_of("Pol-e Khomri") == sound_of("Puli Khumri")
    (True, True)
    >>> sound_of("Argo") == sound_of("Ragh"), sound_of("Chora") == sound_of("Chorah")
    (False, True)
    >>> sound_of("Karachi East") == sound_of("Karachi South")
    False
    """
    letters = unicodedata.normalize("NFKD", name.lower())
    letters = re.sub(r"[^a-z0-9]", "", re.sub(r"(?<=[aeiou])h\b", "", letters))
    for written, spoken in (("kh", "x"), ("gh", "g"), ("zh", "z"), ("q", "k"), ("w", "v")):
        letters = letters.replace(written, spoken)
    begins = "a" if letters[:1] in set("aeiouy") else ""
    return begins + re.sub(r"(.)\1+", r"\1", re.sub(r"[aeiouy]", "", letters))


def _is_precise(place: Place) -> bool:
    return place.precision in ("town", "district")


def _fit(incident: Incident, event: Event, *, same_place: bool, same_day: bool) -> int:
    """Return how well an event fits an incident that it does not contradict: 0 for not at all."""
    fit = (2 if same_place else 0) + (1 if same_day else 0) + _agreement(incident.killed, event)
    return fit if fit >= (2 if same_place else 3) else 0


def _agreement(known: Casualties | None, event: Event) -> int:
    """Return how well a report's number of killed agrees with the one known.

    A grave incident is rare: two on one day that may be in one place, of numbers no more unlike
    than rival tolls are, are one told twice. So are two with no number.
    """
    said = event.killed
    if known is None and said is None:
        return 2
    if known is None or said is None:
        return 0
    if known.best == said.best or (event.risen and known.best < said.best):
        return 2
    fewer, more = sorted((known.best, said.best))
    if fewer >= _GRAVE and more <= _RIVAL * fewer:
        return 2
    if said.low <= known.high and known.low <= said.high:
        return 1
    return 1 if abs(known.best - said.best) * 2 <= max(known.best, said.best) else -2
