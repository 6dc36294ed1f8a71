"""What of a coded event cannot be, and is left out: numbers, and days.

A report may say anything, and a reader of numbers may err; a structured source may have its columns
mixed up. What cannot have happened is not said, rather than counted.
"""

from __future__ import annotations

from datetime import timedelta
from hashlib import blake2b
from typing import Any, Final

from msgspec.structs import replace

from detectors.coding.dates import local_day
from detectors.records import Casualties, Event, Interval

#: The most people that one event is believed to have killed or injured. The deadliest month of
#: either country since 1989 has 7,144 dead, in all its events (Afghanistan, August 1998, UCDP GED);
#: larger numbers in news are totals of years and wars, sums of money, or misread.
GREATEST_TOLL: Final = 10_000
_TOLLS: Final = ("killed", "injured", "civilians_killed")
_LONGEST_ID: Final = 200  # characters
_TOMORROW: Final = timedelta(days=1)


def credible(event: Event) -> Event:
    """Return an event without numbers and days that cannot be.

    Numbers of people are in order and at most `GREATEST_TOLL`. Days are in order, and not after
    tomorrow where they are told as past; tomorrow is a day here when it is still yesterday where
    the report was seen.
    """
    changes: dict[str, Any] = {}
    for name in _TOLLS:
        count: Casualties | None = getattr(event, name)
        if count is not None and not count.low <= count.best <= count.high <= GREATEST_TOLL:
            changes[name] = _ordered(count)
    if event.risen and "killed" in changes:
        changes["risen"] = changes["killed"] is not None
    if any(number > GREATEST_TOLL for number in event.killed_also):
        changes["killed_also"] = tuple(n for n in event.killed_also if n <= GREATEST_TOLL)
    if event.occurred is not None:
        days = _days(event, event.occurred)
        if days is not event.occurred:
            changes["occurred"] = days
    if len(event.id) > _LONGEST_ID:
        changes["id"] = _shorter(event.id)
    return replace(event, **changes) if changes else event


def _ordered(count: Casualties) -> Casualties | None:
    low, best, high = count.low, count.best, count.high
    greatest = max(low, best, high)
    return Casualties(min(low, best, high), best, greatest) if greatest <= GREATEST_TOLL else None


def _days(event: Event, days: Interval) -> Interval | None:
    """Return the days of an event, as far as they can be, or None."""
    if days.end < days.start:
        return None
    last = local_day(event.seen_at, event.place.country if event.place else None) + _TOMORROW
    if days.end <= last or "future" in event.auxiliary:
        return days
    return Interval(days.start, last) if days.start <= last else None


def _shorter(id: str) -> str:
    """Return an id that fits into a record, and is still a function of the one that does not."""
    return f"{id[:100]}~{blake2b(id.encode('utf-8', 'replace'), digest_size=16).hexdigest()}/0"
