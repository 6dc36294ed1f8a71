"""The instability index: what it rests on, what is made of it, and when it is not told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from math import exp, log

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from detectors import index
from detectors.model import (
    Curve,
    Linear,
    Model,
    ModelError,
    Tree,
    Trees,
    decode,
    encode,
    untrained,
    versions,
)
from detectors.records import Event, Index, Score, Tick
from detectors.rules.base import BAR_DAYS, LEAST_BAR_DAYS, Known
from detectors.signals import SIGNALS
from detectors.signals.base import Observation
from detectors.timegrid import Grid
from detectors.watch import UnitState, Watch, WatchState
from tests.core_records import clock, event, health, tick, town

UNIT = "AF-KAN"
BORDER = "AF-KAN~PK-BA"


def told(
    counts: Sequence[int],
    *,
    units: Sequence[str] = (UNIT,),
    judge: index.Judge | None = None,
    dark: Sequence[int] = (),
    restart: int | None = None,
) -> list[Score]:
    """The scores of S0 for rises, from so many attacks on each day in every unit."""
    watch = Watch(Grid(), units, judge)
    found: list[Score] = []
    for number, count in enumerate(counts):
        if number == restart:
            watch = _restored(watch, units, judge)
        share = 0.0 if number in dark else 1.0
        records: list[Event | Tick] = [
            event(
                f"{unit}-{number}-{each}/0",
                number,
                unit=unit,
                seen_at=clock(number, 5 + each * 0.2),
                place=town(f"Town {number} {each}", UNIT),
            )
            for unit in units
            for each in range(count)
        ]
        for hour in (6, 12, 18):
            at = clock(number, hour)
            records.append(tick(at, health("wire", at, share)))
        found.extend(watch.take(enumerate(records, watch.state.offset + 1)))
    return [s for s in found if (s.signal, s.direction) == ("S0", "rise")]


def _restored(watch: Watch, units: Sequence[str], judge: index.Judge | None) -> Watch:
    mark = msgspec.json.decode(msgspec.json.encode(watch.mark()), type=WatchState)
    held = {
        unit: msgspec.json.decode(msgspec.json.encode(state), type=UnitState)
        for unit, state in watch.units.items()
    }
    fresh = Watch(Grid(), units, judge)
    fresh.restore(mark, held)
    return fresh


def on(scores: Sequence[Score], day: int) -> Index:
    """The last index told on a test day."""
    last = [s for s in scores if s.series_end == clock(day).date()][-1]
    assert last.index is not None
    return last.index


class Ask:
    """A judge that gives the bar as a feature of a fixed index."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int, dict[str, float]]] = []

    def judge(self, seen: Observation, bar: int, features: Mapping[str, float]) -> Index | None:
        self.asked.append((seen.today, bar, dict(features)))
        return None


# A quiet quarter, then a surge: the golden case

QUIET: list[int] = np.random.default_rng(4).poisson(0.5, 105).tolist()
SURGE = [*QUIET, 1, 4, 5, 6, 5, 6, 5]


@cache
def surge() -> list[Score]:
    return told(SURGE)


def test_the_index_rises_with_a_surge_and_names_what_raised_it() -> None:
    before, during = on(surge(), 104), on(surge(), len(SURGE) - 1)
    assert before.probability < 0.3
    assert during.probability > 2 * before.probability
    assert during.factors[0].name == "pace"
    assert during.factors[0].log_odds > 0


def test_the_index_stays_near_a_tenth_where_all_is_as_usual() -> None:
    """The bar is what a tenth of the fortnights reached: steady violence reaches it as rarely."""
    said = []
    for seed in range(3):
        steady: list[int] = np.random.default_rng(seed).poisson(0.6, 140).tolist()
        scores = told(steady)
        said.extend(on(scores, day).probability for day in range(90, 140))
    assert 0.05 < sum(said) / len(said) < 0.2
    assert sorted(said)[int(0.9 * len(said))] < on(surge(), len(SURGE) - 1).probability


