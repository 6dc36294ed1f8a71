"""The registry of commitments: its data, what bears on what, and what its check refuses."""

from __future__ import annotations

import csv
import math
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.coding import code
from detectors.records import Event, EventType, Report
from detectors.world.commitments import (
    CLAUSES,
    COMMITMENTS,
    Happening,
    bearing,
    commitments,
    deciding,
)
from detectors.world.commitments.check import problems
from detectors.world.commitments.values import due_of
from detectors.world.commitments.weighing import organisations
from detectors.world.units import UNITS

UCDP = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "ucdp"
CONTINUED = "reduction-in-violence-continued"
FIGHT = Happening("ASSAULT", actors=("afg-forces", "taliban"))
BOMB = Happening("ASSAULT", "explosives", actors=("afg-forces", "taliban"))


def borne(unit: str, on: date, told: Happening | Event) -> dict[str, float]:
    """Return what an event bears on that day, by clause."""
    found = {each.id: bearing(each, told) for each in commitments(unit, on)}
    return {id: weight for id, weight in found.items() if weight is not None}


# The data


def test_nothing_is_wrong_with_the_registry() -> None:
    assert problems() == []


def test_every_claim_of_one_side_says_whose_or_what_is_disputed() -> None:
    claims = [each for each in CLAUSES.values() if each.certainty == "claimed by one side"]
    assert claims
    for each in claims:
        assert each.note or COMMITMENTS[each.commitment].note, each.id


def test_the_days_that_analysts_know() -> None:
    days = {id: (each.first, each.last) for id, each in COMMITMENTS.items()}
    assert days["reduction-in-violence"] == (date(2020, 2, 22), date(2020, 2, 28))
    assert days["doha-2020"] == (date(2020, 2, 29), None)
    assert days["eid-2020-fitr"] == (date(2020, 5, 24), date(2020, 5, 26))
    assert days["ttp-truce-2021"] == (date(2021, 11, 9), date(2021, 12, 9))
    assert days["ttp-truce-2022"][1] == date(2022, 11, 28)
    assert days["af-pk-truce-48h"][0] == date(2025, 10, 15)
    assert days["af-pk-doha-2025"][0] == date(2025, 10, 19)


def test_days_that_the_doha_text_counts_in_days_add_up() -> None:
    due = {id: each.due.last for id, each in CLAUSES.items() if each.due}
    assert due["doha-2020/withdrawal-135-days"] == date(2020, 2, 29) + timedelta(days=135)
    assert due["doha-2020/prisoners-5000"] == due["doha-2020/talks"] == date(2020, 3, 10)
    assert due["doha-2020/withdrawal-complete"] == date(2021, 5, 1)


@pytest.mark.parametrize(
    ("clause", "on", "stage"),
    [
        ("doha-2020/prisoners-5000", date(2020, 3, 10), "ahead"),
        ("doha-2020/prisoners-5000", date(2020, 3, 11), "passed"),
        ("doha-2020/soil", date(2020, 2, 28), "ahead"),
        ("doha-2020/soil", date(2025, 1, 1), "running"),
        ("doha-2020/ceasefire-on-agenda", date(2020, 3, 4), "undated"),
        ("ttp-truce-2022/ttp", date(2022, 11, 28), "running"),
        ("ttp-truce-2022/ttp", date(2022, 11, 29), "over"),
    ],
)
def test_how_a_clause_lies_to_a_day(clause: str, on: date, stage: str) -> None:
    assert CLAUSES[clause].stage(on) == stage


