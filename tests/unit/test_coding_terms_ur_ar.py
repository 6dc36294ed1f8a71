"""The tables of Urdu and Arabic: well formed, complete, and silent on ordinary news."""

from __future__ import annotations

import csv
import unicodedata
from collections import Counter
from datetime import UTC, datetime
from importlib import resources

import pytest

from detectors.coding import code, script
from detectors.coding.lexicon import OTHERS, TRIGGERS
from detectors.records import Event, Report

LANGUAGES = ("ur", "ar")
NOON = datetime(2025, 3, 5, 8, tzinfo=UTC)  # a Wednesday

CUES = {"negated", "denied", "plot", "aside", "hypothetical", "future"}
WHOLE = {"generic", "historical", "foiled", "natural", "target", "armed", "mask"}
NOUNS = {"civilian", "person", "not_people", "claim", "confirm"}
#: Modes of PLOVER (Open Event Data Alliance, 2021) by the class that may have them.
MODES = {
    "act": {
        "suicide-attack", "aerial", "abduct", "assassinate", "execute", "explosives",
        "heavy-weapons", "firearms", "beat",
    },
    "act_weak": {"aerial", "explosives", "heavy-weapons", "execute"},
    "blast": {"explosives"},
    "fight": {"firearms"},
    "CONSULT": {"visit", "third-party", "phone"},
    "RETREAT": {"withdraw", "release", "return", "disarm", "ceasefire", "access", "ease"},
    "ACCUSE": {"disapprove", "investigate", "allege"},
    "PROTEST": {"demo", "hunger", "boycott", "obstruct", "riot"},
    "SANCTION": {"expel", "withdraw", "discontinue"},
    "MOBILIZE": {"troops", "police", "weapons", "militia"},
    "COERCE": {"seize", "restrict", "ban", "curfew", "martial-law", "arrest", "deport"},
}  # fmt: skip
NUMBERS = {"unit", "ten", "hundred", "thousand", "vague", "lone"}
QUALIFIERS = {"join", "at_least", "at_most", "about"}
DAYS = {"weekday", "ago", "ahead", "gregorian", "islamic", "past", "said"}


