"""Training: which form is the better, how good it is on days it has not seen, and the model.

The skill is that of the whole procedure on an expanding window (Tashman 2000, International Journal
of Forecasting 16): every two weeks or more all is learned anew from days whose fortnights were over
and settled by then, the curve too. The model that is stored has learned from all days.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Final

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from detectors import index
from detectors.model import Card, Curve, Form, Model, Skill, untrained, versions
from detectors.rules.base import LEAST_BAR_DAYS
from detectors.timegrid import day_of
from streams.backtest.history import TooShortError
from streams.backtest.measures import blocks, mean_interval
from streams.backtest.walk import SETTLED_DAYS
from streams.training.collect import RIVALS, Rows, named
from streams.training.fit import Fit, TooLittleError, centred, learn, linear, probability, trees
from streams.training.skill import log_losses, skill

Floats = NDArray[np.float64]

SUM: Final = "weighted sum"
TREES: Final = "trees"
FORMS: Final[Mapping[str, Fit]] = {SUM: linear, TREES: trees}
_FIRST_DAYS: Final = 56  # of rows before the first day that is judged
_BLOCK_DAYS: Final = 14
_MOST_BLOCKS: Final = 24
_LEAST_BLOCKS: Final = 3
_LEAST_POSITIVES: Final = 20  # unit-days judged
_FAILURES: Final = (
    "It knows of what was reported only: what outlets do not tell, or where they fell silent, it "
    "takes for calm but for the coverage that is told beside it.",
    "The bar is the unit's own: a probability says nothing of how bad a fortnight would be, and "
    "two units with the same one may differ a hundredfold in incidents.",
    "Escalations begin with what the reports do not show; most of the skill is in telling how long "
    "they last.",
    "A history of less than some years holds few escalations that are independent of each other: "
    "skill may be of that time and not of the next.",
)


class Judged(Struct, frozen=True):
    """What was said, out of sample, of the days that all could speak of."""

    given: dict[str, Floats]
    hit: Floats
    row: NDArray[np.intp]
    unit: NDArray[np.intp]


class Trained(Struct, frozen=True):
    """A model, and what its skill was worked out from."""

    model: Model
    judged: Judged


def features_of(rows: Rows) -> tuple[str, ...]:
    """Return the features that a trained model uses: all but those of the sum of signals."""
    return tuple(name for name in rows.features if name not in index.TOGETHER)


def train(
    rows: Rows,
    data: str,
    forms: Sequence[str] = (SUM, TREES),
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Trained:
    """Return the better model of a history, with its card.

    Args:
        rows: What there is to learn from.
        data: How the history is called.
        forms: Which of `FORMS` are compared, the simplest first.
        progress: Is told how many blocks are done, and of how many.

    Raises:
        TooShortError: The history is too short, or too little happened in it.
        ImportError: Trees were asked for, and scikit-learn is not installed.
    """
    rows = rows.take(~np.isnan(rows.y))
    judged = judge(rows, forms, progress)
    _enough(judged, rows)
    chosen, why = _choose(judged, forms)
    features = features_of(rows)
    form, curve = learn(named(rows, features), rows.y, rows.row, features, FORMS[chosen])
    skills = tuple(
        skill(f"this model ({name})" if name == chosen else name, given, judged.hit, judged.row)
        for name, given in sorted(judged.given.items(), key=lambda pair: pair[0] != chosen)
    )
    card = _card(rows, data, why, judged, skills)
    return Trained(_model(features, form, curve, card), judged)


def judge(
    rows: Rows, forms: Sequence[str], progress: Callable[[int, int], None] = lambda done, of: None
) -> Judged:
    """Return what each form, and each rival, would have said of days it had not seen."""
    features = features_of(rows)
    parts: list[Judged] = []
    cuts = list(_blocks(rows))
    for number, (low, high) in enumerate(cuts):
        learnable = rows.take(rows.row <= low - 1 - SETTLED_DAYS)
        ahead = rows.take((rows.row >= low) & (rows.row < high) & rows.closing & rows.own)
        with suppress(TooLittleError):  # then nothing is said of this block by anyone
            parts.append(_said(learnable, ahead, features, forms))
        progress(number + 1, len(cuts))
    return _joined(parts)


def _blocks(rows: Rows) -> Iterator[tuple[int, int]]:
    """Yield the first and one after the last day of each block that is judged."""
    if not len(rows.row):
        return
    end = int(rows.row.max()) + 1
    start = max(int(rows.row.min()) + _FIRST_DAYS, LEAST_BAR_DAYS - 1)
    length = max(_BLOCK_DAYS, -(-(end - start) // _MOST_BLOCKS))
    for low in range(start, end, length):
        yield low, min(low + length, end)


def _said(learnable: Rows, ahead: Rows, features: Sequence[str], forms: Sequence[str]) -> Judged:
    x, given = named(learnable, features), {}
    for name in forms:
        form, curve = learn(x, learnable.y, learnable.row, features, FORMS[name])
        given[name] = probability(form, curve, named(ahead, features))
    given["untrained"] = untrained_of(ahead)
    for name in RIVALS:
        risk = ahead.walked.risk[name][ahead.row, ahead.unit]
        given[name] = risk if name == "climatology" else _learned(name, learnable, risk)
    known = np.all([~np.isnan(each) for each in given.values()], axis=0)
    return Judged(
        {name: each[known] for name, each in given.items()},
        ahead.y[known],
        ahead.row[known],
        ahead.unit[known],
    )


def untrained_of(rows: Rows) -> Floats:
    """Return what the untrained model says of each row."""
    model = untrained()
    return probability(model.form, model.curve, named(rows, model.features))


def _learned(name: str, learnable: Rows, risk: Floats) -> Floats:
    """Return a rule's risk as a probability, learned from the same rows as the model."""
    before = learnable.walked.risk[name][learnable.row, learnable.unit]
    known = ~np.isnan(before)
    if known.sum() < 100:
        # No day of the past had a bar: the rule's own past says nothing yet.
        return np.where(np.isnan(risk), np.nan, learnable.y.mean())
    at, level = centred(before[known], learnable.y[known])
    told: Floats = np.interp(risk, at, level)  # NaN stays so
    return told