def test_no_index_is_told_while_what_is_usual_is_being_learned() -> None:
    first = next(s for s in surge() if s.index is not None)
    assert first.state == "scored"
    assert all(s.index is None for s in surge() if s.state != "scored")
    assert any(s.state == "learning" for s in surge())


def test_in_the_dark_there_is_no_index_and_afterwards_there_is_again() -> None:
    scores = told([*QUIET[:60], *[0] * 4, *QUIET[:5]], dark=range(60, 64))
    dark = [s for s in scores if s.coverage == "dark"]
    assert dark
    assert all(s.index is None for s in dark)
    assert on(scores, 68).probability < 0.5


def test_areas_have_an_index_and_a_border_has_none() -> None:
    scores = told([1] * 40, units=(UNIT, "AFG", BORDER))
    scored = [s for s in scores if s.state == "scored"]
    assert {s.unit for s in scored if s.index is not None} == {UNIT, "AFG"}
    assert {s.unit for s in scored} == {UNIT, "AFG", BORDER}


def test_a_restart_changes_no_index() -> None:
    kept, restarted = told(SURGE[:60]), told(SURGE[:60], restart=45)
    assert [s.index for s in kept] == [s.index for s in restarted]


def test_the_factors_add_up_to_the_probability() -> None:
    for score in surge():
        if score.index is not None:
            total = sum(each.log_odds for each in score.index.factors)
            assert 1 / (1 + exp(-total)) == pytest.approx(score.index.probability, abs=0.01)
            assert score.index.low <= score.index.probability <= score.index.high


def test_a_line_of_words_tells_the_index_with_its_interval_and_factors() -> None:
    line = index.words(on(surge(), len(SURGE) - 1))
    assert line.startswith("Instability ")
    assert "log odds from pace" in line
    assert "(untrained)" in line


# What it rests on


def test_after_ninety_days_the_bar_is_that_of_the_unit_s_own_fortnights() -> None:
    ask = Ask()
    told(SURGE, judge=ask)
    first = ask.asked[-1][0] - len(SURGE) + 1
    for today, bar, _ in ask.asked:
        days = today - first + 1
        if days >= LEAST_BAR_DAYS and days < 105:  # as the day began: its attacks are not known yet
            counts = np.array([[*SURGE[: days - 1], 0]], dtype=float)
            later = np.array([SURGE[:days]], dtype=float)
            whole = np.zeros(1, dtype=np.intp)
            assert bar in {int(Known(c, c, whole).bar[0]) for c in (counts, later)}


@given(st.lists(st.integers(0, 9), min_size=LEAST_BAR_DAYS, max_size=LEAST_BAR_DAYS + 60))
@settings(max_examples=40, deadline=None)
def test_the_bar_is_the_one_of_the_rules(counts: list[int]) -> None:
    past = index.Past()
    for day in range(len(counts)):
        past.note(tuple([0] * 27 + counts)[day : day + 28], 100 + day)
    assert past.counts == counts
    past.raise_bar(1, 0.5, 10.0)
    table = np.array([counts], dtype=float)
    assert past.bar == int(Known(table, table, np.zeros(1, dtype=np.intp)).bar[0])


def test_what_comes_to_be_known_later_is_counted_on_its_day() -> None:
    past = index.Past()
    past.note((0,) * 28, 10)
    past.note((*[0] * 26, 3, 1), 11)
    assert past.counts == [3, 1]
    past.note((*[0] * 24, 4, 1, 0, 2), 13)  # nothing was told of day 12
    assert past.counts == [4, 1, 0, 2]
    assert past.total(2) == 2


def test_two_busy_years_fit_into_few_kilobytes() -> None:
    past = index.Past()
    for day in range(3 * 365):
        past.note(tuple(30 + (day + each) % 50 for each in range(28)), day)
    assert len(past.counts) == BAR_DAYS + index.HORIZON_DAYS
    assert len(msgspec.json.encode(past)) < 4096