def test_a_weight_of_a_fight_in_a_truce_has_the_anchor_that_its_note_names() -> None:
    if not UCDP.is_dir():
        pytest.skip("the shared data are not beside here")
    with (UCDP / "afg_2020_h1_events.csv").open(encoding="utf-8", newline="") as file:
        fights = [
            first
            for row in csv.DictReader(file)
            if {row["side_a"], row["side_b"]} == {"Government of Afghanistan", "Taleban"}
            and (first := date.fromisoformat(row["date_start"]))
            and (date.fromisoformat(row["date_end"]) - first).days <= 2
        ]
    before = sum(date(2020, 2, 15) <= day <= date(2020, 2, 21) for day in fights)
    within = sum(date(2020, 2, 22) <= day <= date(2020, 2, 28) for day in fights)
    anchor = math.log(before / within)
    named = deciding(CLAUSES["reduction-in-violence/taliban"], BOMB)
    assert named is not None
    assert f"{anchor:.2f}" in named.note
    assert 0 < named.weight <= anchor


# What bears on what


@pytest.mark.parametrize(
    ("unit", "on", "told", "expected"),
    [
        pytest.param(
            "AF-KDZ",
            date(2020, 2, 21),
            FIGHT,
            {},
            id="the day before the reduction in violence",
        ),
        pytest.param(
            "AF-KDZ",
            date(2020, 2, 22),
            FIGHT,
            {
                "reduction-in-violence/taliban": 0.6,
                "reduction-in-violence/republic-and-us": 0.6,
            },
            id="a fight in it bears on both sides alike",
        ),
        pytest.param(
            "AF-KDZ",
            date(2020, 2, 28),
            BOMB,
            {"reduction-in-violence/taliban": 1.0},
            id="a bomb on its last day bears on the Taliban",
        ),
        pytest.param(
            "AF-HEL",
            date(2020, 2, 24),
            Happening("ASSAULT", "aerial", actors=("taliban", "us-forces")),
            {"reduction-in-violence/republic-and-us": 1.0},
            id="an air strike in it bears on the other side",
        ),
        pytest.param(
            "AF-KDZ",
            date(2020, 3, 4),
            BOMB,
            {f"{CONTINUED}/taliban": 1.0},
            id="after it only on an understanding that one side claimed",
        ),
        pytest.param(
            "AFG",
            date(2020, 3, 2),
            Happening("THREATEN", "violence", actors=("taliban",)),
            {f"{CONTINUED}/taliban": 0.8},
            id="the announcement of 2 March 2020",
        ),
        pytest.param(
            "AF-HEL",
            date(2020, 3, 4),
            Happening("ASSAULT", "aerial", actors=("taliban", "us-forces")),
            {"doha-2020-annexes/no-strikes-on-taliban": 0.4},
            id="a strike of the United States bears on no duty of the Republic",
        ),
        pytest.param("AF-KDZ", date(2020, 6, 10), FIGHT, {}, id="nothing is claimed any more"),
        pytest.param(
            "AF-KDZ",
            date(2020, 5, 24),
            BOMB,
            {"eid-2020-fitr/taliban": 1.0},
            id="the truce of Eid",
        ),
        pytest.param(
            "AF-KAB",
            date(2020, 5, 25),
            Happening("ASSAULT", "suicide-attack", actors=("civilians", "iskp")),
            {},
            id="a group that is no party breaks no truce",
        ),
        pytest.param(
            "PK-KP",
            date(2022, 7, 1),
            Happening("ASSAULT", "explosives", actors=("jamaat-ul-ahrar", "pak-police")),
            {"ttp-truce-2022/ttp": 1.0},
            id="a part of the TTP is the TTP",
        ),
        pytest.param(
            "PAK",
            date(2022, 11, 28),
            Happening("REJECT", themes=("truce_ended",), actors=("ttp",)),
            {"ttp-truce-2022/ttp": 2.3},
            id="the TTP calls its truce off",
        ),
        pytest.param(
            "PK-KP",
            date(2022, 11, 29),
            Happening("ASSAULT", "explosives", actors=("pak-police", "ttp")),
            {},
            id="the day after",
        ),
        pytest.param(
            "AF-NAN~PK-KP",
            date(2025, 3, 25),
            Happening("COERCE", "restrict", ("border_closed",)),
            {"apptta-2010/transit": 1.5, "torkham-2025/open": 1.5},
            id="Torkham shut again",
        ),
        pytest.param(
            "AFG~PAK",
            date(2025, 10, 17),
            Happening("ASSAULT", "aerial", countries=("AFG", "PAK")),
            {"af-pk-truce-48h/ceasefire": 1.3},
            id="a strike within the 48 hours",
        ),
        pytest.param(
            "AFG~PAK",
            date(2025, 10, 17),
            Happening("ASSAULT", "aerial", actors=("taliban",), countries=("PAK",)),
            {"af-pk-truce-48h/ceasefire": 1.3},
            id="a strike that the de facto authorities tell",
        ),
        pytest.param(
            "AF-PKA~PK-KP",
            date(2025, 10, 17),
            Happening("ASSAULT", "aerial", actors=("ttp",), countries=("PAK",)),
            {},
            id="a strike on the TTP in Pakistan is none on Afghanistan",
        ),
        pytest.param(
            "AFG~PAK",
            date(2025, 11, 7),
            Happening("REJECT", "meet", ("talks_failed",), countries=("AFG", "PAK")),
            {"af-pk-istanbul-2025/monitoring": 1.2},
            id="the talks of Istanbul fail",
        ),
        pytest.param(
            "AFG",
            date(2022, 8, 1),
            Happening("ASSAULT", "aerial", actors=("al-qaida", "us-forces")),
            {
                "doha-2020/soil": 1.5,
                "doha-2020/no-hosting": 1.5,
                "doha-2020/no-force": 0.4,
                "assurances-2021/soil": 0.8,
                "unsc-2593/soil": 0.8,
            },
            id="a strike on al-Qaida bears on duties of both sides",
        ),
        pytest.param(
            "AFG~PAK",
            date(2023, 6, 1),
            Happening("REJECT", themes=("sanctuary_denied",), actors=("taliban", "ttp")),
            {
                "unsc-1373/afghanistan": -0.15,
                "assurances-2021/soil": -0.15,
                "unsc-2593/soil": -0.15,
            },
            id="a denial speaks for keeping, if softly",
        ),
        pytest.param(
            "AF-KAB",
            date(2022, 12, 20),
            Happening("COERCE", "ban", ("rights_women_banned",), ("taliban",)),
            {"assurances-2021/women": 1.5},
            id="women are banned from study",
        ),
    ],
)
def test_what_an_event_bears_on(
    unit: str, on: date, told: Happening, expected: dict[str, float]
) -> None:
    assert borne(unit, on, told) == expected


