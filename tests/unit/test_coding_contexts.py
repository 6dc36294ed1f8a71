"""Contexts: the vocabulary, the phrases of five languages, and what an event gets of them."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import UTC, datetime
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.coding import code, script
from detectors.coding.contexts import LANGUAGES, MASK, known, named, vocabulary
from detectors.coding.normalise import fold, key, normalise
from detectors.records import Event, IncidentRecord, Interval, Report

AT = datetime(2025, 2, 12, 12, tzinfo=UTC)
DAY = Interval(AT.date(), AT.date())


def rows(table: str) -> list[dict[str, str]]:
    text = resources.files("detectors.coding").joinpath(table).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def of(sentence: str, language: str) -> set[str]:
    """The contexts of a sentence as it is written."""
    plain = (
        normalise(fold(sentence)).decode("ascii")
        if language == "en"
        else script.fold(sentence).plain
    )
    return set(named(plain, language))


def events(title: str, text: str = "", record: IncidentRecord | None = None) -> tuple[Event, ...]:
    report = Report(id="r", source="s", seen_at=AT, title=title, text=text, record=record)
    return code([report])[0].events


ENGLISH = [
    ("Girls' schools stay closed in Kandahar", {"gender", "rights_freedoms"}),
    ("Women's rights activists held in Herat", {"gender", "rights_freedoms"}),
    ("Court sentences two men to death in Sukkur", {"legal"}),
    ("Traders protest at closure of the border at Chaman", {"economic", "migration"}),
    ("Refugees return through Torkham", {"migration"}),
    ("A family was granted asylum", {"asylum"}),
    ("Gunmen attack Shia mosque in Kunduz", {"religion_ethnicity"}),
    ("Envoys and foreign ministers meet in Doha", {"diplomatic"}),
    ("Voters queue at polling stations", {"election"}),
    ("Polio vaccinators beaten in Bannu", {"health"}),
    ("Flash floods cut the road", {"disasters"}),
    ("Dam on the Helmand River divides neighbours", {"natural_resources"}),
    ("The spy was exchanged", {"intelligence"}),
    ("Officials took bribes from smugglers", {"corruption", "crime"}),
    ("Lawmakers debate the constitution", {"legislative", "political_institutions"}),
    ("Farmers destroy opium", {"illegal_drugs"}),
    ("Inspectors visit the uranium plant", {"cbrn"}),
    ("Aid workers reach the valley with relief goods", {"humanitarian"}),
    ("Border fence along the Durand Line cut", {"territory"}),
    ("Internet shutdown in its third week", {"rights_freedoms", "technology"}),
]


@pytest.mark.parametrize(("sentence", "contexts"), ENGLISH)
def test_english_phrases_name_contexts(sentence: str, contexts: set[str]) -> None:
    assert of(sentence, "en") == contexts


@pytest.mark.parametrize(
    ("language", "sentence", "contexts"),
    [
        ("fa", "ممنوعیت تحصیل دختران در کابل ادامه دارد", {"gender", "rights_freedoms"}),
        ("fa", "هزاران مهاجر از گذرگاه اسلام‌قلعه برگشتند", {"migration"}),
        ("fa", "ارزش صادرات از راه تورخم کم شد", {"economic"}),
        ("fa", "حمله بر مسجد شیعیان در کندز", {"religion_ethnicity"}),
        ("fa", "وزیران خارجه دو کشور دیدار کردند", {"diplomatic"}),
        ("fa", "سیلاب‌ها در بغلان خانه‌ها را برد", {"disasters"}),
        ("ps", "د نجونو ښوونځي لا هم تړلي دي", {"gender", "rights_freedoms"}),
        ("ps", "زرګونه کډوال له تورخم راستانه شول", {"migration"}),
        ("ps", "د بهرنیو چارو وزیر کابل ته ورسېد", {"diplomatic"}),
        ("ps", "سېلابونو په هلمند کې کورونه یوړل", {"disasters"}),
        ("ps", "محکمې دوه تنو ته سزا ورکړه", {"legal"}),
        ("ur", "لڑکیوں کے سکول بند رہیں گے", {"gender", "rights_freedoms"}),
        ("ur", "عدالت نے دو ملزمان کو رہا کر دیا", {"legal"}),
        ("ur", "تاجروں نے سرحد کی بندش پر احتجاج کیا", {"economic", "migration"}),
        ("ur", "پولیو ٹیم پر بنوں میں فائرنگ", {"health"}),
        ("ur", "الیکشن کمیشن نے تاریخ دے دی", {"election"}),
        ("ar", "استمرار حظر تعليم الفتيات في كابول", {"gender", "rights_freedoms"}),
        ("ar", "عودة اللاجئين عبر طورخم", {"migration"}),
        ("ar", "وللمحكمة العليا رأي آخر", {"legal"}),
        ("ar", "السفير يلتقي وزير الخارجية", {"diplomatic"}),
        ("ar", "الفيضانات تدمر منازل في بغلان", {"disasters"}),
    ],
)
def test_phrases_of_the_other_languages_name_contexts(
    language: str, sentence: str, contexts: set[str]
) -> None:
    assert of(sentence, language) == contexts


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        pytest.param("en", "The tennis court was resurfaced", id="a court of another kind"),
        pytest.param("en", "They traded blows as the ministers trade barbs", id="trade of words"),
        pytest.param("en", "A flood of complaints reached the editor", id="a flood of words"),
        pytest.param("en", "The wounded were taken to the military hospital", id="a hospital"),
        pytest.param("en", "Prisoners began a hunger strike", id="hunger as a protest"),
        pytest.param("en", "An army spokesman confirmed the toll", id="who speaks"),
        pytest.param("en", "The courtyard of a trademark office", id="parts of words"),
        pytest.param("ur", "دھماکے کی آواز دور تک سنی گئی", id="heard, not a sect"),
        pytest.param("ps", "درې تنه ووژل شول", id="three, not whips"),
        pytest.param("ur", "مزار شریف میں دھماکہ", id="a city, not a shrine"),
        pytest.param("ar", "انفجار في مزار شريف", id="the same in Arabic"),
        pytest.param("fa", "باند فرودگاه بسته شد", id="a runway, not a gang"),
    ],
)
def test_a_word_of_another_meaning_names_nothing(language: str, sentence: str) -> None:
    assert of(sentence, language) == set()


def test_a_masked_phrase_may_name_a_context_itself() -> None:
    assert of("The ministry buys artificial intelligence", "en") == {"technology"}


def test_an_event_has_the_contexts_of_title_sentence_and_what_follows() -> None:
    (event, *_) = events("Blast at church in Quetta", "A bomb killed three voters on Sunday.")
    assert event.event == "ASSAULT"
    assert event.contexts == ("election", "religion_ethnicity")


def test_the_title_tells_what_an_event_of_the_next_sentence_is_about() -> None:
    (event, *_) = events(
        "Polio campaign suspended", "Gunmen killed two people in Peshawar on Monday."
    )
    assert (event.event, event.contexts) == ("ASSAULT", ("health",))


def test_background_far_below_lends_no_context() -> None:
    text = "A bomb killed three people in Quetta. It rained. The road was shut. Elections are due."
    (event, *_) = events("Blast hits Quetta", text)
    assert event.contexts == ()


def test_every_copy_of_an_event_has_the_same_contexts() -> None:
    copies = events("Gunmen kill two polio vaccinators in Peshawar")
    assert len(copies) == 2
    assert {event.contexts for event in copies} == {("health",)}


def test_a_structured_record_brings_its_own() -> None:
    record = IncidentRecord(
        "PROTEST", DAY, country="PAK", admin1="PK-BA", mode="demo", contexts=("economic",)
    )
    (event, *_) = events("Election courts", record=record)
    assert (event.mode, event.contexts) == ("demo", ("economic",))


# The tables


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_table_has_known_contexts_once_each_and_says_who_read_it(language: str) -> None:
    table = rows(f"contexts_{language}.csv")
    assert {row["context"] for row in table} <= {*vocabulary(), MASK}
    assert all(row["reviewer"] for row in table)
    write = key if language == "en" else script.key
    counts = Counter((write(row["phrase"]), row["context"]) for row in table)
    assert [pair for pair, count in counts.items() if count > 1 or not pair[0]] == []


def test_every_context_has_english_phrases_and_what_matters_here_has_them_in_each_language() -> (
    None
):
    of_language = {
        language: {row["context"] for row in rows(f"contexts_{language}.csv")}
        for language in LANGUAGES
    }
    assert of_language["en"] - {MASK} == set(vocabulary())
    here = {
        "rights_freedoms", "gender", "human_rights", "migration", "asylum", "economic",
        "religion_ethnicity", "diplomatic", "election", "legal", "health", "disasters", "military",
        "intelligence", "crime", "corruption", "environment", "natural_resources", "humanitarian",
    }  # fmt: skip
    for language in LANGUAGES:
        assert here - of_language[language] == set(), language


def test_other_tables_use_the_same_names() -> None:
    for table in ("acts_en.csv", "cameo.csv"):
        told = {name for row in rows(table) for name in row["context"].split(";") if name}
        assert told - set(vocabulary()) == set(), table


@pytest.mark.parametrize(
    ("name", "context"),
    [
        ("military", "military"),
        ("Pro-Autocracy", "pro_autocracy"),
        ("religion ethnicity", "religion_ethnicity"),
        ("disease", "health"),
        ("enviro_disaster", "disasters"),
        ("sport", None),
        ("", None),
    ],
)
def test_names_of_drafts_and_data_sets_are_known(name: str, context: str | None) -> None:
    assert known(name) == context


@given(st.text(max_size=200), st.sampled_from(LANGUAGES))
def test_any_text_is_read(text: str, language: str) -> None:
    found = named(text, language)
    assert list(found) == sorted(set(found))
    assert set(found) <= set(vocabulary())
