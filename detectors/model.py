"""What makes a probability of features: plain numbers, read from JSON, worked out in pure Python.

A model is a weighted sum (logistic regression) or a set of small trees (gradient boosting, Friedman
2001, Annals of Statistics 29); both give log odds. A curve learned on blocks that the model had not
seen makes calibrated probabilities of them, with their intervals. What each feature adds is told:
of a sum its term, of a tree the change of its value along the path (Saabas 2014).
`tocsin train` writes models; `model_untrained.json` is used where there is none.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from math import log
from typing import Final, TypeAlias

import msgspec
from msgspec import Struct

from detectors import index
from detectors.distributions import logistic
from detectors.records import Factor, Index
from detectors.rules.base import HORIZON_DAYS
from detectors.signals import SIGNALS
from detectors.signals.base import Observation

UNTRAINED: Final = "untrained"
#: Terms smaller than this are not told, log odds.
_WORTH_TELLING: Final = 0.01
_LEAST: Final = 1e-3  # no probability is below this or above its complement


class ModelError(ValueError):
    """A model cannot be used; the text says why, and names the mend."""


class Linear(Struct, frozen=True, tag="linear"):
    """A weighted sum of standardised features."""

    intercept: float
    weights: tuple[float, ...]
    means: tuple[float, ...]
    scales: tuple[float, ...]

    def terms(self, values: Sequence[float]) -> tuple[float, list[float]]:
        """Return the log odds of the usual, and what each feature adds."""
        return self.intercept, [
            weight * (value - mean) / scale
            for weight, value, mean, scale in zip(
                self.weights, values, self.means, self.scales, strict=True
            )
        ]


class Tree(Struct, frozen=True):
    """A tree by nodes; the first is the root. A leaf has itself for its left branch."""

    feature: tuple[int, ...]
    threshold: tuple[float, ...]  # at most so much: to the left
    left: tuple[int, ...]
    right: tuple[int, ...]
    value: tuple[float, ...]  # log odds


class Trees(Struct, frozen=True, tag="trees"):
    """A sum of trees."""

    intercept: float
    trees: tuple[Tree, ...]

    def terms(self, values: Sequence[float]) -> tuple[float, list[float]]:
        """Return the log odds of the usual, and what each feature adds."""
        base, terms = self.intercept, [0.0] * len(values)
        for tree in self.trees:
            node = 0
            base += tree.value[0]
            while tree.left[node] != node:
                which = tree.feature[node]
                branch = tree.left if values[which] <= tree.threshold[node] else tree.right
                terms[which] += tree.value[branch[node]] - tree.value[node]
                node = branch[node]
        return base, terms


Form: TypeAlias = Linear | Trees


class Curve(Struct, frozen=True):
    """Log odds to probabilities: straight lines between knots, level beyond them."""

    at: tuple[float, ...]  # log odds, rising
    level: tuple[float, ...]
    low: tuple[float, ...]  # of a 90 % interval
    high: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse what is no curve.

        Raises:
            ValueError: It has no knot, or they do not belong together.
        """
        if not self.at or {len(self.level), len(self.low), len(self.high)} != {len(self.at)}:
            raise ValueError("a curve needs knots, each with a level, a low and a high")

    def of(self, log_odds: float) -> tuple[float, float, float]:
        """Return the probability with the low and high end of its interval."""
        place = bisect_right(self.at, log_odds)
        if place in {0, len(self.at)}:
            end = min(place, len(self.at) - 1)
            return self.level[end], self.low[end], self.high[end]
        before, after = self.at[place - 1], self.at[place]
        part = (log_odds - before) / (after - before)
        level, low, high = (
            line[place - 1] + part * (line[place] - line[place - 1])
            for line in (self.level, self.low, self.high)
        )
        return level, min(low, level), max(high, level)


class Figure(Struct, frozen=True):
    """A figure with its 95 % interval, None where there are too few blocks for one."""

    value: float
    low: float | None = None
    high: float | None = None


