"""When it happened, in Pashto, Dari, Urdu and Arabic: days by the words of three calendars.

Words and month names are tables (`days_<language>.csv`); months are Gregorian, Solar Hijri or
Islamic. A year that is not said is the one that puts the day last before the report. A sentence
without a day gives none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple

from detectors.coding.dates import NO_DAY, RECENT, When
from detectors.coding.vocabulary import beginnings
from detectors.records import Interval
from detectors.world.calendar import from_islamic, from_solar, islamic_year, solar_year

#: The kinds of words that are names of months.
CALENDARS: Final = ("gregorian", "solar", "islamic")
#: The kinds of words that say how many days ago.
_BACK: Final = ("ago", "past", "weekday")
_LONGEST: Final = 4  # tokens of an expression
_FROM_SAYING: Final = 3  # tokens, from a verb of saying to the day on which it was said
_TO_SAYING: Final = 2  # the same, where the verb comes last
_FROM_NUMBER: Final = 2  # tokens, from a month's name to its day
_LONGEST_MONTH: Final = 31
#: Words for "year", and particles after a day, in folded spelling.
_YEAR: Final = frozenset(("سال", "کال", "عام", "سنه", "ء", "سن"))
_AFTER_DAY: Final = frozenset(("کو", "په", "در", "نیټه", "تاریخ", "ورځ", "کی", "میں")) | _YEAR
_LONG_AGO: Final = 62  # days, from the first of a month that a text looks back to
_TOMORROW: Final = timedelta(days=1)


class DayWord(NamedTuple):
    """What a word says of days: its kind and value.

    `weekday`, `ago`, `ahead`, `past`, one of `CALENDARS`; `said` is a verb of saying, and `other`
    hides a month's name that means something else.
    """

    kind: str
    value: int


class _Found(NamedTuple):
    start: int
    end: int
    when: When


class Days(NamedTuple):
    """What reading days takes to know of a language."""

    words: Mapping[str, DayWord]  # by words in plain text
    begins: Mapping[str, int]  # the first words of these, and the most words that follow from each
    verb_first: bool

    @classmethod
    def of(cls, words: Mapping[str, DayWord], *, verb_first: bool) -> Days:
        """Return a language's words for days, as they are searched."""
        return cls(words, beginnings(words, _LONGEST), verb_first)


def when(words: Sequence[str], language: Days, today: date) -> When:
    """Return the day that a sentence gives for what it says happened.

    Args:
        words: The sentence's words in plain text.
        language: The language's table.
        today: The local day of the report.
    """
    back = ahead = vague = False
    said: When | None = None
    for found in _expressions(words, language, today):
        back = back or found.when.historical
        ahead, vague = ahead or found.when.future, vague or found.when.vague
        if found.when.occurred is None:
            continue
        if not _is_said(words, language, found):
            return _with(found.when, back)
        said = said or found.when
    if said and said.occurred:
        first = said.occurred.start - timedelta(days=1)
        return When(Interval(first, said.occurred.end), said.historical or back, said.future)
    return When(None, historical=back, future=ahead, vague=vague)


def _with(found: When, back: bool) -> When:
    return When(found.occurred, found.historical or back, found.future)


def _expressions(words: Sequence[str], language: Days, today: date) -> Sequence[_Found]:
    begins = language.begins
    found: list[_Found] = []
    read_to = 0
    for at in [i for i, word in enumerate(words) if word in begins]:
        if at < read_to:
            continue
        expression = _at(words, at, language, today)
        if expression is not None:
            found.append(expression)
            read_to = expression.end
    return found


def _lookup(words: Sequence[str], at: int, language: Days) -> tuple[DayWord, int] | None:
    longest = language.begins.get(words[at], 0)
    for length in range(min(longest, len(words) - at), 0, -1):
        word = language.words.get(" ".join(words[at : at + length]))
        if word is not None:
            return word, at + length
    return None


