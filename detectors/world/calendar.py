"""The calendars of the region: Solar Hijri and Islamic dates to Gregorian ones.

Solar Hijri (Afghanistan's official calendar, in use also in Iran): months of 31 days six times,
then 30 days, the last of 29 or 30; leap years by the cycle of 33 years, which agrees with the
astronomical rule from 1206 to 1498 (Borkowski, The Persian calendar for 3000 years, 1996).
Islamic: the tabular calendar of 30-year cycles (Reingold & Dershowitz, Calendrical Calculations);
months begin by the sight of the moon, so a day may be off by one.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

_LEAP: Final = frozenset({1, 5, 9, 13, 17, 22, 26, 30})  # years of a cycle of 33
_FIRST, _LAST = 1206, 1498
_KNOWN: Final = (1399, date(2020, 3, 20))  # a year of the Solar Hijri calendar, and its first day
_ISLAMIC_EPOCH: Final = 227_015 - 1  # day number (date.toordinal) of 1 Muharram 1, less one


def is_solar_leap(year: int) -> bool:
    """Return whether a Solar Hijri year has 366 days."""
    return year % 33 in _LEAP


def from_solar(year: int, month: int, day: int) -> date | None:
    """Return the Gregorian date of a Solar Hijri one, or None where there is no such day.

    >>> from_solar(1400, 5, 24)
    datetime.date(2021, 8, 15)
    """
    if not (_FIRST <= year <= _LAST and 1 <= month <= 12):
        return None
    length = 31 if month <= 6 else 30 if month < 12 or is_solar_leap(year) else 29
    if not 1 <= day <= length:
        return None
    known, start = _KNOWN
    between = range(min(year, known), max(year, known))
    days = sum(366 if is_solar_leap(y) else 365 for y in between)
    start += timedelta(days if year >= known else -days)
    return start + timedelta(31 * min(month - 1, 6) + 30 * max(month - 7, 0) + day - 1)


def from_islamic(year: int, month: int, day: int) -> date | None:
    """Return the Gregorian date of a day of the tabular Islamic calendar, or None.

    >>> from_islamic(1441, 9, 1)
    datetime.date(2020, 4, 24)
    """
    if not (1 <= year <= 2000 and 1 <= month <= 12 and 1 <= day <= 30):
        return None
    before = 354 * (year - 1) + (3 + 11 * year) // 30 + 29 * (month - 1) + month // 2
    return date.fromordinal(_ISLAMIC_EPOCH + before + day)


def solar_year(on: date) -> int:
    """Return the Solar Hijri year of a Gregorian date."""
    year = on.year - 621
    start = from_solar(year, 1, 1)
    return year if start is not None and on >= start else year - 1


def islamic_year(on: date) -> int:
    """Return the year of the tabular Islamic calendar of a Gregorian date."""
    year = (30 * (on.toordinal() - _ISLAMIC_EPOCH) + 10_646) // 10_631
    start = from_islamic(year, 1, 1)
    return year - 1 if start is not None and on < start else year