@pytest.mark.parametrize("mode", [None, "explosives", "suicide-attack", "aerial", "firearms"])
@pytest.mark.parametrize("themes", [(), ("truce_violated",), ("truce_ended",)])
def test_the_doha_text_obliges_the_taliban_to_no_truce_with_the_republic(
    mode: str | None, themes: tuple[str, ...]
) -> None:
    told = Happening("ASSAULT", mode, themes, ("afg-forces", "taliban"), ("AFG",), ("military",))
    for clause in COMMITMENTS["doha-2020"].clauses:
        assert bearing(clause, told) is None, clause.id


def test_who_calls_a_truce_off_bears_on_him_more_than_on_the_other() -> None:
    own, other = CLAUSES["ttp-truce-2021/ttp"], CLAUSES["ttp-truce-2021/pakistan"]
    alone = Happening("REJECT", themes=("truce_ended",), actors=("ttp",))
    both = Happening("REJECT", themes=("truce_ended",), actors=("pak-government", "ttp"))
    assert (bearing(own, alone), bearing(other, alone)) == (2.3, None)
    assert bearing(own, both) == bearing(other, both) == 1.2


def test_one_report_is_counted_once_by_the_first_row_that_fits() -> None:
    clause = CLAUSES["torkham-2025/ceasefire"]
    told = Happening(
        "ASSAULT", "firearms", ("border_fire", "truce_violated"), ("pak-military", "taliban")
    )
    assert deciding(clause, told) is clause.evidence[0]
    assert bearing(clause, told) == clause.evidence[0].weight


