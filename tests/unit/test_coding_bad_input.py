"""Whatever a report says, the coder answers, and what it answers is sound.

That it takes no unbounded time is for `test_coding_growth.py`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import detectors.coding
from detectors.coding import Coded, code
from detectors.coding.credible import GREATEST_TOLL
from detectors.coding.dates import local_day
from detectors.coding.eastern import CODES
from detectors.coding.markup import seen
from detectors.coding.trace import trace
from detectors.records import Casualties, Event, IncidentRecord, Interval, Report

NOW = datetime(2020, 3, 4, 12, tzinfo=UTC)  # a Wednesday
EN = "A blast killed 12 people in Kandahar on Tuesday. "
FA = "در انفجاری در شهر کندهار دیروز ۱۲ تن کشته شدند. "
PS = "په کندهار کې په چاودنه کې ۱۲ کسان ووژل شول. "
UR = "پشاور میں خودکش حملے میں 12 افراد ہلاک ہو گئے۔ "
AR = "مقتل 12 شخصا في تفجير بمدينة كابول. "
TWELVE = Casualties(12, 12, 12)


def told(title: str, text: str = "", **fields: Any) -> Report:
    return Report("a", "wire", fields.pop("seen_at", NOW), title, text, **fields)


def coded(title: str, text: str = "", **fields: Any) -> Coded:
    """Code one report; `trace` must bear it too, and say the same."""
    report = told(title, text, **fields)
    (found,) = code([report])
    assert trace(report).coded == found
    return found


def attack(title: str, text: str = "", **fields: Any) -> Event:
    found = coded(title, text, **fields)
    assert found.events, found.outcome
    event = found.events[0]
    assert (event.event, event.auxiliary) == ("ASSAULT", ())
    return event


#: What nothing can be made of: text -> that it is coded to no event.
NOTHING: Mapping[str, tuple[str, str]] = {
    "no text": ("", ""),
    "one letter": ("a", ""),
    "one letter of Arabic script": ("د", ""),
    "blanks": (" " * 200_000, "\n" * 200_000),
    "one word of 200,000 letters": ("Kabul" * 400, "k" * 200_000),
    "one word of Arabic script": ("ک" * 2_000, "کابل" * 50_000),
    "control characters": ("".join(map(chr, range(32))) * 9, "\x7f\x80\x9f" * 999),
    "lone surrogates": ("\ud800" * 500, "\udfff" * 500),
    "combining marks": ("\u0334" * 2_000, "\u0334" * 5_000),
    "marks of direction": ("\u202e\u200f\u2067\u200d\u200c" * 400, ""),
    "emoji": ("💥😢🇦🇫" * 500, "👩‍👩‍👧‍👦" * 500),
    "digits": ("9" * 2_000, "9" * 100_000),
    "letters that stand for eighteen": ("\ufdfa" * 2_000, "\ufdfa" * 9_000),
    "Chinese": ("喀布尔发生爆炸，12人死亡", ""),
    "Russian": ("Взрыв в Кабуле: 12 погибших", ""),
    "Roman Urdu": ("Kabul mein dhamaka, 12 afraad halak ho gaye", ""),
    "a script": ("", "<script>var t = 'A blast killed 12 people in Kabul';</script>"),
    "a comment": ("", "<!-- A blast killed 12 people in Kabul -->"),
    "an address in a tag": (
        "",
        '<a href="/12-killed-in-kabul-blast" title="killed in Kabul">x</a>',
    ),
}


@pytest.mark.parametrize(("title", "text"), NOTHING.values(), ids=NOTHING)
def test_nothing_comes_of_nothing(title: str, text: str) -> None:
    assert coded(title, text).events == ()


@pytest.mark.parametrize("language", [None, "", "xx", "EN-us", "en_US", "ps-" * 40_000, "\ud800"])
@pytest.mark.parametrize("text", [EN, FA, PS, UR, AR], ids=["en", "fa", "ps", "ur", "ar"])
def test_a_declaration_that_is_nonsense_hides_nothing(text: str, language: str | None) -> None:
    assert attack(text * 3, language=language).killed is not None


DIRECTIONS = "\u202e\u202d\u200f\u200e\u2066\u2069\u061c\ufeff"

#: What stands around, or in, a sentence that is still read.
AROUND: Mapping[str, Callable[[str], tuple[str, str]]] = {
    "5 MB after it": lambda s: (s, s * 110_000),
    "5 MB in the title": lambda s: (s * 110_000, ""),
    "5,000 sentences": lambda s: ("", s * 5_000),
    "a byte-order mark": lambda s: ("\ufeff" + s, ""),
    "marks of direction": lambda s: (DIRECTIONS + s + DIRECTIONS, ""),
    "control characters": lambda s: ("\x00\x1b[31m " + s, "\x00" * 500),
    "lone surrogates": lambda s: ("\ud800 " + s, "\udc00 \udfff"),
    "emoji": lambda s: ("💥💥 " + s + " 😢", ""),
    "many blanks": lambda s: (" \u00a0\u3000" * 200 + s, ""),
    "many lines": lambda s: ("", "\n\r\n\u2028" * 200 + s),
    "tags": lambda s: ("", f"<div class='x'><p>{s}</p><p>y</p></div><script>{s}</script>"),
    "escaped tags": lambda s: ("", f"&lt;p&gt;{s}&lt;/p&gt;&#99999999999;&nbsp;&&&"),
    "character data": lambda s: ("", f"<![CDATA[{s}]]>"),
    "tags that are never closed": lambda s: ("", f"{s}</ <p <b <i x='"),
    "other scripts": lambda s: (s + " 喀布尔 Кабул カブール", ""),
}


@pytest.mark.parametrize("around", AROUND.values(), ids=AROUND)
@pytest.mark.parametrize("sentence", [EN, FA, PS, UR, AR], ids=["en", "fa", "ps", "ur", "ar"])
def test_what_stands_around_a_sentence_hides_nothing(
    sentence: str, around: Callable[[str], tuple[str, str]]
) -> None:
    event = attack(*around(sentence))
    assert event.killed == TWELVE
    assert len(event.quote) <= 200
    assert not re.search("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]", event.quote)
    assert msgspec.json.decode(msgspec.json.encode(event), type=Event) == event


@pytest.mark.parametrize(
    ("text", "killed"),
    [
        pytest.param("<b>12</b> killed in <a href=x>Kabul</a> blast", 12, id="tags"),
        pytest.param("A&nbsp;blast killed &#49;2 in Kabul &amp; Logar", 12, id="entities"),
        pytest.param("K\u0336a\u0336b\u0336u\u0336l blast kills 1\u03362", 12, id="struck through"),
        pytest.param("Hera\u0304t blast kills 12 people", 12, id="accents apart from letters"),
        pytest.param("Blast in Ka\u00adbul kil\u200bls 12", 12, id="hidden hyphens"),
        pytest.param("Kabul blast kills 12² people", 12, id="the mark of a note"),
        pytest.param("Kabul blast kills ١٢ people", 12, id="Arabic digits in English"),
        pytest.param("Kabul blast kills １２ people", 12, id="wide digits"),
        pytest.param("در انفجار کابل 1۲ تن کشته شدند", 12, id="mixed digits"),
        pytest.param("در انفجار کابل \u202e۱۲\u202c تن کشته شدند", 12, id="a reversed number"),
        pytest.param("مقتل ١٢ شخصا في تفجير في كابول", 12, id="Arabic digits"),
    ],
)
def test_a_number_is_read_as_it_is_seen(text: str, killed: int) -> None:
    event = attack(text)
    assert event.killed is not None
    assert event.killed.best == killed
    assert not set("<>&") & set(event.quote.replace("& Logar", ""))


@pytest.mark.parametrize(
    "number", ["9" * 100, "9" * 2_300, "99999", "99,999,999", "1-" * 700 + "1"]
)
@pytest.mark.parametrize(
    "frame",
    [
        "A blast in Kabul killed {} people on Tuesday.",
        "در انفجاری در شهر کابل {} تن کشته شدند.",
        "په کابل کې په چاودنه کې {} کسان ووژل شول.",
        "پشاور میں خودکش حملے میں {} افراد ہلاک ہو گئے۔",
        "مقتل {} شخصا في تفجير بمدينة كابول.",
    ],
)
def test_no_toll_is_greater_than_can_be(frame: str, number: str) -> None:
    event = attack("", frame.format(number), language="en" if frame[0] == "A" else None)
    assert event.killed is None or event.killed.high <= GREATEST_TOLL


def test_tolls_that_add_up_to_what_cannot_be_are_not_told() -> None:
    many = ", ".join(f"{n} soldiers" for n in range(4_000, 4_010))
    assert attack(f"An attack in Kabul killed {many} and 4 guards").killed is None


#: Times at the ends of the calendar, in zones that carry them beyond.
ENDS = [
    datetime(*day, tzinfo=timezone(timedelta(hours=hours)))
    for day in ((1, 1, 1), (1, 1, 9), (1970, 1, 1), (9999, 12, 31, 23, 59, 59, 999_999))
    for hours in (-23, 0, 5, 23)
]
WHENS = ("yesterday", "tomorrow", "on Monday", "over the weekend", "last week", "on 3 March")
WHENS_FA = ("دیروز", "فردا", "روز دوشنبه", "۲ حمل", "۳ رمضان", "۳ مارس")


@pytest.mark.parametrize("at", ENDS, ids=str)
@pytest.mark.parametrize("fields", [("seen_at",), ("published_at",), ("seen_at", "published_at")])
def test_times_at_the_ends_of_the_calendar(at: datetime, fields: tuple[str, ...]) -> None:
    for when in (*WHENS, "overnight", "3 days ago", "in the past 72 hours", ""):
        text = f"Three people were killed in an attack in Kandahar {when}, officials said."
        assert coded(text, **dict.fromkeys(fields, at)).events
    for when in (*WHENS_FA, ""):
        text = f"{when} در حمله ای در شهر کندهار سه تن کشته شدند."
        assert coded(text, **dict.fromkeys(fields, at)).events


@pytest.mark.parametrize(
    "when",
    [
        "on 30 February 2020", "on 31 June", "on 2020-13-45", "on 0 March 2020", "on 99 May 1999",
        "on 2020-00-00", "in the year 0000",
        "به تاریخ ۴۵ حوت ۱۳۹۹", "به تاریخ ۳۰ حوت ۱۳۹۸", "۳ رمضان ۹۹۹۹", "۳۱ رمضان ۱۴۴۱",
        "۳ حمل ۹۹۹۹", "۰ حمل ۰۰۰۰", "۳۰ فبروری ۲۰۲۰",
    ],
)  # fmt: skip
def test_days_that_are_none_give_none(when: str) -> None:
    english = when.isascii()
    text = "Three people were killed in an attack in Kandahar {}, officials said."
    persian = "{} در حمله ای در شهر کندهار سه تن کشته شدند."
    for event in coded((text if english else persian).format(when)).events:
        assert event.occurred is None


@pytest.mark.parametrize(
    ("published", "seen_at"),
    [(1970, 2020), (2100, 2020), (2021, 2020)],
    ids=["long ago", "far ahead", "after it was seen"],
)
def test_days_are_reckoned_from_when_it_was_seen_if_the_outlet_errs(
    published: int, seen_at: int
) -> None:
    at = NOW.replace(year=seen_at)
    event = attack(EN, published_at=NOW.replace(year=published), seen_at=at)
    assert event.occurred == Interval(date(2020, 3, 3), date(2020, 3, 3))


def structured(**fields: Any) -> Event:
    stated: dict[str, Any] = {"occurred": Interval(date(2020, 3, 3), date(2020, 3, 4))}
    record = IncidentRecord("ASSAULT", country="AFG", admin1="AF-KAN", **(stated | fields))
    (event, _) = coded(f"\x00{EN}", record=record).events
    return event


def test_a_structured_record_that_contradicts_itself_says_less() -> None:
    assert structured(killed=Casualties(9, 5, 1)).killed == Casualties(1, 5, 9)
    assert structured(killed=Casualties(1, 5, 10**9)).killed is None
    backwards = Interval(date(2020, 3, 3), date(2020, 3, 1))
    assert structured(occurred=backwards).occurred is None
    assert structured(occurred=Interval(date(9999, 1, 1), date.max)).occurred is None
    going_on = structured(occurred=Interval(date(2020, 3, 3), date.max))
    assert going_on.occurred == Interval(date(2020, 3, 3), date(2020, 3, 5))
    assert structured(place="x" * 10_000).place == structured(place="x" * 200).place
    assert structured().quote == EN.strip()


def test_the_longest_id_has_an_event_that_can_be_sent_on() -> None:
    events = [
        event
        for letter in "ab"
        for event in code([msgspec.structs.replace(told(EN), id="x" * 199 + letter)])[0].events
    ]
    for event in events:
        assert msgspec.json.decode(msgspec.json.encode(event), type=Event) == event
    assert len({event.id for event in events}) == 2


# Properties


@cache
def _terms() -> tuple[str, ...]:
    """Return words of each table of each language."""
    folder = Path(detectors.coding.__file__).parent
    words: list[str] = []
    for path in sorted(folder.glob("*_*.csv")):
        with path.open(encoding="utf-8", newline="") as table:
            words += [next(iter(row.values())) for row in csv.DictReader(table)][::7]
    return tuple(words)


_PIECES = st.one_of(
    st.sampled_from(
        ["Kabul", "Kandahar", "کابل", "پشاور", "كابول", "Taliban", "طالبان", "12", "۱۲"]
    ),
    st.deferred(lambda: st.sampled_from(_terms())),
    st.sampled_from([*WHENS, *WHENS_FA, "2020-03-04", "1399", "12,000", "99999", "3-5", "9" * 40]),
    st.sampled_from(
        [". ", "۔ ", "، ", "\n\n", "\x00", "\ud800", "\u202e", "<b>", "&#9;", "\ufdfa", '"']
    ),
    st.text(max_size=8),
    st.text(st.characters(categories=("Cs", "Cc", "Cf", "Mn", "Nd", "Lo")), max_size=6),
)
_TEXTS = st.one_of(
    st.lists(_PIECES, max_size=40).map(" ".join),
    st.lists(_PIECES, max_size=40).map("".join),
    st.text(max_size=300),
)
_TIMES = st.one_of(
    st.just(NOW),
    st.sampled_from(ENDS),
    st.datetimes(timezones=st.sampled_from([UTC, ENDS[0].tzinfo])),
)
_REPORTS = st.builds(
    told,
    _TEXTS,
    _TEXTS,
    seen_at=_TIMES,
    published_at=st.none() | _TIMES,
    language=st.none() | st.sampled_from([*CODES, "en", "xx", ""]),
)
unhurried = settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=250)


@unhurried
@given(_REPORTS)
def test_whatever_is_said_an_event_is_sound(report: Report) -> None:
    (found,) = code([report])
    assert trace(report).coded == found
    for event in found.events:
        for count in (event.killed, event.injured, event.civilians_killed):
            assert count is None or 0 <= count.low <= count.best <= count.high <= GREATEST_TOLL
        assert all(count <= GREATEST_TOLL for count in event.killed_also)
        if event.occurred is not None:
            country = event.place.country if event.place else None
            tomorrow = local_day(report.seen_at, country) + timedelta(days=1)
            assert event.occurred.start <= event.occurred.end
            assert event.occurred.end <= tomorrow or "future" in event.auxiliary
        assert msgspec.json.decode(msgspec.json.encode(event), type=Event) == event


_INVISIBLE = re.compile(r"[\s\W_]|[^\x00-\uffff]")


@unhurried
@given(_REPORTS)
def test_a_quotation_stands_in_the_text(report: Report) -> None:
    whole = seen(f"{report.title} {report.text}")
    for event in code([report])[0].events:
        if not set("<&") & set(whole):
            assert _INVISIBLE.sub("", event.quote) in _INVISIBLE.sub("", whole)


@unhurried
@given(st.lists(_REPORTS, max_size=6))
def test_a_list_is_coded_as_each_alone_and_always_so(reports: list[Report]) -> None:
    together = code(reports)
    assert together == [found for report in reports for found in code([report])]
    assert together == code(reports)