def _joined(parts: Sequence[Judged]) -> Judged:
    if not parts:
        return Judged({}, np.zeros(0), np.zeros(0, np.intp), np.zeros(0, np.intp))
    return Judged(
        {name: np.concatenate([part.given[name] for part in parts]) for name in parts[0].given},
        np.concatenate([part.hit for part in parts]),
        np.concatenate([part.row for part in parts]),
        np.concatenate([part.unit for part in parts]),
    )


def _enough(judged: Judged, rows: Rows) -> None:
    spanned = len(set((judged.row // _BLOCK_DAYS).tolist()))
    hits = int(judged.hit.sum())
    if spanned < _LEAST_BLOCKS or hits < _LEAST_POSITIVES:
        needed = LEAST_BAR_DAYS + _LEAST_BLOCKS * _BLOCK_DAYS + SETTLED_DAYS
        raise TooShortError(
            f"too little to learn from: the history has {rows.walked.days} days, "
            f"{int(rows.y.sum())} half days of units before an escalation, and {hits} such "
            "unit-days that can be judged. "
            f"Needed are about {needed} days or more (180 are better, some years are good) and "
            f"{_LEAST_POSITIVES} unit-days before an escalation among those judged"
        )


def _choose(judged: Judged, forms: Sequence[str]) -> tuple[str, str]:
    """Return the form to keep, and why: the simplest unless another is better beyond chance."""
    best, why = forms[0], "no other form was compared"
    losses = {name: log_losses(judged.given[name], judged.hit) for name in forms}
    for name in forms[1:]:
        gain = losses[best] - losses[name]
        over = blocks(int(judged.row.max()) + 1)
        between = mean_interval(judged.row, gain, over)
        told = "too few blocks for an interval"
        if between is not None:
            told = f"95 % interval {between[0]:+.4f} to {between[1]:+.4f}"
        better = between is not None and between[0] > 0
        why = (
            f"{name if better else best}: the log loss of the {best} less that of the {name} is "
            f"{gain.mean():+.4f} ({told}), which is {'' if better else 'not '}beyond chance"
        )
        best = name if better else best
    return best, why


def _card(rows: Rows, data: str, why: str, judged: Judged, skills: tuple[Skill, ...]) -> Card:
    first, ends = rows.walked.first_day, rows.take(rows.closing)
    days = (judged.row.min(), judged.row.max())
    since, until = (day_of(first + int(each)).isoformat() for each in days)
    return Card(
        data=data,
        first_day=day_of(first + int(rows.row.min())).isoformat(),
        last_day=day_of(first + int(rows.row.max())).isoformat(),
        units=len(set(rows.unit.tolist())),
        unit_days=len(ends.y),
        positives=int(ends.y.sum()),
        chosen=why,
        judged=(
            f"unit-days from {since} to {until}, each by a model that learned from fortnights "
            "that were over and settled before its block"
        ),
        judged_unit_days=len(judged.hit),
        judged_positives=int(judged.hit.sum()),
        skill=skills,
        failures=_FAILURES,
    )


def _model(features: tuple[str, ...], form: Form, curve: Curve, card: Card) -> Model:
    numbers = msgspec.json.encode((features, form, curve))
    return Model(
        id=f"{card.last_day}-{hashlib.sha256(numbers).hexdigest()[:8]}",
        version=index.VERSION,
        signals=versions(features),
        features=features,
        form=form,
        curve=curve,
        card=card,
    )
