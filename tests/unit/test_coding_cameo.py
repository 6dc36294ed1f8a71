"""CAMEO codes in PLOVER's words: every root, the modes, and the way to a parent."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from importlib import resources
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.coding import code
from detectors.coding.cameo import Coding, plover_of
from detectors.coding.plover import type_of
from detectors.records import EventType, Report

ROOTS = {
    "01": None, "02": None, "03": "AGREE", "04": "CONSULT", "05": "SUPPORT", "06": "COOPERATE",
    "07": "AID", "08": "CONCEDE", "09": "ACCUSE", "10": "REQUEST", "11": "ACCUSE",
    "12": "REJECT", "13": "THREATEN", "14": "PROTEST", "15": "MOBILIZE", "16": "SANCTION",
    "17": "COERCE", "18": "ASSAULT", "19": "ASSAULT", "20": "ASSAULT",
}  # fmt: skip


@pytest.mark.parametrize(("root", "event"), ROOTS.items())
def test_each_root_and_its_general_code_have_the_type_of_the_table(
    root: str, event: str | None
) -> None:
    for written in (root, f"{root}0"):
        found = plover_of(written)
        assert (found.event if found else None) == event


@pytest.mark.parametrize(
    ("code", "event", "mode", "context"),
    [
        pytest.param("0311", "AGREE", None, ("economic",), id="a promise to trade"),
        pytest.param("0861", "RETREAT", "access", ("peacekeeping",), id="08 from 084 is retreat"),
        pytest.param("0813", "RETREAT", None, ("legal",), id="a curfew eased is retreat too"),
        pytest.param("0812", "CONCEDE", None, ("pro_democracy",), id="its neighbour is concede"),
        pytest.param("1121", "ACCUSE", "allege", ("crime", "corruption"), id="two contexts"),
        pytest.param("163", "SANCTION", "discontinue", ("diplomatic",), id="sanctions sanction"),
        pytest.param("191", "COERCE", "restrict", ("military",), id="a blockade coerces"),
        pytest.param("1712", "ASSAULT", "seize", ("human_security",), id="destruction is assault"),
        pytest.param("1711", "COERCE", "seize", ("human_security",), id="confiscation is not"),
        pytest.param("175", "ASSAULT", None, ("pro_autocracy", "military"), id="repression"),
        pytest.param("201", "ASSAULT", "cleansing", ("religion_ethnicity",), id="mass expulsion"),
        pytest.param("1831", "ASSAULT", "suicide-attack", (), id="a mode with no context"),
    ],
)
def test_a_code_has_the_mode_and_contexts_of_the_table(
    code: str, event: EventType, mode: str | None, context: tuple[str, ...]
) -> None:
    assert plover_of(code) == Coding(event, mode, context, code)


@pytest.mark.parametrize(
    ("code", "found"),
    [
        pytest.param("0879", "087", id="four digits to three"),
        pytest.param("1939", "193", id="of a root of mixed types to its own branch"),
        pytest.param("176", "17", id="three digits to the root"),
        pytest.param("1769", "17", id="four digits to the root"),
    ],
)
def test_a_code_the_table_leaves_out_takes_its_nearest_parent(code: str, found: str) -> None:
    coding = plover_of(code)
    assert coding is not None
    assert coding.code == found


@pytest.mark.parametrize(
    "code", ["", "1", "3", "21", "99", "0222", "18311", "1b", "-1", "١٨", "²³"]
)
def test_what_is_no_code_or_has_no_parent_is_none(code: str) -> None:
    assert plover_of(code) is None


def test_every_row_names_a_type_of_the_records_and_is_its_own_parent() -> None:
    text = resources.files("detectors.coding").joinpath("cameo.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert len({row["code"] for row in rows}) == len(rows)
    assert {row["event"] for row in rows} == set(get_args(EventType))
    for row in rows:
        found = plover_of(row["code"])
        assert found is not None
        assert (found.code, found.event) == (row["code"], row["event"])


@pytest.mark.parametrize(
    "title",
    [
        "US imposes sanctions on firm in Karachi",
        "Washington slaps new trade sanctions on a bank in Lahore",
        "Council renews arms embargo against group in Kandahar",
        "Firm in Karachi blacklisted over missile parts",
        "Court freezes assets of charity in Lahore",
    ],
)
def test_sanctions_have_one_type_however_they_reach_the_coder(title: str) -> None:
    """By the cautious terms, by the rules for all of PLOVER, and by a CAMEO code."""
    coded = plover_of("163")
    assert coded is not None
    typed = type_of(title)
    assert typed.event in (None, coded.event), typed
    at = datetime(2025, 2, 12, tzinfo=UTC)
    (found,) = code([Report(id="r", source="s", seen_at=at, title=title)])
    assert {event.event for event in found.events} <= {coded.event}
    assert typed.event or found.events


@given(st.text(alphabet="0123456789", min_size=2, max_size=4))
def test_the_code_found_begins_the_code_asked_for(code: str) -> None:
    found = plover_of(code)
    assert found is None or (code.startswith(found.code) and len(found.code) >= 2)
