"""Arabic-script text on its way to the dictionaries: what becomes one, what goes, what stays."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from detectors.coding.normalise import HEAD
from detectors.coding.script import fold, key, plain, sentences

#: Text such as news is made of, with all that goes wrong in it.
TEXTS = st.text() | st.text(alphabet="ابپكکيیىئةۀہھ ډګ۱۲٣4.۔،؟!\n\u200c\u200eًّـﻻﷲaZé\ud800\0😀")


@pytest.mark.parametrize(
    ("many", "one"),
    [
        ("يىیېۍئێ", "ی"),
        ("كکڪﻛ", "ک"),
        ("ګگ", "گ"),
        ("هہھةۀۂەﻩ", "ه"),
        ("اأإآٱ", "ا"),
        ("وؤ", "و"),
        ("٠۰0", "0"),
        ("٩۹9", "9"),
        ("\u200c\u00a0\u3000\t ", " "),
        ("é", "e"),
        ("٫", "."),
    ],
)
def test_typings_of_one_character(many: str, one: str) -> None:
    assert {fold(char).text for char in many} == {one}


@pytest.mark.parametrize("letter", "پچژټډړږښڼځڅٹڈڑںےبجعقءو۔،؛؟«»…TtA5")
def test_other_letters_and_punctuation_stay(letter: str) -> None:
    assert fold(letter).text == letter
    assert fold(letter).offsets is None


@pytest.mark.parametrize(
    "mark",
    "\u064b\u064e\u0650\u0651\u0652\u0670ـ\u200d\u200e\u200f\u202b\u2067\ufeff\u00ad\u061c\u0301",
)
def test_marks_go(mark: str) -> None:
    folded = fold(f"کا{mark}بل")
    assert folded.text == "کابل"
    assert folded.span(0, 2) == f"کا{mark}"
    assert folded.span(0, 4) == f"کا{mark}بل"


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("ﻻ", "لا"),
        ("ﷲ", "الله"),
        ("ﻛﺎﺑﻞ", "کابل"),
        ("ＴＴＰ ５", "TTP 5"),
        ("می‌گوید", "می گوید"),
        ("12²", "12²"),  # a footnote, not 122
        ("3½", "3½"),  # not 31/2
        ("\0\ud800", "  "),
        ("a\r\nb\u2028c", "a \nb\nc"),
    ],
)
def test_in_known_cases(text: str, folded: str) -> None:
    assert fold(text).text == folded


def test_the_original_is_quoted_from_any_span() -> None:
    original = "وَزارت دفاع: ﻻ، ۱۲ تن در «كندهار»"
    folded = fold(original)
    start = folded.text.index("کندهار")
    assert folded.span(start, start + 6) == "كندهار"
    assert folded.span(0, 5) == "وَزارت"
    start = folded.text.index("لا")
    assert folded.span(start, start + 1) == folded.span(start, start + 2) == "ﻻ"


@given(TEXTS)
@example("ﷺ" * HEAD)
@example("\ud800" * 10)
def test_folding_twice_changes_nothing(text: str) -> None:
    once = fold(text)
    assert fold(once.text).text == once.text
    assert len(once.text) <= HEAD


@given(TEXTS)
def test_plain_text_keeps_its_length_and_holds_words_alone(text: str) -> None:
    folded = fold(text)
    assert folded.plain == plain(folded.text)
    assert len(folded.plain) == len(folded.text)
    assert len(plain(text)) == len(text)
    assert plain(plain(text)) == plain(text)
    for char in folded.plain:
        category = unicodedata.category(char)
        assert char == " " or category[0] == "L" or category == "Nd"


@given(TEXTS, st.integers(-3, 60), st.integers(-3, 60))
def test_a_span_is_a_piece_of_the_original_that_folds_to_it(
    text: str, start: int, end: int
) -> None:
    folded = fold(text)
    piece = folded.span(start, end)
    assert piece in text
    inner = folded.text[max(0, start) : max(0, end)]
    assert inner in fold(piece).text  # whole characters: a ligature may bring more


@given(TEXTS)
def test_offsets_rise_and_end_within_the_original(text: str) -> None:
    folded = fold(text)
    if folded.offsets is None:
        assert len(folded.text) == len(folded.original)
    else:
        assert len(folded.offsets) == len(folded.text) + 1
        assert list(folded.offsets) == sorted(folded.offsets)
        assert folded.offsets[-1] <= len(folded.original)


@given(TEXTS, st.integers(0, 8))
def test_sentences_follow_one_another(text: str, limit: int) -> None:
    folded = fold(text).text
    spans = sentences(folded, limit)
    assert len(spans) <= limit
    assert [start for start, _ in spans[1:]] == [end for _, end in spans[:-1]]
    assert all(start < end for start, end in spans)
    assert not spans or spans[0][0] == 0
    if limit > len(folded):
        assert not folded[spans[-1][1] if spans else 0 :].strip()


def test_five_megabytes_are_cut_at_the_head() -> None:
    assert len(fold("كابل " * 1_000_000).text) == HEAD
    assert len(fold("ً" * 5_000_000).text) == 0
    assert len(fold("ﷺ" * 5_000_000).text) == HEAD


@pytest.mark.parametrize(
    ("name", "plain_name"),
    [
        ("خيبر پښتونخوا", "خیبر پښتونخوا"),
        ("خیبر‌پښتونخوا", "خیبر پښتونخوا"),
        ("  ISIL (Khorasan)  ", "isil khorasan"),
        ("ولاية كُنَر", "ولایه کنر"),
        ("ٹی‌ٹی‌پی", "ٹی ٹی پی"),
        ("", ""),
    ],
)
def test_a_dictionary_name_in_plain_text(name: str, plain_name: str) -> None:
    assert key(name) == plain_name


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("انفجار شد. سه تن زخمی شدند.", ["انفجار شد.", "سه تن زخمی شدند."]),
        ("دھماکا ہوا۔پولیس پہنچ گئی۔", ["دھماکا ہوا۔", "پولیس پہنچ گئی۔"]),
        ("چه شد؟ نمی‌دانیم!", ["چه شد؟", "نمی‌دانیم!"]),
        ("در ۳٫۵ کیلومتری و 2.5 متر. پایان", ["در ۳٫۵ کیلومتری و 2.5 متر.", "پایان"]),
        ("۳۔۵ فیصد اضافہ ہوا۔ ختم", ["۳۔۵ فیصد اضافہ ہوا۔", "ختم"]),
        ("ایم۔کیو۔ایم کا جلسہ ہوا۔ ختم شد", ["ایم۔کیو۔ایم کا جلسہ ہوا۔", "ختم شد"]),
        ("د. ك. رئيس الهيئة قال. انتهى", ["د. ك. رئيس الهيئة قال.", "انتهى"]),
        ("عنوان خبر\n\nمتن خبر", ["عنوان خبر", "متن خبر"]),
        ("گزارش bbc.com نشان داد. پایان", ["گزارش bbc.com نشان داد.", "پایان"]),
        ("او گفت: «حمله شد.» بعد رفت", ["او گفت: «حمله شد.»", "بعد رفت"]),
        ("گفت... سپس رفت", ["گفت...", "سپس رفت"]),
        ("به گفتهٔ U.S. Army چنین نیست", ["به گفتهٔ U.S. Army چنین نیست"]),
    ],
)
def test_where_sentences_end(text: str, parts: list[str]) -> None:
    folded = fold(text)
    found = [folded.span(start, end).strip() for start, end in sentences(folded.text, 9)]
    assert found == parts


def test_no_more_sentences_than_asked_for() -> None:
    assert sentences("یک خبر. دو خبر. سه خبر.", 2) == [(0, 8), (8, 16)]
    assert sentences("یک خبر.", 0) == []
    assert sentences(" \n ", 3) == []
