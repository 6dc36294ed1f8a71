"""From rows to a model: a form, and a curve that calibrates it on blocks it has not seen.

The weighted sum is a logistic regression with the signs that sense demands, by L-BFGS-B (Byrd et
al. 1995, SIAM Journal on Scientific Computing 16). Its weights are drawn towards what counts alone
predict (weight 1 for `pace`, 0 for all else) by a penalty on the squares of the differences, so
that a short history changes little.

The trees are those of scikit-learn's histogram gradient boosting, with the same signs as monotone
constraints; scikit-learn is needed for nothing else, and not for using a model.

The curve is a centred isotonic regression (Oron & Flournoy 2017, Statistics in Biopharmaceutical
Research 9): rising, and straight between the centres of its stretches, so that it keeps the
ranking. Its interval is a bootstrap over blocks of two weeks with all units in them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from detectors import index
from detectors.model import Curve, Form, Linear, Tree, Trees
from streams.backtest.fit import isotonic
from streams.backtest.measures import blocks
from streams.backtest.walk import SETTLED_DAYS

Floats = NDArray[np.float64]
Rows: TypeAlias = NDArray[np.intp]  # the day of each row of a table
Fit: TypeAlias = Callable[[Floats, Floats, Sequence[str]], Form]

#: Rows that are worth one trial: half days whose fortnights overlap.
OVERLAP: Final = 28.0
_PENALTY: Final = 4.0  # on the squares of the weights, in trials
_DRAWN_TO: Final = {"pace": 1.0}  # weights of features as they stand
_TREES: Final = {
    "max_iter": 30,
    "max_depth": 3,
    "learning_rate": 0.12,
    "l2_regularization": 10.0,
    "early_stopping": False,
    "random_state": 20,
}
_LEAF_SHARE: Final = 0.02  # of the rows, at least, in a leaf
_CHUNKS: Final = 5  # of days, each held out once
_LEAST_HITS: Final = 10  # rows before an escalation: fewer teach nothing
_DRAWS: Final = 100
_LIMIT: Final = 12.0  # log odds
_LEAST: Final = 1e-4
_STEPS: Final = 8  # of Newton's method


class TooLittleError(Exception):
    """There are too few rows, or too few escalations among them, to learn from."""


def signs(features: Sequence[str]) -> list[int]:
    """Return the sign that sense demands of each feature."""
    known = {**index.COMMON, **index.TOGETHER, **index.of_signals()}
    return [known[name] for name in features]


def linear(x: Floats, y: Floats, features: Sequence[str]) -> Linear:
    """Return the logistic regression of `y` (1 or 0) on the columns of `x`."""
    means, scales = x.mean(axis=0), x.std(axis=0)
    varies = scales > 1e-9
    scales = np.where(varies, scales, 1.0)
    z = (x - means) / scales
    penalty = _PENALTY * OVERLAP / len(y)
    prior = scales * np.array([_DRAWN_TO.get(name, 0.0) for name in features]) * varies

    def loss(w: Floats) -> tuple[float, Floats]:
        odds = z @ w[1:] + w[0]
        value = np.logaddexp(0.0, odds) - y * odds
        residual = _logistic(odds) - y
        off = w[1:] - prior
        slope = np.concatenate([[residual.mean()], z.T @ residual / len(y) + penalty * off])
        return float(value.mean() + 0.5 * penalty * (off**2).sum()), slope

    bounds: list[tuple[float | None, float | None]] = [(None, None)]
    for sign, telling in zip(signs(features), varies.tolist(), strict=True):
        low, high = (0.0 if sign > 0 else None), (0.0 if sign < 0 else None)
        bounds.append((low, high) if telling else (0.0, 0.0))
    start = np.concatenate([[0.0], prior])
    found = minimize(loss, start, jac=True, bounds=bounds, method="L-BFGS-B").x
    return Linear(float(found[0]), _plain(found[1:]), _plain(means), _plain(scales))


def trees(x: Floats, y: Floats, features: Sequence[str]) -> Trees:
    """Return boosted trees of `y` (1 or 0) on the columns of `x`.

    Raises:
        ImportError: scikit-learn is not installed.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    booster = HistGradientBoostingClassifier(
        **_TREES,
        monotonic_cst=signs(features),
        min_samples_leaf=max(20, int(_LEAF_SHARE * len(y))),
    ).fit(x, y)
    grown = tuple(_tree(stage[0].nodes) for stage in booster._predictors)
    return Trees(float(booster._baseline_prediction.ravel()[0]), grown)


def _tree(nodes: Any) -> Tree:  # noqa: ANN401 - a structured array of scikit-learn
    leaf = nodes["is_leaf"].astype(bool)
    own = np.arange(len(nodes))
    return Tree(
        feature=tuple(int(i) for i in np.where(leaf, 0, nodes["feature_idx"])),
        # Unrounded: a threshold may be the very value of a row.
        threshold=tuple(float(t) for t in np.where(leaf, 0.0, nodes["num_threshold"])),
        left=tuple(int(i) for i in np.where(leaf, own, nodes["left"])),
        right=tuple(int(i) for i in np.where(leaf, own, nodes["right"])),
        value=_plain(nodes["value"]),
    )


def log_odds(form: Form, x: Floats) -> Floats:
    """Return what a form gives for each row, the same as its `terms` add up to."""
    if isinstance(form, Linear):
        z = (x - np.array(form.means)) / np.array(form.scales)
        odds: Floats = z @ np.array(form.weights) + form.intercept
        return odds
    return form.intercept + sum((_leaves(tree, x) for tree in form.trees), np.zeros(len(x)))


