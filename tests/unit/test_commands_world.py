"""`tocsin world`: the registries' check, and an organisation as of a day."""

from __future__ import annotations

from typing import get_args

import pytest

from detectors.world import check
from detectors.world.problem import Problem
from detectors.world.units import Kind, of_kind
from tests.filled_store import answer, tocsin


def test_check_says_that_nothing_is_wrong() -> None:
    found = tocsin("world", "check")
    assert (found.exit_code, found.stderr) == (0, "")
    assert found.stdout == f"nothing is wrong with: {', '.join(check.CHECKS)}\n"
    assert answer("world", "check") == []


def test_check_names_the_row_that_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = Problem("actors/names.csv", 7, "two of one name")
    monkeypatch.setitem(check.CHECKS, "actors", lambda: [wrong])
    found = tocsin("world", "check")
    assert found.exit_code == 1
    assert "actors/names.csv:7: two of one name" in found.stdout
    printed = tocsin("world", "check", "--json")
    assert printed.exit_code == 1
    assert '"line": 7' in printed.stdout


@pytest.mark.parametrize(
    ("id", "on", "words"),
    [
        pytest.param("taliban", "2020-06-01", ["insurgent", "to 2021-08-14"], id="before"),
        pytest.param("taliban", "2022-06-01", ["de-facto-authority", "2021-08-15"], id="after"),
        pytest.param(
            "ttp", "2025-06-01", ["QDe.132", "pak-government", "فتنہ الخوارج"], id="names"
        ),
        pytest.param("Jamaat-ul-Ahrar", "2021-01-01", ["within ttp"], id="by its label"),
        pytest.param("afg-forces", "2022-01-01", ["none on that day"], id="no more"),
    ],
)
def test_an_organisation_is_shown_as_of_a_day(id: str, on: str, words: list[str]) -> None:
    found = tocsin("world", "show", id, "--on", on)
    assert found.exit_code == 0, found.stderr
    assert on in found.stdout
    assert not [word for word in words if word not in found.stdout]


def test_as_json_it_has_role_references_and_names_with_their_days() -> None:
    found = answer("world", "show", "ttp", "--on", "2025-06-01")
    assert (found["id"], found["on"], found["identifiers"]) == ("ttp", "2025-06-01", ["QDe.132"])
    assert found["role"]["side"] == "insurgent"
    name = next(name for name in found["names"] if name["text"] == "Fitna al-Khawarij")
    assert (name["speaker"], name["first"], name["last"]) == ("pak-government", "2024-07-26", None)


def test_units_are_listed_by_kind() -> None:
    found = answer("world", "units")
    assert [each["code"] for each in found] == [
        unit.code for kind in get_args(Kind) for unit in of_kind(kind)
    ]
    (border,) = [each for each in found if each["code"] == "AF-NAN~PK-KP"]
    assert (border["kind"], border["countries"]) == ("border", ["AFG", "PAK"])


def test_units_of_a_kind_are_listed_under_its_heading() -> None:
    found = tocsin("world", "units", "--kind", "dyad")
    assert found.exit_code == 0
    assert "Relations of two states: 6" in found.stdout
    assert "AFG~PAK" in found.stdout
    assert "AF-KAB" not in found.stdout


def test_without_a_day_it_is_today() -> None:
    assert answer("world", "show", "taliban")["role"]["side"] == "de-facto-authority"


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        (("world", "show", "talban"), 1, "did you mean taliban"),
        (("world", "show", "zzz"), 1, "there are taliban"),
        (("world", "show", "taliban", "--on", "yesterday"), 2, "yesterday"),
    ],
    ids=["nearly", "nothing like it", "no day"],
)
def test_what_cannot_be_shown_says_its_mend(
    command: tuple[str, ...], code: int, words: str
) -> None:
    found = tocsin(*command)
    assert found.exit_code == code
    assert words in found.stderr
    assert not found.stdout
