"""The tables of facts: what the source says, mended as stated, and marked where invented."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from detectors.world.units import AREAS
from streams.scenarios import derive_facts, invent_pakistan
from streams.scenarios.facts import COLUMNS, Fact, folder, read, rows
from streams.scenarios.language import LANGUAGES, language
from streams.scenarios.outlets import outlets
from streams.scenarios.render import facts, render

NAME = "doha-2020"
SOURCE = (
    Path(__file__).resolve().parents[2]
    / ".." / "shared" / "data" / "ucdp" / "afg_2020_h1_events.csv"
)  # fmt: skip
needs_source = pytest.mark.skipif(
    not SOURCE.exists(), reason="the UCDP extract is not beside this checkout"
)
AFGHAN = read(NAME, "facts.csv")
PAKISTANI = read(NAME, "invented_pakistan.csv")


def test_the_facts_are_as_many_as_stated_and_numbered_by_day() -> None:
    assert len(AFGHAN) == 1_595
    assert [f.incident for f in AFGHAN] == list(range(1, 1_596))
    days = [(f.day_start, f.day_end) for f in AFGHAN]
    assert days == sorted(days)
    assert facts(NAME) == (*AFGHAN, *PAKISTANI)


@pytest.mark.parametrize("table", [AFGHAN, PAKISTANI], ids=["afghanistan", "pakistan"])
def test_every_fact_is_within_its_bounds(table: tuple[Fact, ...]) -> None:
    for fact in table:
        assert 0 <= fact.low <= fact.best <= fact.high
        assert fact.day_start <= fact.day_end
        assert fact.admin1 is None or AREAS[fact.admin1].country == fact.country
        assert (fact.place is None) == (fact.place_kind is None)
        assert fact.delay_days is None or 0 <= fact.delay_days <= 21
        assert fact.sources >= 1


def test_the_known_episodes_are_in_the_facts() -> None:
    def within(first: date, last: date) -> int:
        return sum(first <= f.day_start <= last for f in AFGHAN)

    assert within(date(2020, 2, 22), date(2020, 2, 28)) <= 26
    assert within(date(2020, 2, 15), date(2020, 2, 21)) >= 75
    assert within(date(2020, 3, 1), date(2020, 3, 7)) >= 75
    assert within(date(2020, 5, 24), date(2020, 5, 26)) <= 5
    assert max(f.best for f in AFGHAN) < 200


def test_pakistani_deaths_add_up_to_the_monthly_figures_and_are_marked_as_invented() -> None:
    months: Counter[int] = Counter()
    for fact in PAKISTANI:
        months[fact.day_start.month] += fact.best
    assert dict(months) == {1: 11, 2: 38, 3: 17, 4: 50, 5: 33, 6: 31}
    assert all(f.invented and f.incident >= invent_pakistan.FIRST_NUMBER for f in PAKISTANI)
    assert {f.admin1 for f in PAKISTANI} >= {"PK-KP", "PK-BA", "PK-SD"}
    assert not any(f.invented for f in AFGHAN)


def test_the_invented_table_is_what_its_program_writes(tmp_path: Path) -> None:
    target = tmp_path / "pakistan.csv"
    assert invent_pakistan.main([str(target)]) == 0
    packaged = folder(NAME).joinpath("invented_pakistan.csv").read_bytes()
    assert target.read_bytes() == packaged


@needs_source
def test_the_facts_are_what_their_program_writes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "facts.csv"
    assert derive_facts.main([str(SOURCE), str(target)]) == 0
    assert target.read_bytes() == folder(NAME).joinpath("facts.csv").read_bytes()
    assert "1595 incidents" in capsys.readouterr().out


@needs_source
def test_the_readme_states_the_mends_as_counted() -> None:
    with SOURCE.open(encoding="utf-8", newline="") as source:
        _, mends = derive_facts.derive(csv.DictReader(source))
    readme = folder(NAME).joinpath("README.md").read_text(encoding="utf-8")
    assert mends.pop("dropped: lasts months") == 1 + 12
    for mend, count in mends.items():
        assert f" {count:,} |" in readme, mend


@needs_source
def test_no_headline_or_identifier_of_the_source_is_carried_over() -> None:
    with SOURCE.open(encoding="utf-8", newline="") as source:
        found = list(csv.DictReader(source))
    headlines = {h.strip().casefold() for r in found for h in r["source_headline"].split(";")}
    assert not headlines & {r.title.casefold() for r in render(NAME)}
    # Shorter ones are phrases of the trade ("Taliban claim responsibility").
    headlines = {h for h in headlines if len(h.split()) >= 5}
    assert len(headlines) > 500
    texts = "\n".join(f"{r.title}\n{r.text}" for r in render(NAME)).casefold()
    assert not [h for h in headlines if h in texts]
    table = folder(NAME).joinpath("facts.csv").read_text(encoding="utf-8")
    assert not [r["id"] for r in found if r["id"] in table]


def test_the_columns_of_a_table_are_those_of_a_fact() -> None:
    assert Fact.__struct_fields__ == COLUMNS
    assert derive_facts.main([]) == 2


def test_every_place_of_a_fact_is_in_the_table_of_places_with_its_province() -> None:
    places = {(r["admin1"], r["place"]) for r in rows(NAME, "places.csv")}
    provinces = {r["admin1"] for r in rows(NAME, "provinces.csv")}
    for fact in facts(NAME):
        assert fact.place is None or (fact.admin1, fact.place) in places
        assert fact.admin1 is None or fact.admin1 in provinces


def test_every_outlet_is_said_to_be_invented() -> None:
    assert all(r["invented"].startswith("yes") for r in rows(NAME, "outlets.csv"))
    assert len({o.source for o in outlets(NAME)}) == len(outlets(NAME)) == 11
    assert {o.language for o in outlets(NAME)} == set(LANGUAGES)


@pytest.mark.parametrize("kind", ["second", "revision", "counter", "claim", "denial"])
def test_english_has_a_dozen_sentences_for_each_kind_of_report(kind: str) -> None:
    assert len(set(getattr(language("en"), kind).leads)) >= 12
    assert len({lead for m in language("en").mode.values() for lead in m.leads}) >= 100


@pytest.mark.parametrize("code", ["fa", "ps", "ur"])
def test_each_other_language_has_a_dozen_sentences_for_first_reports(code: str) -> None:
    assert len(set(language(code).first.leads)) >= 12
    assert set(language(code).mode) == set(language("en").mode)