def _leaves(tree: Tree, x: Floats) -> Floats:
    feature, left, right = (np.array(each) for each in (tree.feature, tree.left, tree.right))
    threshold, rows, node = np.array(tree.threshold), np.arange(len(x)), np.zeros(len(x), np.intp)
    while (left[node] != node).any():
        below = x[rows, feature[node]] <= threshold[node]
        node = np.where(left[node] == node, node, np.where(below, left[node], right[node]))
    return np.array(tree.value)[node]


def held_out(
    x: Floats, y: Floats, rows: Rows, features: Sequence[str], fit: Fit
) -> tuple[Floats, Floats]:
    """Return each row's log odds by a form that knows neither its block nor what is near it.

    Days are cut into `_CHUNKS` stretches; forms learn from days more than `SETTLED_DAYS` away. A
    form that learned from few escalations has another mean than the one that learned from all, so
    each is moved to its own base rate.

    Returns:
        Log odds, NaN where too little was left to learn from; and the same for `y`.
    """
    told = np.full(len(y), np.nan)
    edges = np.linspace(rows.min(), rows.max() + 1, _CHUNKS + 1)
    for low, high in pairwise(edges.tolist()):
        inside = (rows >= low) & (rows < high)
        apart = (rows < low - SETTLED_DAYS) | (rows >= high + SETTLED_DAYS)
        if inside.any() and _enough(y[apart]):
            told[inside] = log_odds(fit(x[apart], y[apart], features), x[inside])
    kept = ~np.isnan(told)
    return told, np.where(kept, y, np.nan)


def _enough(y: Floats) -> bool:
    return bool(_LEAST_HITS <= y.sum() <= len(y) - _LEAST_HITS)


def calibrate(odds: Floats, y: Floats, rows: Rows) -> Curve:
    """Return the curve from log odds to probabilities, with its 90 % interval."""
    odds = np.clip(odds, -_LIMIT, _LIMIT)
    at, level = centred(odds, y)
    over = blocks(int(rows.max() - rows.min()) + 1)
    block = over.of_row[rows - rows.min()]
    drawn = []
    for draw in over.draws[:_DRAWS]:
        taken = np.repeat(np.arange(len(y)), draw[block].astype(np.intp))
        if len(taken):
            drawn.append(np.interp(at, *centred(odds[taken], y[taken])))
    low, high = np.quantile(np.array(drawn), (0.05, 0.95), axis=0)
    return Curve(
        _plain(at), _plain(level), _plain(np.minimum(low, level)), _plain(np.maximum(high, level))
    )


def centred(odds: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Return the knots of a centred isotonic regression: the mean log odds of each stretch.

    The first and the last stretch are wide. Beyond their centres the curve goes on to the ends of
    what was seen, with the slope of a logistic calibration (Platt 1999).
    """
    steps = isotonic(odds, y)
    group = np.minimum(np.searchsorted(steps.edges, odds, side="left"), len(steps.levels) - 1)
    stretch = np.searchsorted(np.unique(steps.levels), steps.levels)[group]
    count = np.bincount(stretch).astype(float)
    full = count > 0
    at = np.bincount(stretch, odds)[full] / count[full]
    level = np.unique(steps.levels)[full]
    slope, ends = _slope(odds, y), (float(odds.min()), float(odds.max()))
    known = np.clip(level[[0, -1]], _LEAST, 1.0 - _LEAST)
    low, high = (
        float(_logistic(np.log(p / (1.0 - p)) + slope * (end - knot)))
        for p, knot, end in zip(known, at[[0, -1]], ends, strict=True)
    )
    before, after = bool(ends[0] < at[0]), bool(ends[1] > at[-1])
    at = np.concatenate([[ends[0]] * before, at, [ends[1]] * after])
    return at, np.concatenate([[low] * before, level, [high] * after])


def _slope(odds: Floats, y: Floats) -> float:
    """Return how much of the log odds proves true, from 0 to 1: the slope of a logistic fit."""
    z = odds - odds.mean()
    base, slope = float(np.log((y.sum() + 1.0) / (len(y) - y.sum() + 1.0))), 1.0
    for _ in range(_STEPS):
        p = _logistic(base + slope * z)
        weight, residual = p * (1.0 - p), y - p
        curvature = np.array(
            [
                [weight.sum(), (weight * z).sum()],
                [(weight * z).sum(), (weight * z * z).sum() + 1e-6],
            ]
        )
        change = np.linalg.solve(curvature, np.array([residual.sum(), (residual * z).sum()]))
        base, slope = base + float(change[0]), min(max(slope + float(change[1]), 0.0), 1.0)
    return slope


def learn(
    x: Floats, y: Floats, rows: Rows, features: Sequence[str], fit: Fit
) -> tuple[Form, Curve]:
    """Return a form that learned from all rows, and the curve that calibrates it.

    Raises:
        TooLittleError: Too little is left where blocks are held out.
    """
    odds, seen = held_out(x, y, rows, features, fit)
    kept = ~np.isnan(odds)
    if not _enough(y) or not _enough(seen[kept]):
        raise TooLittleError(
            f"{len(y)} half days of units, {int(y.sum())} of them before an escalation"
        )
    return fit(x, y, features), calibrate(odds[kept], y[kept], rows[kept])


def probability(form: Form, curve: Curve, x: Floats) -> Floats:
    """Return the calibrated probability of each row."""
    odds = log_odds(form, x)
    told: Floats = np.interp(odds, np.array(curve.at), np.array(curve.level))
    return told


def _logistic(odds: Floats) -> Floats:
    told: Floats = 1.0 / (1.0 + np.exp(-np.clip(odds, -30.0, 30.0)))
    return told


def _plain(values: Floats) -> tuple[float, ...]:
    return tuple(round(float(each), 6) for each in values)
