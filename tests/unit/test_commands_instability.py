"""The instability index in the words of the commands: also where it is not known, and why."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from detectors.index import COMMON, TOGETHER, of_signals
from detectors.records import Factor, Index
from streams.commands.instability import brief, factor_line, instabilities, lead, meaning_of, models
from tests.core_records import score

AT = datetime(2026, 3, 1, 6, tzinfo=UTC)
FACTORS = (Factor("pace", -0.4, 1.167), Factor("S14 rarity", 2.0, -0.25))
INDEX = Index(0.34, 0.21, 0.49, 14, "untrained", FACTORS)
UNKNOWN: dict[str, Any] = {"state": "unknown", "coverage": "dark", "index": None}
LEARNING: dict[str, Any] = {"state": "learning", "index": None}


def test_the_index_is_that_of_the_sum_of_rises_in_areas() -> None:
    found = instabilities(
        [
            score(AT, index=INDEX),
            score(AT, direction="fall", unit="AF-HEL"),
            score(AT, signal="S1", unit="AF-HER"),
            score(AT, unit="AF-NAN~PK-KP"),
            score(AT, unit="ttp"),
        ]
    )
    assert list(found) == ["AF-KAN"]
    assert (found["AF-KAN"].index, found["AF-KAN"].at) == (INDEX, AT)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"index": INDEX}, "34 (21 to 49)", id="known, with its interval"),
        pytest.param(UNKNOWN, "unknown: dark", id="in the dark it is no zero"),
        pytest.param(LEARNING, "unknown: learning", id="while what is usual is being learned"),
        pytest.param(
            LEARNING | {"coverage": "dark"}, "unknown: dark", id="dark weighs more than learning"
        ),
        pytest.param(
            {"index": None}, "unknown: what is usual is being learned", id="other signals judge"
        ),
    ],
)
def test_an_index_in_a_table(changes: dict[str, Any], expected: str) -> None:
    found = instabilities([score(AT, **changes)])["AF-KAN"]
    assert brief(found) == expected
    assert bool(lead(found)) == (found.index is not None)


def test_the_factor_that_weighs_most_leads() -> None:
    assert lead(instabilities([score(AT, index=INDEX)])["AF-KAN"]) == "+1.2 pace"
    assert lead(None) == ""


def test_a_factor_tells_what_it_adds_and_what_it_means() -> None:
    assert factor_line(FACTORS[1]) == (
        "-0.25 from S14 rarity (value 2.00): how rare such evidence of S14 Air and drone strikes is"
    )
    assert factor_line(Factor("new", 1.0, 0.5)) == "+0.50 from new (value 1.00)"


@pytest.mark.parametrize("feature", [*COMMON, *TOGETHER, *of_signals(), "the usual", "calibration"])
def test_every_factor_that_a_model_may_name_has_a_meaning(feature: str) -> None:
    assert meaning_of(feature)


def test_each_model_is_told_once() -> None:
    trained = Index(0.1, 0.05, 0.2, 14, "m-2026", ())
    given = {"AF-KAN": INDEX, "AF-HEL": INDEX, "AF-HER": trained, "AF-BAL": None}
    found = instabilities(score(AT, unit=unit, index=index) for unit, index in given.items())
    told = list(models(found.values()))
    assert len(told) == 2
    assert told[0] == "The index is of the trained model m-2026"
    assert "untrained" in told[1]