def _at(words: Sequence[str], at: int, language: Days, today: date) -> _Found | None:
    known = _lookup(words, at, language)
    if known is None:
        return None
    word, end = known
    if word.kind in CALENDARS:
        return _dated(words, at, end, word, today)
    if word.kind == "ahead":
        return _Found(at, end, When(None, future=True))
    if word.kind not in _BACK:
        return None
    first = (today.weekday() - word.value) % 7 if word.kind == "weekday" else word.value
    start = today - timedelta(first)
    return _Found(at, end, When(Interval(start, today if word.kind == "past" else start)))


def _number(words: Sequence[str], at: int) -> int | None:
    """Return the number at a word, also as an ordinal with its ending written to it."""
    if not 0 <= at < len(words):
        return None
    digits = words[at].rstrip("مهی")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 4 else None


def _dated(words: Sequence[str], start: int, end: int, month: DayWord, today: date) -> _Found:
    """Return the day of a month's name and the numbers around it."""
    day = _number(words, start - 1)
    if day is not None and day <= _LONGEST_MONTH:
        start -= 1
    else:
        day, end = _day_after(words, end)
    year, end = _year_after(words, end)
    if day is None or not 1 <= day <= _LONGEST_MONTH:
        return _Found(start, end, _bare(month, year, today))
    return _Found(start, end, _explicit(month, day, year, today))


def _day_after(words: Sequence[str], end: int) -> tuple[int | None, int]:
    """Return the day that follows a month's name, with a particle between at most.

    A number that goes on with a noun ("in February 12 people were killed") is no day, so it counts
    only as an ordinal, or where it ends the text or a year or a particle follows.
    """
    for at in range(end, min(end + _FROM_NUMBER, len(words))):
        day = _number(words, at)
        if day is not None:
            ordinal = not words[at].isdigit()
            following = words[at + 1] if at + 1 < len(words) else ""
            alone = following in _AFTER_DAY or not following or following.isdigit()
            return (day, at + 1) if day <= _LONGEST_MONTH and (ordinal or alone) else (None, end)
    return None, end


def _year_after(words: Sequence[str], end: int) -> tuple[int | None, int]:
    """Return the year that follows, with the word for "year" before it or not."""
    at = end + 1 if end < len(words) and words[end] in _YEAR else end
    year = _number(words, at)
    return (year, at + 1) if year is not None and year > _LONGEST_MONTH else (None, end)


def _bare(month: DayWord, year: int | None, today: date) -> When:
    """Read a month and year without a day: never a day, but a sign that the text looks back.

    A month alone says nothing: some of their names are also words.
    """
    first = None if year is None else _date(month, 1, year)
    back = first is not None and (today - first).days > _LONG_AGO
    return When(None, historical=back, vague=True)


def _explicit(month: DayWord, day: int, year: int | None, today: date) -> When:
    this_year = {
        "gregorian": today.year,
        "solar": solar_year(today),
        "islamic": islamic_year(today),
    }[month.kind]
    found = _date(month, day, year or this_year)
    if year is None and (found is None or found > today + _TOMORROW):
        found = _date(month, day, this_year - 1)
    if found is None:
        return NO_DAY
    # The moon is seen a day later in some places than in the table.
    last = found + _TOMORROW if month.kind == "islamic" else found
    return When(
        Interval(found, last),
        historical=today - found > RECENT,
        future=found > today + _TOMORROW,
    )


def _date(month: DayWord, day: int, year: int) -> date | None:
    if month.kind == "solar":
        return from_solar(year, month.value, day)
    if month.kind == "islamic":
        return from_islamic(year, month.value, day)
    try:
        return date(year, month.value, day)
    except ValueError:
        return None


def _is_said(words: Sequence[str], language: Days, found: _Found) -> bool:
    """Return whether a day is one on which something was said: "said on Tuesday that".

    The verb follows the day at once, or in Arabic comes some words before it.
    """
    if language.verb_first:
        near = range(max(0, found.start - _FROM_SAYING), found.start)
    else:
        near = range(found.end, min(len(words), found.end + _TO_SAYING))
    return any(
        (word := _lookup(words, at, language)) is not None and word[0].kind == "said" for at in near
    )
