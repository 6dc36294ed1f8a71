"""The actor registry through time: its data, its look-ups, and what its check refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.coding import code
from detectors.coding.actors import coded, named
from detectors.coding.lexicon import Entry, Hit
from detectors.records import Report
from detectors.world import check as world
from detectors.world.actors import ACTORS, LANGUAGES, actor, aliases, masks
from detectors.world.actors.check import Tables, problems, shipped
from detectors.world.actors.spelling import spelling

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
BEFORE, AFTER = date(2021, 8, 14), date(2021, 8, 15)
SPRING = date(2020, 6, 1)
NOW = date(2025, 11, 1)


# The data


def test_nothing_is_wrong_with_the_registry() -> None:
    assert problems() == []
    assert world.problems() == []


def test_every_organisation_that_events_may_carry_is_known() -> None:
    carried = """
    taliban haqqani-network iskp ispp al-qaida ttp jamaat-ul-ahrar north-waziristan-shura
    ittehad-ul-mujahideen-pakistan tehreek-e-jihad-pakistan lashkar-e-islam lashkar-e-jhangvi
    lashkar-e-taiba jaish-e-mohammed bla blf bra brg bras bna uba baloch-groups
    sindhudesh-revolutionary-army nrf aff hezb-i-islami imu etim militants afg-forces pak-military
    pak-frontier-corps pak-rangers pak-police pak-isi us-forces nato iran-forces india-forces un
    civilians
    """
    assert set(carried.split()) <= set(ACTORS)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data are not beside here")
def test_references_are_those_of_the_lists_of_the_security_council() -> None:
    listed = json.loads((SHARED / "sanctions" / "un_entities_taliban_aq.json").read_text())
    names = {row["ref"]: {spelling(row["name"]), *map(spelling, row["aliases"])} for row in listed}
    for known in ACTORS.values():
        for reference in known.identifiers:
            assert reference in names, reference
    assert spelling("Tehrik-e-Taliban") in names["QDe.132"]
    assert ACTORS["ttp"].identifiers == ("QDe.132",)


def test_names_in_other_scripts_say_that_nobody_has_reviewed_them() -> None:
    written = [name for known in ACTORS.values() for name in known.names if name.language != "en"]
    assert {name.reviewer for name in written} == {"none: machine-written"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "id",
    ["taliban", "haqqani-network", "iskp", "al-qaida", "ttp", "bla", "nrf", "aff", "afg-forces",
     "pak-military", "pak-police", "un", "militants", "civilians"],
)  # fmt: skip
def test_what_news_names_has_a_name_in_every_language(id: str, language: str) -> None:
    assert any(name.language == language for name in ACTORS[id].names)


# Through time


@pytest.mark.parametrize(
    ("id", "on", "kind", "side", "within"),
    [
        pytest.param("taliban", BEFORE, "armed-group", "insurgent", "", id="the day before"),
        pytest.param("taliban", AFTER, "government", "de-facto-authority", "", id="the day"),
        pytest.param("afg-forces", BEFORE, "government", "state", "", id="the republic's last"),
        pytest.param("iskp", SPRING, "armed-group", "insurgent", "isil", id="a branch"),
        pytest.param("hizb-ul-ahrar", date(2020, 8, 16), "armed-group", "insurgent", "", id="out"),
        pytest.param("hizb-ul-ahrar", date(2020, 8, 17), "armed-group", "insurgent", "ttp", id="i"),
        pytest.param("uba", date(2022, 1, 11), "armed-group", "insurgent", "bna", id="merged"),
        pytest.param("hezb-i-islami", NOW, "political", "political", "", id="after its peace"),
    ],
)  # fmt: skip
def test_a_role_holds_on_its_days(id: str, on: date, kind: str, side: str, within: str) -> None:
    role = actor(id, on).role
    assert role is not None
    assert (role.kind, role.side, role.within) == (kind, side, within)


@pytest.mark.parametrize(
    ("id", "on"),
    [
        pytest.param("afg-forces", AFTER, id="dissolved"),
        pytest.param("nrf", BEFORE, id="not yet"),
        pytest.param("bna", date(2022, 1, 10), id="not yet merged"),
        pytest.param("northern-alliance", AFTER, id="of another time"),
    ],
)
def test_an_organisation_with_no_role_has_no_names(id: str, on: date) -> None:
    assert (actor(id, on).role, actor(id, on).names) == (None, ())


@pytest.mark.parametrize(
    ("id", "language", "name", "first"),
    [
        ("ttp", "en", "Fitna al-Khawarij", date(2024, 7, 26)),
        ("ttp", "ur", "فتنہ الخوارج", date(2024, 7, 26)),
        ("ttp", "ur", "خارجی", date(2024, 7, 26)),
        ("baloch-groups", "en", "Fitna al-Hindustan", date(2025, 5, 1)),
        ("baloch-groups", "ur", "فتنہ الہندوستان", date(2025, 5, 1)),
    ],
)
def test_what_a_state_calls_others_is_its_own_from_its_day_on(
    id: str, language: str, name: str, first: date
) -> None:
    earlier = date.fromordinal(first.toordinal() - 1)
    assert name in actor(id, first).called(language, "pak-government")
    assert name not in actor(id, first).called(language)
    assert name not in actor(id, earlier).called(language, "pak-government")


@given(id=st.sampled_from(sorted(ACTORS)), on=st.dates(date(1995, 1, 1), date(2030, 12, 31)))
def test_an_actor_and_the_aliases_agree_on_every_day(id: str, on: date) -> None:
    found = actor(id, on)
    held = {
        (alias.text, alias.language, alias.speaker, alias.country)
        for alias in aliases()
        if alias.actor == id and alias.holds(on)
    }
    assert {(n.text, n.language, n.speaker, n.country) for n in found.names} == held
    assert found.role is None or found.role.holds(on)


def test_a_language_takes_its_own_rows() -> None:
    assert {alias.language for alias in aliases("ps")} == {"ps"}
    assert sum(len(aliases(language)) for language in LANGUAGES) == len(aliases())


# English, through the coder


def _actors(title: str, on: date, text: str = "") -> tuple[str, ...]:
    at = datetime(on.year, on.month, on.day, 12, tzinfo=UTC)
    events = code([Report(id="a", source="s", seen_at=at, title=title, text=text)])[0].events
    return events[0].actors if events else ()


@pytest.mark.parametrize(
    ("title", "on", "there", "not_there"),
    [
        pytest.param(
            "Husain Haqqani group condemns Kabul bombing that killed six", SPRING, "",
            "haqqani-network", id="a diplomat's surname",
        ),
        pytest.param(
            "Bomb kills six in Bannu, see http://ttp.example.org/http", SPRING, "", "bla",
            id="an acronym elsewhere",
        ),
        pytest.param(
            "Blast kills four at Parwan detention facility", SPRING, "", "afg-forces", id="a prison"
        ),
        pytest.param(
            "Security forces kill 12 Fitna al Khwarij in Bannu", NOW, "ttp", "militants",
            id="a renaming is not peace",
        ),
        pytest.param(
            "Fitna al Hindustan kills five in Panjgur", NOW, "baloch-groups", "ttp", id="another"
        ),
        pytest.param(
            "Northern Alliance fighters kill four Taliban in Panjshir", date(2021, 9, 4),
            "taliban", "northern-alliance", id="a name of twenty years before",
        ),
        pytest.param(
            "Resistance Front kills four Taliban in Panjshir", NOW, "nrf", "", id="here"
        ),
        pytest.param(
            "Resistance Front gunmen kill four in Muzaffarabad", NOW, "", "nrf", id="elsewhere"
        ),
        pytest.param("Daesh kills four in Kunar", NOW, "iskp", "isil", id="the branch"),
        pytest.param(
            "Police kill four militants in Kandahar", NOW, "taliban", "pak-police", id="police here"
        ),
        pytest.param(
            "Police kill four militants in Peshawar", NOW, "pak-police", "taliban", id="and there"
        ),
        pytest.param(
            "Afghan forces kill three in Chaman shelling", NOW, "taliban", "afg-forces",
            id="in a neighbour's country",
        ),
    ],
)  # fmt: skip
def test_an_english_name_means_one_organisation_there_and_then(
    title: str, on: date, there: str, not_there: str
) -> None:
    found = _actors(title, on)
    assert not there or there in found
    assert not_there not in found


@pytest.mark.parametrize("name", ["http", "https", "httpd", "fttp"])
def test_an_acronym_is_not_found_in_a_word(name: str) -> None:
    assert "ttp" not in _actors(f"Bomb kills six in Bannu, says {name}", SPRING)


@pytest.mark.parametrize(
    ("name", "country", "on", "ids"),
    [
        pytest.param("Government of Afghanistan", "AFG", BEFORE, ("afg-forces",), id="before"),
        pytest.param("Government of Afghanistan", "AFG", AFTER, ("taliban",), id="after"),
        pytest.param("Government of Pakistan", "AFG", NOW, ("pak-military",), id="over a border"),
        pytest.param("Government of Pakistan", "PAK", NOW, ("pak-military",), id="at home"),
        pytest.param("IS", "PAK", NOW, ("iskp",), id="a source's own acronym"),
        pytest.param("تحریک طالبان پاکستان", "PAK", NOW, ("ttp",), id="in Urdu"),
        pytest.param("؟", "PAK", NOW, (), id="no word at all"),
    ],
)
def test_structured_names_are_coded_by_country_and_day(
    name: str, country: str, on: date, ids: tuple[str, ...]
) -> None:
    assert coded([name], country, on) == ids


# Other languages: whole words, the longest first, as a coder reads


def _read(text: str, language: str, country: str, on: date) -> tuple[str, ...]:
    entries: dict[str, Entry] = {}
    for alias in aliases(language):
        entry = entries.setdefault(spelling(alias.text), Entry())
        entry.aliases = [*entry.aliases, alias]
    for mask in masks(language):
        entries[spelling(mask.phrase)] = Entry(mask=True)
    return named(_hits(spelling(text).split(), entries), country, on)


def _hits(words: list[str], entries: dict[str, Entry]) -> Iterator[Hit]:
    at = 0
    while at < len(words):
        ends = (end for end in range(len(words), at, -1) if " ".join(words[at:end]) in entries)
        end = next(ends, None)
        if end is not None:
            yield Hit(at, end, entries[" ".join(words[at:end])])
        at = end or at + 1


@pytest.mark.parametrize(
    ("text", "language", "country", "ids"),
    [
        pytest.param("طالبان در کندهار", "fa", "AFG", {"taliban"}, id="fa: the Taliban"),
        pytest.param("طالبان پاکستانی در بنو", "fa", "PAK", {"ttp"}, id="fa: the Pakistani"),
        pytest.param("طالبان علم در هرات", "fa", "AFG", set(), id="fa: seekers of knowledge"),
        pytest.param("داعش در کابل", "fa", "AFG", {"iskp"}, id="fa: the branch"),
        pytest.param("داعش در سوریه", "fa", "SYR", {"isil"}, id="fa: the core"),
        pytest.param("شورای امنیت ملی", "fa", "AFG", set(), id="fa: a national council"),
        pytest.param("شورای امنیت", "fa", "AFG", {"un-security-council"}, id="fa: the UN's"),
        pytest.param("حسین حقانی در کابل", "fa", "AFG", set(), id="fa: a surname"),
        pytest.param("شبکهٔ حقانی", "fa", "AFG", {"haqqani-network"}, id="fa: the network"),
        pytest.param("جبههٔ مقاومت در پنجشیر", "fa", "AFG", {"nrf"}, id="fa: here"),
        pytest.param("جبهه مقاومت در لبنان", "fa", "LBN", set(), id="fa: elsewhere"),
        pytest.param("جبههٔ آزادی افغانستان", "fa", "AFG", {"aff"}, id="fa: the freedom front"),
        pytest.param("خوارج په کونړ کې", "ps", "AFG", {"iskp"}, id="ps: as the Taliban say"),
        pytest.param("خوارج په بنو کې", "ps", "PAK", {"ttp"}, id="ps: as Pakistan says"),
        pytest.param("د پاکستان د طالبانو تحریک", "ps", "PAK", {"ttp"}, id="ps: the TTP"),
        pytest.param(
            "وسله والو پر پولیسو برید", "ps", "PAK", {"militants", "pak-police"}, id="ps: there"
        ),
        pytest.param("پر پوليسو برید", "ps", "AFG", {"taliban"}, id="ps: police here, another yeh"),
        pytest.param("13 خوارج ہلاک", "ur", "PAK", {"ttp"}, id="ur: as Pakistan says"),
        pytest.param("فتنۃ الخوارج", "ur", "PAK", {"ttp"}, id="ur: another heh"),
        pytest.param("فتنہ الہندوستان", "ur", "PAK", {"baloch-groups"}, id="ur: and of the Baloch"),
        pytest.param("خارجی امور کا بیان", "ur", "PAK", set(), id="ur: external affairs"),
        pytest.param("تحریک طالبان پاکستان", "ur", "PAK", {"ttp"}, id="ur: the TTP"),
        pytest.param("ایف سی کالج لاہور", "ur", "PAK", set(), id="ur: a college"),
        pytest.param("ایف سی پر حملہ", "ur", "PAK", {"pak-frontier-corps"}, id="ur: the corps"),
        pytest.param("مزاحمتی محاذ", "ur", "PAK", set(), id="ur: a front of Kashmir"),
        pytest.param("طالبان جامعيان", "ar", "AFG", set(), id="ar: two students"),
        pytest.param("مقتل طالبان في القاهرة", "ar", "EGY", set(), id="ar: two students elsewhere"),
        pytest.param("طالبان في قندهار", "ar", "AFG", {"taliban"}, id="ar: the Taliban"),
        pytest.param("حركة طالبان باكستان", "ar", "PAK", {"ttp"}, id="ar: the TTP"),
        pytest.param("قصف القاعدة", "ar", "AFG", set(), id="ar: a base"),
        pytest.param("تنظيم القاعدة", "ar", "AFG", {"al-qaida"}, id="ar: al-Qaida"),
        pytest.param("الشباب في كابول", "ar", "AFG", set(), id="ar: the young"),
        pytest.param("تنظيم داعش في سوريا", "ar", "SYR", {"isil"}, id="ar: the core"),
        pytest.param("تنظيم داعش في كابول", "ar", "AFG", {"iskp"}, id="ar: the branch"),
        pytest.param("جيش تحرير بلوشستان", "ar", "PAK", {"bla"}, id="ar: the BLA"),
        pytest.param("جماعة أنصار الله", "ar", "YEM", set(), id="ar: a movement of Yemen"),
        pytest.param("حركة الجهاد الإسلامي", "ar", "PAK", set(), id="ar: a Palestinian movement"),
    ],
)  # fmt: skip
def test_a_name_in_another_language_means_one_organisation_there(
    text: str, language: str, country: str, ids: set[str]
) -> None:
    assert set(_read(text, language, country, NOW)) == ids


# What the check refuses


def _broken(table: str, **row: str) -> Tables:
    """The shipped tables with one more row."""
    given = shipped()
    columns = dict.fromkeys(getattr(given, table)[0], "")
    rows = [*getattr(given, table), columns | row]
    return msgspec.structs.replace(given, **{table: rows})


NAME = {"id": "ttp", "name": "Example", "language": "en", "country": "PAK", "scope": "own"}
ROLE = {"id": "ttp", "kind": "armed-group", "side": "insurgent"}


@pytest.mark.parametrize(
    ("table", "row", "words"),
    [
        pytest.param("roles", ROLE | {"valid_from": "2020-01-01"}, "another role", id="two roles"),
        pytest.param("roles", ROLE | {"id": "nobody"}, "the id 'nobody'", id="a role of nobody"),
        pytest.param("roles", ROLE | {"within": "nobody"}, "the within", id="within nobody"),
        pytest.param("roles", ROLE | {"within": "ttp"}, "within itself", id="within itself"),
        pytest.param("roles", ROLE | {"kind": "army"}, "the kind 'army'", id="a kind unknown"),
        pytest.param("roles", ROLE | {"side": "ours"}, "the side 'ours'", id="a side unknown"),
        pytest.param("names", NAME | {"id": "nobody"}, "the id 'nobody'", id="a name of nobody"),
        pytest.param("names", NAME | {"speaker": "nobody"}, "the speaker", id="called by nobody"),
        pytest.param("names", NAME | {"language": "de"}, "the language 'de'", id="a language"),
        pytest.param("names", NAME | {"scope": "all"}, "the scope 'all'", id="a scope unknown"),
        pytest.param("names", NAME | {"country": "Pakistan"}, "no ISO", id="no country code"),
        pytest.param("names", NAME | {"name": " Example"}, "empty or padded", id="a padded name"),
        pytest.param("names", NAME | {"name": "؟"}, "empty or padded", id="no letter"),
        pytest.param(
            "names", NAME | {"scope": "generic", "country": ""}, "has no country", id="nowhere"
        ),
        pytest.param("names", NAME | {"language": "ur"}, "who reviewed it", id="no reviewer"),
        pytest.param("names", NAME | {"valid_from": "2020-13-01"}, "no days", id="no day"),
        pytest.param("names", NAME | {"valid_from": "soon"}, "no days", id="no day at all"),
        pytest.param(
            "names", NAME | {"valid_from": "2021-01-01", "valid_to": "2020-01-01"},
            "end before they begin", id="backwards",
        ),
        pytest.param(
            "names", NAME | {"valid_to": "2006-01-01"}, "on no day of a role", id="before its time"
        ),
        pytest.param(
            "names", NAME | {"valid_from": "2006-01-01"}, "outside every role", id="too early"
        ),
        pytest.param(
            "names", NAME | {"id": "afg-forces", "valid_to": "2021-08-15", "country": "AFG"},
            "valid_to lies outside", id="ends too late",
        ),
        pytest.param("names", NAME | {"name": "ttp"}, "stands in line", id="the same name twice"),
        pytest.param(
            "names", NAME | {"name": "Balochistan-Liberation-Army"}, "is bla in line",
            id="two organisations of one name",
        ),
        pytest.param(
            "names", NAME | {"name": "BLA", "country": ""}, "is bla in line", id="everywhere too"
        ),
        pytest.param("organisations", {"id": "ttp", "name": "x"}, "the same as", id="twice"),
        pytest.param("organisations", {"id": "new", "name": "New"}, "no row of role", id="no role"),
        pytest.param("organisations", {"id": "new", "name": "New"}, "no row of name", id="no name"),
        pytest.param("organisations", {"id": "A b", "name": "x"}, "the id 'A b'", id="a bad id"),
        pytest.param("organisations", {"id": "new", "name": ""}, "has no label", id="no label"),
        pytest.param(
            "organisations", {"id": "new", "name": "x", "identifiers": "QDi.001"},
            "no reference", id="a person's reference",
        ),
        pytest.param(
            "masks", {"phrase": "x", "language": "en", "hides": "nobody"}, "the hides", id="hides"
        ),
        pytest.param(
            "masks", {"phrase": "husain haqqani", "language": "en", "hides": "haqqani-network"},
            "the same as line", id="a mask twice",
        ),
        pytest.param("names", {"id": "ttp", "alias": "x"}, "columns must be", id="another column"),
    ],
)  # fmt: skip
def test_a_broken_table_is_refused_by_its_line(table: str, row: dict[str, str], words: str) -> None:
    broken = _broken(table, **row)
    line = len(getattr(broken, table)) + 1
    found = problems(broken)
    assert any(words in p.text and p.line == line for p in found), [str(p) for p in found]
    assert str(found[0]).startswith("actors/")


@pytest.mark.parametrize(
    "row",
    [
        pytest.param({"name": "Northern Alliance", "id": "nrf", "country": "AFG"}, id="later"),
        pytest.param({"name": "Fitna al-Khawarij", "id": "bla", "speaker": "bla"}, id="lips"),
        pytest.param({"name": "Levies", "id": "un", "scope": "generic", "country": "IRN"}, id="x"),
        pytest.param(
            {"name": "TTP", "id": "bla", "language": "ur", "reviewer": "none"}, id="a language's"
        ),
    ],
)  # fmt: skip
def test_one_name_may_mean_two_at_other_times_places_or_lips(row: dict[str, Any]) -> None:
    assert problems(_broken("names", **NAME | row)) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("كابل", "کابل"),
        ("فتنۃ الخوارج", "فتنه الخوارج"),
        ("داعشی‌ها", "داعشی ها"),
        ("جماعة الأحرار", "جماعة الاحرار"),
        ("al-Qa’ida", "AL QA'IDA"),
        ("Médecins", "medecins"),
    ],
)
def test_typings_of_one_name_are_one_spelling(one: str, other: str) -> None:
    assert spelling(one) == spelling(other)
