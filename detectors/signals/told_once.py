"""Acts that are told for days, and by many: each counts once.

Violence has a place and a toll by which its reports are put together (`incident_log.py`). A
statement or a listing often has neither, so that an outlet's own words, or a second day of news,
may make an incident of their own. Of these, what repeats the same subjects within some days is no
new act. It also hides what truly was done twice within these days; that is the lesser fault: a
count that grows with the number of outlets would measure these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import Struct

from detectors.incidents import Incident
from detectors.series import Series
from detectors.signals.base import Observation


class Act(Struct, frozen=True):
    """What is told first of some subjects."""

    incident: Incident
    subjects: tuple[str, ...]  # sorted; those that had not been told of

    @property
    def day(self) -> int:
        """The day number on which it was."""
        return self.incident.day


def told_once(
    incidents: Iterable[Incident], subjects: Callable[[Incident], frozenset[str]], reach: int
) -> list[Act]:
    """Return the incidents that tell of a subject what was not told in the days before, by day.

    Of one day the incident with the most subjects comes first.

    Args:
        incidents: Of some days.
        subjects: Whom or what an incident is about; one about nothing counts for nothing.
        reach: Days after the first telling within which another one repeats it.
    """
    about = [(incident, subjects(incident)) for incident in incidents]
    about.sort(key=lambda each: (each[0].day, -len(each[1]), each[0].id))
    told: dict[str, int] = {}
    acts = []
    for incident, all_of_it in about:
        fresh = [s for s in sorted(all_of_it) if incident.day - told.get(s, -(10**9)) > reach]
        if fresh:
            told.update(dict.fromkeys(fresh, incident.day))
            acts.append(Act(incident, tuple(fresh)))
    return acts


def recount(series: Series, acts: Iterable[Act], first: int, seen: Observation) -> None:
    """Let a series count acts, whatever it had counted from the day number `first` on."""
    counts = {day: 0 for day in series.counts if first <= day <= seen.today}
    for act in acts:
        if first <= act.day <= seen.today:
            counts[act.day] = counts.get(act.day, 0) + 1
    for day, number in sorted(counts.items()):
        change = number - series.counts.get(day, 0)
        if change:
            series.add(day, change, seen.today)
    series.follow(seen.coverage, seen.share, seen.at, seen.today)