def test_features_follow_the_registry_by_name() -> None:
    expected = {s.name for s in SIGNALS.values() if s.indicator and s.kinds & index.KINDS}
    assert {name.partition(" ")[0] for name in index.of_signals()} == expected
    assert "S1" in expected
    assert "M1" not in expected
    ask = Ask()
    told(SURGE, judge=ask)
    last = ask.asked[-1][2]
    assert {*index.COMMON, "strength", "rarity", "S1", "S1 rarity"} <= last.keys()
    assert last["S1"] == pytest.approx(log(1 + (surge()[-1].parts[0].strength)), abs=1e-6)


# Models


def _model(form: Linear | Trees, features: tuple[str, ...] = ("pace", "S1")) -> Model:
    curve = Curve((-4.0, 0.0, 4.0), (0.02, 0.5, 0.98), (0.01, 0.4, 0.9), (0.1, 0.6, 0.99))
    return replace(
        untrained(),
        id="test",
        features=features,
        form=form,
        curve=curve,
        signals=versions(features),
    )


STUMP = Trees(
    -1.0,
    (Tree((0, 0, 0), (0.5, 0.0, 0.0), (1, 1, 2), (2, 1, 2), (0.1, -0.4, 0.9)),),
)


@pytest.mark.parametrize(
    ("values", "expected"), [({"pace": 0.2}, -1.4), ({"pace": 0.7}, -0.1), ({}, -1.4)]
)
def test_trees_tell_what_each_feature_adds(values: dict[str, float], expected: float) -> None:
    base, terms = STUMP.terms([values.get("pace", 0.0), 0.0])
    assert base + sum(terms) == pytest.approx(expected)
    assert base == pytest.approx(-0.9)
    assert terms[1] == 0.0


def test_between_knots_the_curve_is_straight_and_beyond_them_level() -> None:
    curve = _model(STUMP).curve
    assert curve.of(-9.0) == (0.02, 0.01, 0.1)
    assert curve.of(9.0) == (0.98, 0.9, 0.99)
    assert curve.of(2.0) == pytest.approx((0.74, 0.65, 0.795))


def test_a_curve_whose_parts_do_not_belong_together_is_refused() -> None:
    with pytest.raises(ValueError, match="knots"):
        Curve((0.0, 1.0), (0.5,), (0.1,), (0.9,))


@pytest.mark.parametrize("form", [STUMP, Linear(-2.0, (1.0, 0.5), (0.1, 0.0), (2.0, 1.0))])
def test_a_model_comes_back_from_its_file_as_it_was(form: Linear | Trees) -> None:
    model = _model(form)
    assert decode(encode(model)) == model


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"signals": {"S1": 999}}, "S1 of version 999.*tocsin train"),
        ({"signals": {"S99": 1}}, "S99.*no such signal"),
        ({"version": index.VERSION + 1}, "features of version"),
        ({"features": ("pace", "horoscope")}, "horoscope"),
    ],
)
def test_a_model_of_other_signals_is_refused_with_the_mend(
    changes: dict[str, object], words: str
) -> None:
    with pytest.raises(ModelError, match=words):
        decode(encode(replace(_model(STUMP), **changes)))


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(ModelError, match="no model"):
        decode(b'{"id": "x"}')


def test_the_untrained_model_says_so_and_admits_how_little_it_knows() -> None:
    model = untrained()
    assert model.id == "untrained"
    assert model.signals == {}  # it rests on the signals' sum, whatever they are
    widest = max(h - lo for h, lo in zip(model.curve.high, model.curve.low, strict=True))
    assert widest > 0.2
    assert model.card.failures
    assert model.card.unit_days > 10_000


@given(
    st.dictionaries(st.sampled_from(sorted(untrained().features)), st.floats(-6, 6)),
    st.sampled_from(["pace", "strength", "rarity"]),
    st.floats(0.01, 5),
)
def test_stronger_evidence_never_lowers_the_untrained_index(
    values: dict[str, float], name: str, more: float
) -> None:
    seen = None  # no model looks at it
    lower = untrained().judge(seen, 3, values)  # type: ignore[arg-type]
    higher = untrained().judge(seen, 3, {**values, name: values.get(name, 0.0) + more})  # type: ignore[arg-type]
    assert higher.probability >= lower.probability
    assert lower.low <= lower.probability <= lower.high
