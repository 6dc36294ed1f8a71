"""Training the index: nothing is learned from the future, and what is learned is worth it."""

from __future__ import annotations

import json
from datetime import date
from functools import cache
from pathlib import Path

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace

from detectors import index
from detectors.model import Linear, Trees, decode, encode, untrained
from detectors.rules.base import LEAST_BAR_DAYS
from streams.backtest.history import TooShortError
from streams.backtest.walk import SETTLED_DAYS, Walk
from streams.settings import SettingsError, load
from streams.simulator import Spec, World
from streams.simulator.spec import WATCHED
from streams.training.card import render
from streams.training.collect import RIVALS, Rows
from streams.training.fit import calibrate, held_out, learn, linear, log_odds, probability, trees
from streams.training.train import SUM, features_of, judge, train
from tests.filled_store import tocsin

DAYS, UNITS = 240, ("AF-KAN", "AF-HEL", "AF-KAB", "AF-NAN")


def rows(days: int = DAYS, seed: int = 1, effect: float = 1.0) -> Rows:
    """Rows whose escalations follow the feature `pace`, and nothing else, by a known law."""
    generator = np.random.default_rng(seed)
    features = (*index.COMMON, *index.TOGETHER, "S1", "S1 rarity")
    row, unit = (
        each.ravel() for each in np.meshgrid(range(days), range(len(UNITS)), indexing="ij")
    )
    x = generator.normal(size=(len(row), len(features)))
    x[:, 0] = generator.normal(-2.0, 1.5, len(row))
    y = (generator.random(len(row)) < 1 / (1 + np.exp(-effect * x[:, 0]))).astype(float)
    y[row >= days - SETTLED_DAYS] = np.nan
    table = np.zeros((days, len(UNITS)))
    started = np.where(np.arange(days)[:, None] >= LEAST_BAR_DAYS - 1, table, np.nan)
    walked = Walk(
        units=UNITS,
        first_day=18_000,
        risk={name: started + 0.1 for name in RIVALS},
        bar=started + 3.0,
        final=table,
        deaths=table,
        truth=table,
        learnt=table,
        dark=table > 0,
        seen=table == 0,
    )
    whole = np.ones(len(row), dtype=bool)
    return Rows(features, x, y, row, unit, whole, row + 1 >= LEAST_BAR_DAYS, walked)


def told(given: Rows) -> Rows:
    return given.take(~np.isnan(given.y))


def column(given: Rows) -> np.ndarray:
    return given.x[:, [given.features.index(name) for name in features_of(given)]]


# Forms


def test_the_weighted_sum_finds_the_law_that_made_the_rows() -> None:
    given = told(rows(days=2_000))
    form = linear(column(given), given.y, features_of(given))
    odds = log_odds(form, column(given))
    assert np.corrcoef(odds, given.x[:, 0])[0, 1] > 0.99
    slope = np.polyfit(given.x[:, 0], odds, 1)[0]
    assert slope == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("fit", [linear, trees])
def test_no_form_takes_more_evidence_for_less_risk(fit) -> None:  # type: ignore[no-untyped-def]
    """The rows say the opposite of what sense demands: then the feature says nothing."""
    if fit is trees:
        pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    given = told(rows(days=600, effect=-1.0))
    form = fit(column(given), given.y, features_of(given))
    low, high = column(given)[:200].copy(), column(given)[:200].copy()
    high[:, 0] += 3.0
    assert (log_odds(form, high) >= log_odds(form, low) - 1e-9).all()


@pytest.mark.parametrize("fit", [linear, trees])
def test_a_form_is_the_same_in_training_and_in_use(fit) -> None:  # type: ignore[no-untyped-def]
    if fit is trees:
        pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    given = told(rows())
    form, curve = learn(column(given), given.y, given.row, features_of(given), fit)
    assert isinstance(form, Linear if fit is linear else Trees)
    model = replace(untrained(), features=features_of(given), form=form, curve=curve)
    expected = np.clip(probability(form, curve, column(given)), 0.001, 0.999)
    for number in range(0, 200, 20):
        values = dict(zip(given.features, given.x[number].tolist(), strict=True))
        found = model.judge(None, 3, values)  # type: ignore[arg-type] - no model looks at it
        assert found.probability == pytest.approx(expected[number], abs=1e-4)


def test_the_trees_are_those_of_scikit_learn() -> None:
    ensemble = pytest.importorskip("sklearn.ensemble", reason="scikit-learn is not installed")
    given = told(rows())
    from streams.training import fit

    booster = ensemble.HistGradientBoostingClassifier(
        **fit._TREES,
        monotonic_cst=fit.signs(features_of(given)),
        min_samples_leaf=max(20, int(fit._LEAF_SHARE * len(given.y))),
    ).fit(column(given), given.y)
    ours = log_odds(trees(column(given), given.y, features_of(given)), column(given))
    assert ours == pytest.approx(booster.decision_function(column(given)), abs=1e-3)


def test_held_out_days_are_judged_by_what_lies_apart_from_them() -> None:
    given = told(rows())
    before, _ = held_out(column(given), given.y, given.row, features_of(given), linear)
    inside = given.row < 20  # in the first stretch, and nothing within reach of it is learned from
    changed = np.where(given.row < 20 + SETTLED_DAYS, 1.0 - given.y, given.y)
    after, _ = held_out(column(given), changed, given.row, features_of(given), linear)
    assert before[inside] == pytest.approx(after[inside])
    assert before[~inside] != pytest.approx(after[~inside])