def table(name: str) -> list[dict[str, str]]:
    text = resources.files("detectors.coding").joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def found_twice(keys: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    return [key for key, count in Counter(keys).items() if count > 1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_term_has_a_known_class_and_mode(language: str) -> None:
    rows = table(f"terms_{language}.csv")
    assert list(rows[0]) == ["term", "class", "mode", "reviewer"]
    known = {*TRIGGERS, *OTHERS, *CUES, *WHOLE, *NOUNS}
    for row in rows:
        assert row["class"] in known, row
        assert not row["mode"] or row["mode"] in MODES.get(row["class"], ()), row
        assert row["reviewer"] == "none: machine-written", row


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_row_stands_twice(language: str) -> None:
    terms = table(f"terms_{language}.csv")
    assert not found_twice([(script.key(row["term"]), row["class"]) for row in terms])
    for name in ("numbers", "days"):
        words = table(f"{name}_{language}.csv")
        assert not found_twice([(script.key(row["word"]),) for row in words])


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_word_that_masks_means_no_violence(language: str) -> None:
    rows = table(f"terms_{language}.csv")
    masks = {script.key(row["term"]) for row in rows if row["class"] == "mask"}
    violent = {script.key(row["term"]) for row in rows if row["class"] in TRIGGERS}
    assert sorted(masks & violent) == []


#: Letters that only the other language has.
FOREIGN = {"ur": "كيةىأإ", "ar": "پچژگکیےںٹڈڑہھۂۃۓ"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["terms", "numbers", "days"])
def test_every_word_is_in_the_letters_of_its_language(language: str, name: str) -> None:
    for row in table(f"{name}_{language}.csv"):
        word = row.get("term") or row["word"]
        assert word == " ".join(word.split()), row
        assert script.key(word), row
        assert not set(word) & set(FOREIGN[language]), row
        for char in word:
            category = unicodedata.category(char)
            arabic = category in ("Lo", "Lm", "Mn") and "ARABIC" in unicodedata.name(char)
            assert arabic or char.isdigit() or char in " \u200c", row


@pytest.mark.parametrize("language", LANGUAGES)
def test_numbers_are_complete_ranges(language: str) -> None:
    rows = table(f"numbers_{language}.csv")
    assert list(rows[0]) == ["word", "low", "best", "high", "kind"]
    for row in rows:
        assert row["kind"] in NUMBERS | QUALIFIERS, row
        if row["kind"] in NUMBERS:
            assert 0 < int(row["low"]) <= int(row["best"]) <= int(row["high"]), row
            assert row["kind"] == "vague" or row["low"] == row["high"], row
        else:
            assert row["low"] == row["best"] == row["high"] == "", row
    values = {int(row["best"]) for row in rows if row["kind"] in NUMBERS}
    assert values >= {*range(1, 21), *range(20, 101, 10), 1000}
    assert {row["kind"] for row in rows} == NUMBERS | QUALIFIERS


@pytest.mark.parametrize("language", LANGUAGES)
def test_days_have_all_weekdays_and_months(language: str) -> None:
    rows = table(f"days_{language}.csv")
    assert list(rows[0]) == ["word", "kind", "value"]
    values: dict[str, set[int]] = {}
    for row in rows:
        assert row["kind"] in DAYS, row
        assert (row["value"] == "") == (row["kind"] == "said"), row
        values.setdefault(row["kind"], set()).add(int(row["value"] or 0))
    assert values["weekday"] == set(range(7))
    assert values["gregorian"] == values["islamic"] == set(range(1, 13))
    assert {0, 1, 2} <= values["ago"]
    assert {1, 2, 3, 7} <= values["past"]


def coded(text: str) -> Event | None:
    report = Report(id="r", source="s", seen_at=NOON, title=text, published_at=NOON)
    return next(iter(code([report])[0].events), None)


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        pytest.param("کوئٹہ میں خودکش حملہ، 12 افراد جاں بحق", "suicide-attack", id="a headline"),
        pytest.param("شمالی وزیرستان: آپریشن میں 5 خوارج جہنم واصل", None, id="a statement"),
        pytest.param("کوئٹہ: پولیس چوکی پر حملہ، دو اہلکار شہید", None, id="police post"),
        pytest.param("خضدار: فائرنگ سے پانچ مزدور قتل کر دیے گئے", "firearms", id="labourers"),
        pytest.param("مستونگ میں سڑک کنارے نصب بم کا دھماکہ", "explosives", id="roadside"),
        pytest.param("باجوڑ میں مارٹر گولہ گرنے سے 4 افراد ہلاک", "heavy-weapons", id="mortar"),
        pytest.param("کابل میں ڈرون حملے میں تین جنگجو مارے گئے", "aerial", id="drone"),
        pytest.param("کوئٹہ سے تین مزدور اغوا کر لیے گئے", "abduct", id="abducted"),
        pytest.param("مقتل 12 شخصا في تفجير انتحاري في كويتا", "suicide-attack", id="suicide"),
        pytest.param("مقتل خمسة جنود في كمين في بيشاور", None, id="ambush"),
        pytest.param("غارات جوية على كابول توقع قتلى", "aerial", id="air raids"),
        pytest.param("لقي 3 أشخاص مصرعهم في إطلاق نار في بيشاور", "firearms", id="shooting"),
        pytest.param("انفجار قرب محكمة في إسلام آباد", "explosives", id="near a court"),
        pytest.param("اختطف مسلحون سبعة عمال في بلوشستان", "abduct", id="abducted, Arabic"),
        pytest.param("مقتل 5 إرهابيين كانوا يخططون لشن هجمات في كويتا", None, id="who planned"),
    ],
)  # fmt: skip
def test_armed_violence_is_found(text: str, mode: str | None) -> None:
    event = coded(text)
    assert event is not None
    assert (event.event, event.mode, event.auxiliary) == ("ASSAULT", mode, ())


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("لاہور میں گیس سلنڈر دھماکہ، 5 افراد ہلاک", id="gas cylinder"),
        pytest.param("کوئٹہ کے قریب بس کھائی میں گرنے سے 20 مسافر جاں بحق", id="a bus fell"),
        pytest.param("پشاور میں پیٹرول بم، قیمت میں 10 روپے اضافہ", id="petrol bomb: the price"),
        pytest.param("لاہور میں دھماکے دار بیٹنگ، 60 رنز بنا ڈالے", id="batting"),
        pytest.param("لاہور میں فائنل، حملہ آور بلے باز کی نصف سنچری", id="attacking batsman"),
        pytest.param("پشاور میں ہوائی فائرنگ سے بچی جاں بحق", id="firing into the air"),
        pytest.param("کراچی میں شہید ملت روڈ ٹریفک کے لیے بند", id="a road's name"),
        pytest.param("لاہور میں دل کا دورہ پڑنے سے اداکار ہلاک", id="heart attack"),
        pytest.param("اسلام آباد میں پولیو کے خلاف جنگ جاری", id="war on polio"),
        pytest.param("مقتل 40 شخصا في حادث سير في بيشاور", id="road accident"),
        pytest.param("زلزال في كابول يودي بحياة 800 شخص", id="earthquake"),
        pytest.param("انفجار أسطوانة غاز في لاهور يقتل 6", id="gas cylinder, Arabic"),
        pytest.param("هجوم إلكتروني يستهدف وزارة في إسلام آباد", id="cyber attack"),
        pytest.param("إصابة مهاجم المنتخب في كابول قبل مباراة ودية", id="a striker"),
        pytest.param("الحرب التجارية تضرب لاهور", id="trade war"),
        pytest.param("لاهور تسجل 50 إصابة جديدة بفيروس كورونا", id="infections"),
    ],
)  # fmt: skip
def test_ordinary_news_is_not_violence(text: str) -> None:
    event = coded(text)
    assert event is None or event.event != "ASSAULT"