class Skill(Struct, frozen=True):
    """How good probabilities were on days that their maker had not seen."""

    name: str
    average_precision: Figure
    brier: Figure
    log_loss: Figure
    calibration_error: Figure


class Card(Struct, frozen=True):
    """What a model was made of, how good it is, and where it fails."""

    data: str
    first_day: str  # ISO dates of the unit-days it was trained on
    last_day: str
    units: int
    unit_days: int
    positives: int  # unit-days before an escalation
    chosen: str  # why this form and no other
    judged: str  # which unit-days the skill was measured on
    judged_unit_days: int
    judged_positives: int
    skill: tuple[Skill, ...]  # of this model first, then of what it must beat
    failures: tuple[str, ...]


class Model(Struct, frozen=True):
    """A model with all it needs."""

    id: str
    version: int  # of the features (`index.VERSION`)
    signals: dict[str, int]  # the versions of the signals whose features it uses
    features: tuple[str, ...]
    form: Form
    curve: Curve
    card: Card

    def judge(self, seen: Observation, bar: int, features: Mapping[str, float]) -> Index:
        """Return a unit's index; a feature that is not there is 0."""
        values = [features.get(name, 0.0) for name in self.features]
        base, terms = self.form.terms(values)
        raw = base + sum(terms)
        probability, low, high = (min(max(p, _LEAST), 1.0 - _LEAST) for p in self.curve.of(raw))
        told = [
            Factor(name, round(value, 4), round(term, 3))
            for name, value, term in zip(self.features, values, terms, strict=True)
            if abs(term) >= _WORTH_TELLING
        ]
        shift = log(probability / (1.0 - probability)) - raw
        ends = (
            Factor("the usual", round(logistic(base), 4), round(base, 3)),
            Factor("calibration", 0.0, round(shift, 3)),
        )
        told.sort(key=lambda each: (-abs(each.log_odds), each.name))
        return Index(
            probability=round(probability, 4),
            low=round(low, 4),
            high=round(high, 4),
            horizon_days=HORIZON_DAYS,
            model=self.id,
            factors=(*told, *ends),
        )


def decode(raw: bytes) -> Model:
    """Read a model.

    Raises:
        ModelError: It is none, or was trained with other features or versions of the signals.
    """
    try:
        model = msgspec.json.decode(raw, type=Model)
    except (msgspec.DecodeError, ValueError) as error:
        raise ModelError(f"is no model ({error}): make one with tocsin train") from error
    _check(model)
    return model


def encode(model: Model) -> bytes:
    """Write a model as JSON, for people to read too."""
    return msgspec.json.format(msgspec.json.encode(model), indent=1) + b"\n"


def versions(features: Sequence[str]) -> dict[str, int]:
    """Return the versions of the signals whose features these are."""
    used = {name.partition(" ")[0] for name in features}
    return {name: signal.version for name, signal in SIGNALS.items() if name in used}


def _check(model: Model) -> None:
    if model.version != index.VERSION:
        raise ModelError(
            f"was trained with features of version {model.version}, these are of "
            f"{index.VERSION}: train it anew with tocsin train"
        )
    now = {name: signal.version for name, signal in SIGNALS.items()}
    for name, version in model.signals.items():
        if now.get(name) != version:
            here = f"version {now[name]}" if name in now else "no such signal"
            raise ModelError(
                f"was trained with {name} of version {version}, here is {here}: "
                "train it anew with tocsin train"
            )
    known = {*index.COMMON, *index.TOGETHER, *index.of_signals()}
    strange = [name for name in model.features if name not in known]
    if strange:
        raise ModelError(f"uses {strange[0]!r}, which is not known here: train it anew")


@cache
def untrained() -> Model:
    """Return the packaged model, learned from simulated worlds, for where there is no other."""
    return decode(resources.files("detectors").joinpath("model_untrained.json").read_bytes())