def test_the_curve_mends_what_is_too_sure_and_keeps_the_order() -> None:
    given = told(rows(days=2_000))
    curve = calibrate(3.0 * given.x[:, 0], given.y, given.row)  # three times too sure
    for odds in (-3.0, -1.5, 0.0):
        level, low, high = curve.of(3.0 * odds)
        assert level == pytest.approx(1 / (1 + np.exp(-odds)), abs=0.05)
        assert low <= level <= high
    assert list(curve.level) == sorted(curve.level)


# Training


@cache
def trained():  # type: ignore[no-untyped-def]
    return train(rows(), "invented", (SUM,))


def test_a_model_beats_what_knows_nothing_and_its_card_says_so() -> None:
    own, *others = trained().model.card.skill
    assert {each.name for each in others} == {"untrained", *RIVALS}
    for each in others:
        if each.name in RIVALS:  # in these rows they know nothing
            assert own.average_precision.value > each.average_precision.value + 0.1
            assert own.log_loss.value < each.log_loss.value
    assert own.calibration_error.value < 0.1
    low, high = own.brier.low, own.brier.high
    assert low is not None
    assert high is not None
    assert low < own.brier.value < high


def test_the_card_tells_data_days_skill_and_failures() -> None:
    card = render(trained().model)
    told_of = ("invented", "2019-", "average precision", "climatology", "no-change", "pace")
    assert all(each in card for each in told_of)
    assert all(failure in card for failure in trained().model.card.failures)


def test_what_comes_later_changes_nothing_that_was_said_before() -> None:
    given, cut = told(rows()), 150
    later = given.row > cut - SETTLED_DAYS - 1
    changed = replace(given, y=np.where(later, 1.0 - given.y, given.y))
    before, after = judge(given, (SUM,)), judge(changed, (SUM,))
    early = before.row <= cut - 14  # in blocks that begin at the cut or sooner
    assert early.any()
    assert before.given[SUM][early] == pytest.approx(after.given[SUM][early])


@pytest.mark.parametrize("days", [30, 100, 120])
def test_too_short_a_history_is_refused_with_what_is_needed(days: int) -> None:
    with pytest.raises(TooShortError, match=f"has {days} days.*Needed are about"):
        train(rows(days=days), "invented", (SUM,))


def test_a_history_in_which_nothing_happened_is_refused() -> None:
    calm = rows()
    with pytest.raises(TooShortError, match="0 half days of units before an escalation"):
        train(replace(calm, y=calm.y * 0.0), "invented", (SUM,))


# The command, and the settings


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Reports of a simulated world, one JSON record a line."""
    spec = Spec(
        seed=7,
        first_day=date(2023, 1, 1),
        days=165,
        units=WATCHED[:14],
        rate=(0.2, 0.6),
        drift=0.03,
        news=1.0,
    )
    file = tmp_path_factory.mktemp("history") / "reports.jsonl"
    file.write_bytes(b"".join(msgspec.json.encode(r) + b"\n" for r in World(spec).reports()))
    return file


def test_train_writes_a_model_that_the_settings_take(history: Path, tmp_path: Path) -> None:
    out, card = tmp_path / "model.json", tmp_path / "card.md"
    found = tocsin("train", str(history), "--out", str(out), "--card", str(card), "--json")
    assert found.exit_code == 0, found.stderr
    said = json.loads(found.stdout)
    model = decode(out.read_bytes())
    assert said["id"] == model.id
    assert said["card"]["judged_positives"] >= 20
    assert {each["name"] for each in said["card"]["skill"]} >= {"untrained", *RIVALS}
    assert model.signals["S1"] >= 1
    assert model.id in card.read_text(encoding="utf-8")
    settings = tmp_path / "tocsin.toml"
    settings.write_text(f'model = "{out}"\n')
    assert load(settings).judge() == model


def test_train_refuses_what_is_too_short_or_empty_or_missing(history: Path, tmp_path: Path) -> None:
    out = str(tmp_path / "model.json")
    short = tocsin("train", str(history), "--until", "2023-02-01", "--out", out)
    assert short.exit_code == 2
    assert "Needed are about" in short.stderr
    before = tocsin("train", str(history), "--until", "2020-01-01", "--out", out)
    assert before.exit_code == 1
    assert "no report seen before 2020-01-01" in before.stderr
    assert tocsin("train", str(tmp_path / "none.jsonl"), "--out", out).exit_code == 2
    assert not Path(out).exists()


def test_settings_without_a_model_take_the_untrained_one() -> None:
    assert load().judge() == untrained()


def test_settings_refuse_a_model_of_other_signals_with_the_mend(tmp_path: Path) -> None:
    file, settings = tmp_path / "model.json", tmp_path / "tocsin.toml"
    settings.write_text(f'model = "{file}"\n')
    with pytest.raises(SettingsError, match=r"model\.json cannot be read"):
        load(settings).judge()
    file.write_bytes(encode(replace(untrained(), signals={"S1": 999})))
    with pytest.raises(SettingsError, match=r"S1 of version 999.*tocsin train"):
        load(settings).judge()
