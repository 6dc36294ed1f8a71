"""Who the killed were: by the noun that is counted, and by the role of an organisation that day."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import UTC, datetime
from importlib import resources

import pytest

from detectors.coding import code
from detectors.coding.casualties import harm
from detectors.coding.victims import KINDS, ROLES
from detectors.records import Casualties, Event, Report
from tests.coding_measures import scenario_victims

S, M, C = "security-forces", "militants", "civilians"
LANGUAGES = ("en", "fa", "ps", "ur", "ar")


def told(title: str, day: str = "2020-03-04", text: str = "") -> Event:
    at = datetime.fromisoformat(day).replace(hour=12, tzinfo=UTC)
    report = Report(id="v", source="v", seen_at=at, title=title, text=text, published_at=at)
    return code([report])[0].events[0]


def victims(title: str, day: str = "2020-03-04", text: str = "") -> tuple[str, ...]:
    return told(title, day, text).victims


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Four soldiers killed in ambush in Ghazni", (S,)),
        ("Four insurgents killed in clash in Ghazni", (M,)),
        ("Four people killed in Ghazni ambush", ()),
        ("Three soldiers and two civilians killed in Ghazni blast", (C, S)),
        ("Ten people, including three civilians, killed in Kunduz clash", (C,)),
        ("Nine people killed in Kunduz bombing, mostly women and children", (C,)),
        ("Five members of the security forces killed in Kunduz clash", (S,)),
        ("Five members of the Taliban killed in Kunduz clash", (M,)),
        ("Six intelligence officers killed in Ghazni car bombing", (S,)),
        ("Eight pro-government militiamen killed in Faryab attack", (S,)),
        ("Three uprising forces members killed in Takhar attack", (S,)),
        ("Three Daesh members killed in Kunar airstrike", (M,)),
        ("Two soldiers and as many insurgents killed in Kunar clash", (M, S)),
        ("Six killed as militants attack police post in Kunar", ()),
        ("Policeman among five killed in Kabul blast", (S,)),
        ("Two family members of a policeman killed in Kabul blast", (C,)),
        ("Bomb kills police doctor in Kabul", (C,)),
        ("Three former soldiers shot dead in Kandahar", ()),
        ("Three Taliban prisoners killed in Kunduz airstrike", ()),
        ("Gunmen shoot man dead in Kandahar", ()),
        ("Eight resistance forces members killed in Panjshir clash", (M,)),
        ("Nine fighters of both sides killed in Kunduz clash", ()),
        # Without a number
        ("Soldiers killed in ambush in Ghazni", (S,)),
        ("Blast kills policemen in Kabul", (S,)),
        ("Security forces kill insurgents in Zabul operation", (M,)),
        ("Taliban killed policemen in Helmand attack", (S,)),
        ("Several soldiers, Taliban killed in Kunduz clashes", (M, S)),
        ("In a clash with soldiers, Taliban killed in Kunduz", (M,)),
        # Who speaks, or is hurt, or is left out
        ("Two civilians killed in Kabul blast, a police official said", (C,)),
        ("Three civilians killed, seven policemen wounded in Kabul blast", (C,)),
        ("Three people killed and ten others, including policemen, wounded in Kabul blast", ()),
        ("No one was killed in attack on policemen in Kabul", ()),
    ],
)
def test_english_nouns_tell_who_was_killed(title: str, expected: tuple[str, ...]) -> None:
    assert victims(title) == expected


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("سه سرباز و دو غیرنظامی در انفجار غزنی کشته شدند", (C, S)),
        ("۱۲ تن از نیروهای امنیتی در حمله طالبان در غزنی کشته شدند", (S,)),
        ("سه تن از سوی طالبان در غزنی کشته شدند", ()),
        ("۱۱ دهشت‌افگن در عملیات غزنی کشته شدند", (M,)),
        ("شش نفر به شمول دو کودک در انفجار غزنی کشته شدند", (C,)),
        ("سه سرباز پیشین در قندهار کشته شدند", ()),
        ("کشته شدن سربازان در حمله طالبان در هلمند", (S,)),
        ("طالبان در حمله هوایی در غزنی هلاک شدند", (M,)),
        ("طالبان سربازان را در هلمند کشتند", (S,)),
        ("در حمله طالبان در هلمند کشته شدند", ()),
        ("د پولیسو لږ تر لږه درې غړي په غزني کې ووژل شول", (S,)),
        ("په غزني کې د داعش ۱۱ جنګیالي ووژل شول", (M,)),
        ("طالبانو په هلمند کې درې کسان ووژل", ()),
        ("په هلمند کې د طالبانو په برید کې سرتېري ووژل شول", (S,)),
        ("په هلمند کې په هوايي برید کې طالبان ووژل شول", (M,)),
    ],
)
def test_dari_and_pashto_nouns_tell_who_was_killed(title: str, expected: tuple[str, ...]) -> None:
    assert victims(title) == expected


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("ہنگو میں جھڑپ: 3 اہلکار شہید، 5 دہشت گرد ہلاک", (M, S)),
        ("جنوبی وزیرستان میں دھماکا، پاک فوج کے 3 جوان شہید", (S,)),
        ("لکی مروت میں کارروائی، 7 خوارج ہلاک", (M,)),
        ("خضدار میں دھماکا، دو بچوں سمیت پانچ افراد جاں بحق", (C,)),
        ("پشاور میں فائرنگ سے پولیو اہلکار قتل", (C,)),
        ("باجوڑ: فورسز نے دہشت گردوں کو آپریشن میں ہلاک کر دیا", (M,)),
        ("پشاور میں دھماکے سے پانچ افراد جاں بحق", ()),
        ("مقتل ثلاثة من عناصر الشرطة ومدني في هجوم في كويتا الباكستانية", (C, S)),
        ("مقتل خمسة أشخاص على يد مسلحين في كويتا الباكستانية", ()),
        ("مقتل مسلحين في عملية للجيش الباكستاني في وزيرستان", (M,)),
        ("مقتل 10 أشخاص بينهم 3 أطفال بانفجار في كويتا الباكستانية", (C,)),
        ("مقتل سبعة من الجنود في كمين لطالبان باكستان في خيبر", (S,)),
        ("مقتل جنديين سابقين في هجوم في كويتا الباكستانية", ()),
    ],
)
def test_urdu_and_arabic_nouns_tell_who_was_killed(title: str, expected: tuple[str, ...]) -> None:
    assert victims(title, "2025-02-12") == expected


@pytest.mark.parametrize(
    ("title", "day", "expected"),
    [
        ("Three Taliban members killed in Kabul blast", "2021-08-14", (M,)),
        ("Three Taliban members killed in Kabul blast", "2021-08-20", (S,)),
        ("Three Taliban fighters killed in Kabul blast", "2022-06-01", (S,)),
        ("Three Islamic State fighters killed in Kabul raid", "2022-06-01", (M,)),
        ("Three resistance fighters killed in Panjshir clash", "2022-06-01", (M,)),
        ("Six Taliban militants killed in North Waziristan operation", "2022-06-01", (M,)),
        ("Six Pakistani Taliban killed in North Waziristan operation", "2022-06-01", (M,)),
        ("Six Taliban killed in North Waziristan operation", "2022-06-01", ()),  # which?
        ("Five of Fitna-al-Hindustan killed in Kech raid", "2025-06-11", (M,)),
        ("سه عضو طالبان در انفجار کابل کشته شدند", "2020-06-01", (M,)),
        ("سه عضو طالبان در انفجار کابل کشته شدند", "2022-06-01", (S,)),
        ("مقتل ثلاثة من عناصر طالبان بانفجار في كابول", "2020-06-01", (M,)),
        ("مقتل ثلاثة من عناصر طالبان بانفجار في كابول", "2022-06-01", (S,)),
    ],
)
def test_a_name_is_what_its_organisation_was_on_the_day(
    title: str, day: str, expected: tuple[str, ...]
) -> None:
    assert victims(title, day) == expected


def test_the_lead_tells_what_the_title_leaves_out() -> None:
    title = "Bomb kills four in Kunduz"
    assert victims(title, text="Four policemen were killed on Tuesday, officials said.") == (S,)
    assert victims(title, text="Four people were killed on Tuesday, police said.") == ()


@pytest.mark.parametrize(
    "title",
    [
        "Militants, including three commanders, killed in Kunar operation",
        "در حمله هوایی در کنر شورشیان به شمول سه فرمانده کشته شدند",
    ],
)
def test_a_part_of_an_unsaid_number_is_not_the_number(title: str) -> None:
    assert told(title).killed is None


def test_who_speaks_is_not_counted() -> None:
    found = harm("two civilians were killed in the blast, a police official said").killed
    assert found is not None
    assert found.best == 2
    assert told("یک مسوول محلی: دو سرباز در بغلان کشته شدند").killed == Casualties(2, 2, 2)


def test_a_day_of_a_month_is_not_counted() -> None:
    for day in ("11 january", "31 may"):
        found = harm(f"a battle in kabul on saturday, {day}, left one soldier dead").killed
        assert found is not None
        assert found.best == 1


def test_whose_part_is_told_is_told_too() -> None:
    assert victims("Militants, including three commanders, killed in Kunar operation") == (M,)


def test_parts_of_a_said_number_stay_parts() -> None:
    found = harm(
        "ten people, including three children, were killed; two of them were guards"
    ).killed
    assert found is not None
    assert found.best == 10


@pytest.mark.parametrize(
    "title", ["Blast wounds six soldiers in Kabul", "Gunmen abduct six policemen in Kabul"]
)
def test_none_are_told_where_none_died(title: str) -> None:
    assert victims(title) == ()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_tables_are_sound(language: str) -> None:
    path = resources.files("detectors.coding").joinpath(f"victims_{language}.csv")
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    assert {row["kind"] for row in rows} <= KINDS | set(ROLES)
    assert {row["kind"] for row in rows} >= KINDS
    assert max(Counter(row["word"] for row in rows).values()) == 1
    reviewers = {row["reviewer"] for row in rows}
    assert reviewers == ({""} if language == "en" else {"none: machine-written"})


def test_the_scenario_is_read_as_it_is_told() -> None:
    shares, wrong = scenario_victims()
    assert {language: share.value >= 0.95 for language, share in shares.items()} == dict.fromkeys(
        ("en", "fa", "ps", "ur"), True
    ), wrong[:5]
