"""How good the coder is on real headlines, on world news, and on the bundled scenario."""

from __future__ import annotations

import pytest

from tests import coding_measures as measures
from tests.coding_deaths import ucdp_deaths

needs_shared = pytest.mark.skipif(
    not measures.SHARED.is_dir(), reason="the shared data are not beside here"
)


@needs_shared
@pytest.mark.parametrize(
    ("file", "least_answered", "least_right"),
    [
        ("afg_2020_h1_events.csv", 0.92, 0.97),
        ("afg_pak_partial_weeks_2018_2020_coding_only.csv", 0.87, 0.96),
        ("candidate_2023_10_afg_pak.csv", 0.93, 0.90),
    ],
)
def test_headlines_that_name_a_province(
    file: str, least_answered: float, least_right: float
) -> None:
    told = measures.admin1(file)
    print(f"\n{file}: answered {told.answered}; right {told.right}; strictly {told.strict}")
    assert told.answered.value >= least_answered
    assert told.right.value >= least_right


@needs_shared
@pytest.mark.parametrize("file", measures.UCDP[:2])
def test_the_dead_of_headlines_are_read_better_than_the_first_number(file: str) -> None:
    told = ucdp_deaths(file)
    print(f"\n{file}: read {told.read}; equal {told.equal}; naive {told.naive}")
    assert told.read.value >= 0.82
    assert told.equal.value >= told.naive.value + 0.1


@needs_shared
@pytest.mark.parametrize("name", list(measures.NTREX))
def test_world_news_raises_no_false_alarm(name: str) -> None:
    share, wrong = measures.false_alarms(name)
    print(f"\n{name}: {share}", *wrong, sep="\n")
    assert share.of >= 990
    assert share.value <= 0.005


#: A risen toll alone, with no word of violence, is not coded: it may be that of an accident.
_LEAST_FOUND = {"en": 0.98, "fa": 0.97, "ps": 0.95, "ur": 0.93}


def test_the_bundled_scenario() -> None:
    counts = measures.scenario()
    assert set(counts) == set(_LEAST_FOUND)
    for language, count in counts.items():
        print(f"\n{language}: " + ", ".join(f"{key} {n}" for key, n in count.items()))
        assert count["violent"] >= _LEAST_FOUND[language] * count["reports"]
        assert count["place right"] >= 0.98 * count["placed"]
        assert count["day right"] >= 0.98 * count["dated"]
        assert count["toll right"] >= 0.95 * count["tolls"]
        assert count["false alarms"] <= 0.01 * count["other news"]