def test_an_event_that_the_coder_makes_bears_on_it() -> None:
    report = Report(
        id="r",
        source="s",
        seen_at=datetime(2020, 3, 4, 6, tzinfo=UTC),
        title="Bomb kills three Afghan soldiers in Kunduz; police blame the Taliban",
        text="A roadside bomb killed three Afghan soldiers in Kunduz on Tuesday. "
        "Police said the Taliban had planted it.",
        language="en",
    )
    events = [
        each
        for each in code([report])[0].events
        if each.unit == "AF-KDZ" and each.event == "ASSAULT"
    ]
    assert events
    found = borne("AF-KDZ", date(2020, 3, 3), events[0])
    assert found == {f"{CONTINUED}/taliban": 1.0}


def test_an_organisation_means_those_that_were_part_of_it_then() -> None:
    then = organisations(["ttp"], date(2020, 8, 1), date(2020, 8, 16))
    later = organisations(["ttp"], date(2022, 6, 2), date(2022, 11, 28))
    assert "jamaat-ul-ahrar" not in then
    assert {"ttp", "jamaat-ul-ahrar", "lashkar-e-islam"} <= later
    assert "us-forces" in organisations(["us"], date(2020, 1, 1), None)


# Look-ups

DAYS = st.dates(date(1999, 1, 1), date(2027, 1, 1))
UNIT = st.sampled_from(sorted({unit for each in CLAUSES.values() for unit in each.units}))


@given(UNIT, DAYS)
def test_what_is_in_force_is_what_the_days_say(unit: str, on: date) -> None:
    expected = [c for c in CLAUSES.values() if unit in c.units and c.holds(on)]
    assert list(commitments(unit, on)) == expected


@given(
    st.sampled_from(sorted(CLAUSES)),
    st.sampled_from(get_args(EventType)),
    st.sampled_from([None, "aerial", "explosives", "withdraw", "restrict"]),
    st.lists(st.sampled_from(["truce_ended", "border_closed", "sanctuary_alleged"]), max_size=2),
    st.lists(st.sampled_from(["taliban", "ttp", "pak-military", "us-forces"]), max_size=3),
    st.lists(st.sampled_from(["AFG", "PAK", "USA"]), max_size=3),
)
def test_what_decides_fits_in_all_that_it_asks_for(
    id: str, event: EventType, mode: str | None, themes: list[str], actors: list[str],
    countries: list[str],
) -> None:  # fmt: skip
    told = Happening(event, mode, tuple(themes), tuple(actors), tuple(countries))
    found = deciding(CLAUSES[id], told)
    if found is None:
        return
    assert event in (found.events or (event,))
    assert (mode or "-") in (found.modes or (mode or "-",))
    assert not found.themes or set(found.themes) & set(themes)
    assert set(found.countries) <= set(countries)
    for side in (found.acting, found.upon):
        assert not side or organisations(side, date.min, None) & set(actors)


def test_a_unit_that_no_clause_is_about_has_none() -> None:
    assert commitments("PK-SD", date(2020, 3, 4)) == ()
    assert commitments("no such unit", date(2020, 3, 4)) == ()


def test_a_pattern_of_units_means_areas_or_borders_but_never_both() -> None:
    kinds = {UNITS[unit].kind for unit in CLAUSES["reduction-in-violence/taliban"].units}
    assert kinds == {"country", "admin1", "actor"}
    borders = CLAUSES["af-pk-doha-2025/ceasefire"].units
    assert {UNITS[unit].kind for unit in borders} == {"dyad", "border"}
    assert len(borders) == 1 + sum(unit.kind == "border" for unit in UNITS.values())


@pytest.mark.parametrize("text", ["2020-13-01", "yesterday", "2020-02-02..2020-02-01", "..2020"])
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        due_of(text)
