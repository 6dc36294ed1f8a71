"""The registry of publisher families: its data, its look-ups, and what its check refuses."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.coding import code
from detectors.records import IncidentRecord, Interval, Report, Voice
from detectors.world.families import (
    FAMILIES,
    KINDS,
    by_domain,
    family_of,
    find,
    host_of,
    key,
    table,
    witness,
)
from detectors.world.families.check import Tables, problems, shipped
from streams.scenarios.outlets import outlets
from streams.scenarios.render import SCENARIOS
from tests.core_records import START
from tests.filled_store import answer, tocsin

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
BEFORE, AFTER = date(2021, 8, 14), date(2021, 8, 15)


# The data


def test_nothing_is_wrong_with_the_registry() -> None:
    assert problems() == []


def test_it_knows_the_outlets_that_report_these_countries() -> None:
    real = [family for family in FAMILIES.values() if family.kind != "invented"]
    domains = [o for family in real for o in family.outlets if o.kind == "domain"]
    assert len(real) >= 150
    assert len(domains) >= 300
    assert {family.kind for family in FAMILIES.values()} == set(KINDS)
    for family in real:
        assert all(s.side in (*get_args(Voice), "") for s in family.standings), family.id


def test_names_in_other_scripts_say_that_nobody_has_reviewed_them() -> None:
    for name in ("outlets", "bylines"):
        written = [row for row in table(f"{name}.csv") if row["language"] not in ("", "en")]
        unnamed = {row["reviewer"] for row in written if row["kind"] != "domain"}
        assert unnamed == {"none: machine-written"}


@pytest.mark.parametrize("scenario", sorted(SCENARIOS))
def test_the_invented_outlets_are_those_of_the_scenarios(scenario: str) -> None:
    rows = {(row["outlet"], row["family"], row["language"]) for row in table("invented.csv")}
    told = {(o.name, o.family, o.language) for o in outlets(scenario)}
    assert told <= rows
    for outlet in outlets(scenario):
        assert family_of(outlet.family) == family_of(outlet.name) == outlet.family
        assert FAMILIES[outlet.family].kind == "invented"


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data are not beside here")
def test_it_knows_nearly_all_that_ucdp_names_as_its_sources() -> None:
    known = named = 0
    for path in sorted((SHARED / "ucdp").glob("*_2020_h1_events.csv")):
        for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines(True)):
            offices = [office.strip() for office in row["source_office"].split(";")]
            # A ministry without its country is left to itself, on purpose.
            outlets = [o for o in offices if o and "inistry" not in o and "witter" not in o]
            named += len(outlets)
            known += sum(find(outlet) is not None for outlet in outlets)
    assert named > 500
    assert known / named > 0.95


# Look-ups


@pytest.mark.parametrize(
    ("given", "family"),
    [
        pytest.param("Reuters", "reuters", id="as written"),
        pytest.param("REUTERS ", "reuters", id="capitals and space"),
        pytest.param("Tolo-News", "moby", id="punctuation"),
        pytest.param("tolo", "moby", id="another of the owner's"),
        pytest.param("Reuters India", "Reuters India", id="not listed"),
        pytest.param("bbc", "bbc", id="an id"),
        pytest.param("bbc-persian", "bbc", id="a slug"),
        pytest.param("بي‌بي‌سي فارسي", "bbc", id="typed with Arabic letters"),
        pytest.param("رویټرز", "reuters", id="Pashto"),
        pytest.param("رائٹرز", "reuters", id="Urdu"),
        pytest.param("A.F.P.", "afp", id="points"),
        pytest.param("Radio Azadi", "usagm", id="RFE/RL"),
        pytest.param("VOA Deewa", "usagm", id="VOA"),
        pytest.param("Geo News", "jang-group", id="one group"),
        pytest.param("The News International", "jang-group", id="one group too"),
        pytest.param("Aaj News", "business-recorder", id="Aaj the broadcaster"),
        pytest.param("Daily Aaj", "daily-aaj-peshawar", id="Aaj the paper"),
        pytest.param("UNAMA", "united-nations", id="a mission"),
        pytest.param("Ministry of Defense", "Ministry of Defense", id="whose?"),
        pytest.param("The Tribune", "The Tribune", id="several have the name"),
        pytest.param("dawn.com", "dawn", id="domain"),
        pytest.param("WWW.Dawn.com", "dawn", id="www"),
        pytest.param("epaper.dawn.com", "dawn", id="subdomain"),
        pytest.param("https://timesofindia.indiatimes.com/a/b?c=d", "times-group", id="address"),
        pytest.param("https://user@www.dawn.com:8080/x", "dawn", id="address with all parts"),
        pytest.param("notdawn.com", "notdawn.com", id="another domain that ends so"),
        pytest.param("https://www.example.org/news/1", "example.org", id="unknown address"),
        pytest.param("example.org/news", "example.org/news", id="unknown and no address"),
        pytest.param("lapis", "lapis", id="a family of the scenario"),
        pytest.param("", "", id="nothing"),
        pytest.param("...", "...", id="points alone"),
    ],
)
def test_a_publisher_has_its_family(given: str, family: str) -> None:
    assert family_of(given) == family


@given(st.text(max_size=60))
def test_a_family_stays_what_it_is(publisher: str) -> None:
    assert family_of(family_of(publisher)) == family_of(publisher)
    if find(publisher) is None and "://" not in publisher:
        assert family_of(publisher) == publisher


def test_every_row_finds_its_own_family() -> None:
    for family in FAMILIES.values():
        assert family_of(family.id) == family_of(family.name) == family.id
        for outlet in family.outlets:
            assert family_of(outlet.text) == family.id, outlet.text
            if outlet.kind == "domain":
                assert by_domain(f"https://news.{outlet.text}/x") == outlet


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("https://www.Example.org/news/1", "example.org"),
        ("example.org", "example.org"),
        ("example.org.", "example.org"),
        ("Example News", None),
        ("8am", None),
        ("a b.org", None),
    ],
)
def test_a_host_is_read_from_an_address(text: str, host: str | None) -> None:
    assert host_of(text) == host


@pytest.mark.parametrize(
    ("publisher", "url", "source", "family"),
    [
        pytest.param("BBC Urdu", "https://x.org/1", "feed", "bbc", id="the outlet goes first"),
        pytest.param("My Feed", "https://tolonews.com/1", "feed", "moby", id="then its site"),
        pytest.param("My Feed", "https://x.org/1", "feed", "My Feed", id="an unknown outlet"),
        pytest.param(None, "https://tolonews.com/1", "gdelt-1", "moby", id="no outlet, a site"),
        pytest.param(None, "https://x.org/1", "feed", "feed", id="nothing known"),
        pytest.param(None, None, "dawn", "dawn", id="the source's name"),
    ],
)
def test_a_report_is_the_witness_of(
    publisher: str | None, url: str | None, source: str, family: str
) -> None:
    assert witness(publisher, url, source) == family


@pytest.mark.parametrize(
    ("family", "on", "voice"),
    [
        ("taliban-media", BEFORE, "militant"),
        ("taliban-media", AFTER, "afg-authorities"),
        ("afghan-state-media", BEFORE, "afg-authorities"),
        ("afghan-state-media", AFTER, "afg-authorities"),
        ("ispr", AFTER, "pak-authorities"),
        ("pakistan-state-media", BEFORE, "pak-authorities"),
        ("xinhua", AFTER, "foreign-authorities"),
        ("ttp-media", AFTER, "militant"),
        ("united-nations", AFTER, "un"),
        ("reuters", AFTER, "independent"),
        ("usagm", AFTER, "independent"),
        ("lapis", AFTER, "independent"),
    ],
)
def test_a_family_has_its_voice_on_a_day(family: str, on: date, voice: str) -> None:
    assert FAMILIES[family].voice(on) == voice


def test_an_event_counts_for_the_family() -> None:
    happened = Interval(date(2020, 6, 1), date(2020, 6, 1))
    record = IncidentRecord(event="ASSAULT", occurred=happened, country="AFG")
    report = Report(
        id="a", source="ucdp-2020", seen_at=START, title="x", publisher="BBC Monitoring South Asia",
        record=record,
    )  # fmt: skip
    assert {event.publisher for event in code([report])[0].events} == {"bbc"}


# The command


def test_an_outlet_is_shown_with_its_family() -> None:
    found = tocsin("world", "show", "BBC Persian", "--on", "2021-01-01")
    assert found.exit_code == 0, found.stderr
    assert not [word for word in ("bbc", "independent", "bbc.com") if word not in found.stdout]
    shown = answer("world", "show", "al emarah", "--on", "2021-08-14")
    assert (shown["family"]["id"], shown["voice"]) == ("taliban-media", "militant")


def test_an_organisation_goes_before_an_outlet_of_its_name() -> None:
    assert answer("world", "show", "un")["id"] == "un"


# What the check refuses


def _family(**cells: str) -> dict[str, str]:
    row = {"id": "a", "name": "Alpha", "kind": "online", "country": "AFG", "side": "",
           "valid_from": "", "valid_to": "", "note": ""}  # fmt: skip
    return row | cells


def _outlet(**cells: str) -> dict[str, str]:
    row = {"family": "a", "outlet": "Alpha", "kind": "name", "language": "en", "reviewer": ""}
    return row | cells


def _domain(text: str, family: str = "a") -> dict[str, str]:
    return _outlet(outlet=text, kind="domain", language="", family=family)


def _byline(**cells: str) -> dict[str, str]:
    row = {"kind": "credit", "where": "end", "words": "by", "after": "", "language": "en",
           "reviewer": ""}  # fmt: skip
    return row | cells


def _tables(**rows: list[dict[str, Any]]) -> Tables:
    given: dict[str, Any] = {"families": [_family()], "outlets": [_outlet()]}
    return Tables(**(given | rows))


TWO = [_family(), _family(id="b", name="Beta")]
BETA = _outlet(family="b", outlet="Beta")


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        pytest.param(_tables(outlets=[{"outlet": "x"}]), "the columns must be", id="columns"),
        pytest.param(_tables(families=[_family(kind="blog")]), "the kind 'blog'", id="kind"),
        pytest.param(_tables(families=[_family(kind="invented")]), "'invented'", id="invented"),
        pytest.param(_tables(families=[_family(side="good")]), "the side 'good'", id="voice"),
        pytest.param(_tables(families=[_family(country="AF")]), "alpha-3", id="country"),
        pytest.param(_tables(families=[_family(id="A b")]), "a-z", id="bad id"),
        pytest.param(
            _tables(families=[_family(valid_from="2022-01-01", valid_to="2021-01-01")]),
            "end before they begin",
            id="days backwards",
        ),
        pytest.param(
            _tables(families=[_family(valid_to="2021-08-15"), _family(valid_from="2021-08-15")]),
            "days of line 2",
            id="days overlap",
        ),
        pytest.param(
            _tables(
                families=[_family(valid_to="2020-01-01"),
                          _family(valid_from="2021-01-01", country="PAK")]
            ),
            "another country",
            id="rows that do not agree",
        ),
        pytest.param(_tables(outlets=[]), "a has no outlet", id="family without outlet"),
        pytest.param(
            _tables(outlets=[_outlet(), BETA]), "no family has the id 'b'", id="no such family"
        ),
        pytest.param(
            _tables(families=TWO, outlets=[_outlet(), BETA, _outlet(family="b", outlet="ALPHA")]),
            "'ALPHA' is a in outlets.csv, line 2",
            id="one name to two families",
        ),
        pytest.param(
            _tables(families=TWO, outlets=[_outlet(), BETA, _domain("x.org"),
                                           _domain("x.org", "b")]),
            "'x.org' is a in",
            id="one domain to two families",
        ),
        pytest.param(
            _tables(families=TWO, outlets=[_outlet(), BETA, _outlet(outlet="b")]),
            "'b' is a name of a",
            id="an id that is another's name",
        ),
        pytest.param(
            _tables(outlets=[_outlet(), _outlet(outlet="al-pha")]), "is found by line 2", id="twice"
        ),
        pytest.param(
            _tables(outlets=[_outlet(), _domain("x.org"), _domain("news.x.org")]),
            "'news.x.org' is found by x.org",
            id="a needless domain",
        ),
        pytest.param(
            _tables(outlets=[_outlet(), _domain("x.org"), _outlet(outlet="X.org")]),
            "'X.org' is found by x.org",
            id="a name that is a domain",
        ),
        pytest.param(
            _tables(outlets=[_outlet(outlet="Other")]), "stands in no row", id="a label not found"
        ),
        pytest.param(_tables(outlets=[_outlet(), _domain("X.org")]), "lower case", id="capitals"),
        pytest.param(_tables(outlets=[_outlet(), _domain("www.x.org")]), "www", id="www"),
        pytest.param(_tables(outlets=[_outlet(), _domain("x.org/a")]), "bare", id="a path"),
        pytest.param(_tables(outlets=[_outlet(), _domain("com.pk")]), "anybody", id="public"),
        pytest.param(_tables(outlets=[_outlet(), _outlet(outlet=" B")]), "padded", id="padded"),
        pytest.param(
            _tables(outlets=[_outlet(), _outlet(outlet="الف", language="fa")]),
            "who reviewed it",
            id="no reviewer",
        ),
        pytest.param(
            _tables(families=[_family(side="militant")]), "the note must", id="side, no note"
        ),
        pytest.param(
            _tables(outlets=[_outlet(), *map(_domain, ("x.org", "y.org", "z.org"))]),
            "joins so much",
            id="much joined without a note",
        ),
        pytest.param(
            _tables(outlets=[_outlet(), _domain("x.af"), _domain("x.pk")]),
            "joins so much",
            id="countries joined without a note",
        ),
        pytest.param(
            _tables(invented=[{"family": "a", "outlet": "New", "language": "en"}]),
            "id of a real family",
            id="an invented outlet in a real family",
        ),
        pytest.param(_tables(bylines=[_byline(kind="praise")]), "'praise'", id="byline kind"),
        pytest.param(_tables(bylines=[_byline(words="")]), "no words", id="byline, no words"),
        pytest.param(_tables(bylines=[_byline(where="")]), "where", id="byline, nowhere"),
        pytest.param(_tables(bylines=[_byline(), _byline(words="By")]), "line 2", id="twice said"),
    ],
)  # fmt: skip
def test_the_check_refuses(tables: Tables, said: str) -> None:
    assert any(said in problem.text for problem in problems(tables)), problems(tables)


def test_a_family_may_join_much_if_it_says_why() -> None:
    rows = [_outlet(), *map(_domain, ("x.af", "y.pk", "z.org"))]
    assert problems(_tables(families=[_family(note="one owner")], outlets=rows)) == []


def test_a_family_may_change_its_side() -> None:
    rows = [
        _family(side="militant", valid_to="2021-08-14", note="x"),
        _family(side="afg-authorities", valid_from="2021-08-15", note="y"),
    ]
    assert problems(_tables(families=rows)) == []


def test_problems_name_their_line() -> None:
    found = problems(_tables(outlets=[_outlet(), BETA]))
    assert str(found[0]) == "families/outlets.csv:3: no family has the id 'b'"


def test_the_shipped_tables_are_read_from_the_package() -> None:
    assert {row["family"] for row in shipped().outlets} <= set(FAMILIES)
    assert key("") == ""
