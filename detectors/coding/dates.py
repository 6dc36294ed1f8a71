"""When it happened: the days that a sentence names, seen from the day of the report.

Relative words ("yesterday", "on Tuesday") are read from the report's local date. A sentence
without a day gives none: no day is invented.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final

from msgspec import Struct

from detectors.records import Interval, Report

ZONES: Final = {
    "AFG": timezone(timedelta(hours=4, minutes=30)),  # Asia/Kabul
    "PAK": timezone(timedelta(hours=5)),  # Asia/Karachi
}
#: An explicit date longer ago than this is not news: the text looks back.
RECENT: Final = timedelta(days=30)
#: How far the time that an outlet gives may lie from the time at which its report was seen.
_AHEAD: Final = timedelta(days=-2)
_BEHIND: Final = timedelta(days=400)
_HOUR: Final = timedelta(hours=1)
_FIRST: Final = datetime(1900, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(9000, 1, 1, tzinfo=UTC)

_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS: Final = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_MONTH: Final = (
    r"(?P<{0}>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_NUMBER: Final = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7}
_PATTERN: Final = (
    # The end of a word is not tried, nor a letter that no expression begins with.
    r"\b(?=[\dabdefijlmnopstuwy])(?:(?P<iso>(?:19|20)\d\d-\d\d-\d\d)"
    r"|(?P<d1>\d{1,2})(?:st|nd|rd|th)?(?: of)? "
    + _MONTH.format("m1")
    + r"(?:,? (?P<y1>(?:19|20)\d\d))?"
    r"|" + _MONTH.format("m2") + r" (?P<d2>\d{1,2})(?:st|nd|rd|th)?\b(?:,? (?P<y2>(?:19|20)\d\d))?"
    r"|(?P<week>earlier this week|this week)"
    r"|(?P<past>(?:over|in|during|within) (?:the )?(?:past|last|previous) "
    r"(?P<n>24|48|72)[ -]hours?)"
    r"|(?P<weekend>over the weekend|at the weekend)"
    r"|(?P<lastweek>last week|past week)"
    r"|(?P<next>(?:next|until|by|from) (?:mon|tues|wednes|thurs|fri|satur|sun)day)"
    r"|(?P<overnight>overnight(?! (?:on )?(?:mon|tues|wednes|thurs|fri|satur|sun)day))"
    r"|(?P<yesterday>yesterday|last night|last evening|previous day)"
    r"|(?P<ago>(?P<count>\d|two|three|four|five|six|seven) days (?:ago|earlier))"
    r"|(?P<dby>(?:the )?day before yesterday)"
    r"|(?P<weekday>monday|tuesday|wednesday|thursday|friday|saturday|sunday)"
    r"|(?P<today>today|tonight|this (?:morning|afternoon|evening|noon))"
    r"|(?P<year>(?:in|for|for the|of|of the) (?P<y>(?:19|20)\d\d)\b)"
    r"|in (?:early |mid-?|late )?" + _MONTH.format("month") + r"(?! \d)(?: (?P<my>(?:19|20)\d\d))?)"
)
_EXPRESSION: Final = re.compile(_PATTERN)
#: The same without its groups, which finds the expressions several times as fast.
_FIND: Final = re.compile(re.sub(r"\(\?P<\w+>", "(?:", _PATTERN))
_SAID: Final = re.compile(
    r"\b(?:said|says|told|announced|confirmed|reported|added|stated|statement|according)"
    r"(?: [a-z]+)? (?:on |late |early )*$"
)


class When(Struct, frozen=True):
    """The days of an event, and whether the text looks back to them."""

    occurred: Interval | None
    historical: bool = False
    future: bool = False
    vague: bool = False  # it names a time, but no day: a month, a year


NO_DAY: Final = When(None)


def anchor(report: Report, country: str | None) -> date:
    """Return the local date from which the report's relative words are to be read.

    The outlet's time is used where it is not later than the time Tocsin first had the report, which
    is then used instead.
    """
    seen = _reckonable(report.seen_at)
    instant = report.published_at or seen
    if not _AHEAD <= seen - instant <= _BEHIND:
        instant = seen  # what an outlet claims may be nonsense
    if instant - seen > _HOUR:
        instant = seen
    return local_day(instant, country)


def local_day(instant: datetime, country: str | None) -> date:
    """Return the day of an instant in a country, in Afghanistan where none is known."""
    zone = ZONES.get(country or "", ZONES["AFG"])
    return _reckonable(instant).astimezone(zone).date()


def _reckonable(instant: datetime) -> datetime:
    """Return an instant from whose day others can be reckoned: the calendar has two ends."""
    return min(max(instant, _FIRST), _LAST)


def published_on(report: Report, country: str | None) -> Interval | None:
    """Return when news that names no day is likely to have happened: the day it is out or before.

    Of events in Afghanistan and Pakistan in October 2023, 61 % of the sources listed are of the
    same day and 19 % of the next one (UCDP Candidate).

    Returns:
        None where the outlet gives no time, or one that cannot be: no day is made of the time at
        which a report was seen.
    """
    if report.published_at is None:
        return None
    if not -_HOUR <= report.seen_at - report.published_at <= _BEHIND:
        return None
    day = anchor(report, country)
    return Interval(day - timedelta(days=1), day)


def _month(text: str) -> int:
    return next(i for i, name in enumerate(_MONTHS, 1) if name.startswith(text[:3]))


def _explicit(match: re.Match[str], today: date) -> When:
    if match["iso"]:
        year, month, day = (int(part) for part in match["iso"].split("-"))
    else:
        month = _month(match["m1"] or match["m2"])
        day = int(match["d1"] or match["d2"])
        said = match["y1"] or match["y2"]
        year = int(said) if said else today.year
        if not said and (month, day) > _month_day(today + timedelta(days=1)):
            year -= 1
    try:
        found = date(year, month, day)
    except ValueError:  # 31 June: not a day
        return NO_DAY
    ahead = found > today + timedelta(days=1)
    return When(Interval(found, found), historical=today - found > RECENT, future=ahead)


def _month_day(day: date) -> tuple[int, int]:
    return day.month, day.day


def _period(match: re.Match[str], today: date) -> When:
    """Read a bare month or year: never a day, but a sign that the text looks back."""
    if match["year"]:
        return When(None, historical=int(match["y"]) < (today - RECENT).year, vague=True)
    month, year = _month(match["month"]), match["my"]
    if match["month"] == "may" and not year:
        return NO_DAY  # "in may" is never written so of a month, but "may" is a verb
    months_ago = (today.month - month) % 12
    if year:
        months_ago = (today.year - int(year)) * 12 + today.month - month
    return When(None, historical=months_ago >= 2, vague=True)


def _ago(match: re.Match[str]) -> tuple[int, int] | None:
    """Return how many days before today the first and the last day of the expression lie."""
    simple = {"today": (0, 0), "yesterday": (1, 1), "dby": (2, 2), "overnight": (1, 0)}
    for name, days in simple.items():
        if match[name]:
            return days
    if match["ago"]:
        count = _NUMBER.get(match["count"]) or int(match["count"])
        return count, count
    if match["past"]:
        return int(match["n"]) // 24, 0
    return None


def _relative(match: re.Match[str], today: date) -> When:
    weekday = today.weekday()
    days = _ago(match)
    if match["weekday"]:
        ago = (weekday - _DAYS.index(match["weekday"])) % 7
        days = (ago, ago)
    elif match["week"]:
        days = (weekday, 0)
    elif match["weekend"]:
        ago = (weekday - 5) % 7
        days = (ago, max(ago - 1, 0))
    elif match["lastweek"]:
        days = (weekday + 7, weekday + 1)
    if days is None:
        return NO_DAY
    return When(Interval(today - timedelta(days[0]), today - timedelta(days[1])))


def when(sentence: str, today: date) -> When:
    """Return the day that a lower-case sentence gives for what it says happened.

    A day on which something was said ("police said on Tuesday") is used only where no other is
    given; what was said then happened on that day or the day before.

    >>> when("at least six people were killed on tuesday", date(2024, 3, 7)).occurred
    Interval(start=datetime.date(2024, 3, 5), end=datetime.date(2024, 3, 5))
    """
    said: When | None = None
    back = vague = False
    for place in _FIND.finditer(sentence):
        match = _EXPRESSION.match(sentence, place.start())
        if match is None or match["next"]:
            continue
        if match["iso"] or match["m1"] or match["m2"]:
            found = _explicit(match, today)
        elif match["year"] or match["month"]:
            found = _period(match, today)
        else:
            found = _relative(match, today)
        back, vague = back or found.historical, vague or found.vague
        if found.occurred is None:
            continue
        if not _SAID.search(sentence, max(0, match.start() - 45), match.start()):
            return When(found.occurred, found.historical or back, found.future)
        said = said or found
    if said and said.occurred:
        first = said.occurred.start - timedelta(days=1)
        return When(Interval(first, said.occurred.end), said.historical or back, said.future)
    return When(None, historical=back, vague=vague)
