"""When a subscriber may be told: quiet hours and digests, by the clock on their own wall."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from detectors.delivery_records import Digest, Quiet


def quiet_until(quiet: Quiet, time_zone: str, now: datetime) -> datetime | None:
    """Return when the quiet hours end that `now` is in; None when it is in none.

    >>> night = Quiet("22:00", "07:00")
    >>> quiet_until(night, "Asia/Kabul", datetime(2026, 3, 1, 20, 0, tzinfo=UTC)).isoformat()
    '2026-03-02T02:30:00+00:00'
    >>> quiet_until(night, "Asia/Kabul", datetime(2026, 3, 1, 6, 0, tzinfo=UTC)) is None
    True
    """
    zone = ZoneInfo(time_zone)
    local, first, until = now.astimezone(zone), _clock(quiet.first), _clock(quiet.until)
    if first == until:
        return None
    clock = local.time().replace(tzinfo=None)
    over_night = first > until
    inside = clock >= first or clock < until if over_night else first <= clock < until
    if not inside:
        return None
    ahead = 1 if over_night and clock >= first else 0
    return _at(local, until, ahead, zone)


def next_digest(digest: Digest, time_zone: str, after: datetime) -> datetime:
    """Return the first time after `after` at which a digest is due.

    >>> next_digest(Digest("day"), "UTC", datetime(2026, 3, 1, 7, 0, tzinfo=UTC)).isoformat()
    '2026-03-02T07:00:00+00:00'
    >>> next_digest(Digest("week", weekday=4), "UTC", datetime(2026, 3, 1, tzinfo=UTC)).isoformat()
    '2026-03-06T07:00:00+00:00'
    """
    zone = ZoneInfo(time_zone)
    local, at = after.astimezone(zone), _clock(digest.at)
    for ahead in range(9):
        found = _at(local, at, ahead, zone)
        fits = digest.every == "day" or found.astimezone(zone).weekday() == digest.weekday
        if found > after and fits:
            return found
    raise AssertionError("a week has every weekday")


def _clock(text: str) -> time:
    return time.fromisoformat(text)


def _at(local: datetime, clock: time, days: int, zone: ZoneInfo) -> datetime:
    """Return a clock time so many days later, in UTC: an hour that a zone skips is the next one."""
    day = local.date() + timedelta(days=days)
    return datetime.combine(day, clock, tzinfo=zone).astimezone(UTC)
