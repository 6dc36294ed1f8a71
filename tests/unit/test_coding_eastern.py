"""Pashto, Dari, Urdu and Arabic: what a sentence says, its numbers, days and places."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from detectors.coding import code
from detectors.records import Casualties, Event, Interval, Report

NOON = datetime(2020, 3, 4, 8, tzinfo=UTC)  # a Wednesday


def coded(text: str, at: datetime = NOON) -> Event | None:
    report = Report(id="r", source="s", seen_at=at, title=text, published_at=at)
    return next(iter(code([report])[0].events), None)


def exactly(count: int) -> Casualties:
    return Casualties(count, count, count)


KABUL = "کابل"


@pytest.mark.parametrize(
    ("text", "killed", "injured"),
    [
        pytest.param("در انفجار ماین در کندز ۱۲ تن کشته و پنج تن زخمی شدند", 12, 5, id="fa"),
        pytest.param(
            "په کندهار کې په چاودنه کې ۱۲ کسان ووژل شول او پنځه ټپیان شول", 12, 5, id="ps"
        ),
        pytest.param("پشاور میں خودکش حملے میں 12 افراد ہلاک اور پانچ زخمی ہو گئے", 12, 5, id="ur"),
        pytest.param("مقتل 12 شخصا وإصابة 5 آخرين في انفجار بمدينة كابول", 12, 5, id="ar"),
        pytest.param(
            "در حمله بر پوسته در فراه سه سرباز و دو پولیس کشته شدند", 5, None, id="a list"
        ),
        pytest.param("در انفجار در کابل ۱۵ تن کشته و زخمی شدند", None, None, id="of both together"),
        pytest.param(
            "شمار کشته‌شدگان انفجار بمب در ولایت غزنی به ۲۱ نفر رسید",
            21,
            None,
            id="a toll that rose",
        ),
        pytest.param(
            "در انفجار بمب در هرات ۹ نفر به شمول دو زن کشته شدند", 9, None, id="some of them"
        ),
        pytest.param("در درگیری در ولایت بغلان کسی کشته نشد", 0, 0, id="nobody"),
        pytest.param("در انفجار در کابل بیست و پنج تن کشته شدند", 25, None, id="composed of words"),
        pytest.param(
            "دست‌کم ۱۲ تن در انفجار کابل کشته و ۵ تن زخمی شدند",
            12,
            5,
            id="at least, at the beginning",
        ),
        pytest.param("نحو قتيلين في انفجار في كابول", 2, None, id="a dual, with about"),
        pytest.param(
            "در انفجار در کابل یک سرباز، یک پولیس و یک غیرنظامی کشته شدند",
            3,
            None,
            id="a list of ones",
        ),
        pytest.param("در جنگ در کندز 1,200 تن کشته شدند", 1200, None, id="a comma in a number"),
        pytest.param(
            "در حمله طالبان در کندز ۵ طالب کشته شدند اما کسی از پولیس کشته نشد",
            5,
            None,
            id="of one side only",
        ),
        pytest.param("مقتل شرطي في هجوم مسلح في كابول", 1, None, id="ar a lone dead"),
        pytest.param("اغتيال رجل دين في كابول", 1, None, id="ar a lone dead, assassinated"),
        pytest.param("مقتل شرطي وإصابة جندي في انفجار في قندهار", 1, 1, id="ar one of each"),
        pytest.param(
            "مقتل شرطيين اثنين وإصابة ثلاثة في إطلاق نار في كابول", 2, 3, id="ar a dual with two"
        ),
        pytest.param("مقتل شرطيَّين بالرصاص في هرات", 2, None, id="ar a dual alone"),
        pytest.param("مقتل جندي ومدني في انفجار في كابول", 2, None, id="ar a list of lone dead"),
        pytest.param(
            "مقتل 3 جنود ومدني في هجوم لطالبان في كابول", 4, None, id="ar a number and one"
        ),
        pytest.param(
            "مقتل جندي و3 مدنيين في هجوم لطالبان في كابول", 4, None, id="ar one and a number"
        ),
        pytest.param("قتل شرطي 3 أشخاص بالرصاص في كابول", 3, None, id="ar the one who killed"),
        pytest.param("مقتل مسلحين في عملية للجيش في غزني", None, None, id="ar dual or plural"),
        pytest.param("نجاة حاكم ولاية غزني من محاولة اغتيال", None, None, id="ar an attempt"),
        pytest.param("افراد مسلح خبرنگار را در ننگرهار کشتند", 1, None, id="fa a lone dead"),
        pytest.param("سربازان در حمله طالبان در غزنی کشته شدند", None, None, id="fa several"),
        pytest.param(
            "در حمله در غزنی سه سرباز و یک غیرنظامی کشته شدند", 4, None, id="fa a number and one"
        ),
        pytest.param("در حمله طالبان در غزنی نه سرباز کشته شدند", 9, None, id="fa nine"),
        pytest.param(
            "در حمله طالبان در غزنی نه سرباز و نه غیرنظامی کشته شدند",
            None,
            None,
            id="fa neither, nor",
        ),
        pytest.param("په کندهار کې په برید کې قوماندان ووژل شو", 1, None, id="ps a lone dead"),
        pytest.param("پشاور میں فائرنگ، عالم دین قتل", 1, None, id="ur a lone dead"),
        pytest.param(
            "پشاور میں فائرنگ سے پولیس اہلکار شہید ہو گئے", None, None, id="ur one or several"
        ),
    ],
)
def test_casualties(text: str, killed: int | None, injured: int | None) -> None:
    found = coded(text)
    assert found is not None
    assert found.killed == (None if killed is None else exactly(killed))
    assert found.injured == (None if injured is None else exactly(injured))


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        pytest.param(
            "دیروز در انفجار در کابل سه سرباز کشته شدند", "03-03", "03-03", id="yesterday"
        ),
        pytest.param(
            "پیر کو کوئٹہ میں فائرنگ سے دو پولیس اہلکار ہلاک ہو گئے", "03-02", "03-02", id="Monday"
        ),
        pytest.param(
            "در ۱۰ حوت در حمله طالبان در ولایت غزنی سه سرباز کشته شدند",
            "02-29",
            "02-29",
            id="Solar Hijri",
        ),
        pytest.param(
            "مقتل ثلاثة جنود في هجوم لطالبان في كابول في 2 مارس", "03-02", "03-02", id="Gregorian"
        ),
        pytest.param(
            "قال مسؤول الثلاثاء إن ثلاثة جنود قتلوا في هجوم في كابول",
            "03-02",
            "03-03",
            id="said on Tuesday",
        ),
        pytest.param(
            "در حمله طالبان در ولایت غزنی سه سرباز کشته شدند", "03-03", "03-04", id="none: news"
        ),
        pytest.param(
            "در ماه فبروری ۱۲ تن در انفجار در کابل کشته شدند",
            None,
            None,
            id="a count after a month",
        ),
        pytest.param(
            "قال مسؤول في 2 مارس إن ثلاثة جنود قتلوا في هجوم في كابول",
            "03-01",
            "03-02",
            id="said on a date",
        ),
    ],
)
def test_days(text: str, first: str | None, last: str | None) -> None:
    found = coded(text)
    assert found is not None
    expected = (
        Interval(date.fromisoformat(f"2020-{first}"), date.fromisoformat(f"2020-{last}"))
        if first
        else None
    )
    assert found.occurred == expected


@pytest.mark.parametrize(
    ("text", "auxiliary"),
    [
        pytest.param("طالبان در کابل حمله نکردند", None, id="no attack was made"),
        pytest.param(
            "میان ارتش و طالبان در میمنه درگیری رخ داد، اما از تلفات خبری در دست نیست",
            (),
            id="harm unknown",
        ),
        pytest.param("طالبان حمله بر پوسته پولیس در کندز را رد کردند", ("negated",), id="denied"),
        pytest.param(
            "طالبان دست داشتن در انفجار کابل را که ۱۲ کشته داشت رد کردند",
            (),
            id="a role in it denied",
        ),
    ],
)
def test_what_weakens(text: str, auxiliary: tuple[str, ...] | None) -> None:
    found = coded(text)
    if auxiliary is None:
        assert found is None or found.auxiliary
    else:
        assert found is not None
        assert found.auxiliary == auxiliary


@pytest.mark.parametrize(
    ("text", "admin1"),
    [
        pytest.param(
            "در انفجار ماین در ولایت سرپل سه سرباز کشته شدند", "AF-SAR", id="a word, with its title"
        ),
        pytest.param(
            "در انفجار ماین در ولسوالی کهسان ولایت هرات سه سرباز کشته شدند",
            "AF-HER",
            id="a district",
        ),
        pytest.param(
            "بلوچستان کے ضلع کیچ میں حملے میں تین فوجی ہلاک", "PK-BA", id="a Pakistani district"
        ),
        pytest.param(
            "مقتل ثلاثة جنود في هجوم لحركة طالبان بولاية ننكرهار", "AF-NAN", id="behind a prefix"
        ),
    ],
)
def test_places(text: str, admin1: str) -> None:
    found = coded(text)
    assert found is not None
    assert found.place is not None
    assert found.place.admin1 == admin1


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("در زلزله در بدخشان ۱۲ تن کشته شدند", id="earthquake"),
        pytest.param("کراچی میں ٹریفک حادثے میں پانچ افراد ہلاک ہو گئے", id="traffic"),
        pytest.param("مقتل 15 شخصا في غارة جوية على غزة", id="elsewhere"),
        pytest.param("افغان کرکٹ ټیم پاکستان ته ماته ورکړه", id="sport"),
    ],
)
def test_what_is_no_violence_here(text: str) -> None:
    found = coded(text)
    assert found is None or found.event != "ASSAULT"


def test_a_year_that_is_said_makes_a_date_history() -> None:
    found = coded("در ۲ مارچ سال ۲۰۱۵ در انفجار بمب در کابل ۱۲ تن کشته شدند")
    assert found is not None
    assert found.auxiliary == ("historical",)
    assert found.occurred == Interval(date(2015, 3, 2), date(2015, 3, 2))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("شمار کشته‌شدگان انفجار بمب در ولایت غزنی به ۲۱ نفر رسید", id="fa"),
        pytest.param("ارتفاع حصيلة قتلى انفجار كابول إلى 21 قتيلا", id="ar"),
    ],
)
def test_a_toll_that_rose_is_told_as_such(text: str) -> None:
    found = coded(text)
    assert found is not None
    assert found.risen


def test_a_word_in_the_next_sentence_does_not_undo_a_denial() -> None:
    found = coded("طالبان حمله بر پوسته پولیس در کندز را رد کردند. دست همه باز است.")
    assert found is not None
    assert found.auxiliary == ("negated",)


def test_the_quotation_is_as_written() -> None:
    text = "در انفجار در كابل ۱۲ تن كشته شدند"  # with Arabic kaf
    found = coded(text)
    assert found is not None
    assert (found.quote, found.language) == (text, "fa")


def test_a_number_between_two() -> None:
    found = coded("مقتل ما بين 10 و15 مسلحا في عملية في وزيرستان الشمالية")
    assert found is not None
    assert found.killed == Casualties(10, 12, 15)


def test_the_sentence_after_the_title_goes_on_with_it() -> None:
    title = "انفجار بمب در بازار غزنی"
    text = "در این رویداد که دیروز در شهر غزنی رخ داد، نه تن کشته شدند."
    report = Report(id="r", source="s", seen_at=NOON, title=title, text=text)
    (found, *_) = code([report])[0].events
    assert found.killed == exactly(9)
