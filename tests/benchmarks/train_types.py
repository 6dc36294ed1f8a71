"""Whether a learned model types sentences better than the lexicon alone: train, compare, decide.

Run: `python tests/benchmarks/train_types.py SHARED_DATA` (needs scikit-learn). The model is a
multinomial logistic regression on word 1- and 2-grams (TF-IDF) and on the lexicon's decision. Data:
the PLOVER gold records, read as `bench_types.py` reads them. It is judged only on the half the
lexicon was not written with: there the lexicon's decisions are as often wrong as they will be. Each
of ten folds, grouped by text and drawn three times, is predicted by a model of the other nine, once
with the lexicon's own half added to them. The gain over the lexicon on the same sentences is given
with a 95 % bootstrap interval over sentences. A model is worth shipping only where that interval
lies above zero, and the script says which it is; it writes no file.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from bench_types import ROUNDS, SEED, TYPES, Gold, accuracy, halves, plover_gold, weighted_f1
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from detectors.coding.plover import Typed, type_of

FOLDS = 10
REPEATS = 3
WEIGHTS = (1.0, 2.0)  # of the lexicon's decision beside a word
STRENGTHS = (10.0,)  # inverse regularisation


def _decisions(typed: Sequence[Typed], weight: float) -> csr_matrix:
    """Return the lexicon's decisions: one column for each type, one for each certain type."""
    columns = np.zeros((len(typed), 2 * len(TYPES)))
    for i, t in enumerate(typed):
        if t.event:
            columns[i, TYPES.index(t.event)] = weight
            columns[i, len(TYPES) + TYPES.index(t.event)] = weight * t.certain
    return csr_matrix(columns)


class _Model:
    def __init__(self, weight: float, strength: float) -> None:
        self._weight = weight
        self._words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
        self._model = LogisticRegression(C=strength, max_iter=3000)

    def fit(self, gold: Sequence[Gold], typed: Sequence[Typed]) -> _Model:
        words = self._words.fit_transform([g.text for g in gold])
        self._model.fit(hstack([words, _decisions(typed, self._weight)]), [g.event for g in gold])
        return self

    def predict(self, gold: Sequence[Gold], typed: Sequence[Typed]) -> np.ndarray:
        words = self._words.transform([g.text for g in gold])
        return np.asarray(self._model.predict(hstack([words, _decisions(typed, self._weight)])))


def _cross_validated(
    gold: list[Gold], extra: list[Gold], weight: float, strength: float
) -> list[np.ndarray]:
    """Return the types of `gold` by models that did not see them, for each drawing of folds."""
    typed = [type_of(g.text) for g in gold]
    typed_extra = [type_of(g.text) for g in extra]
    runs = []
    for seed in range(REPEATS):
        said = np.empty(len(gold), dtype=object)
        folds = GroupKFold(FOLDS, shuffle=True, random_state=seed)
        for train, test in folds.split(gold, groups=[g.text for g in gold]):
            model = _Model(weight, strength).fit(
                [*(gold[i] for i in train), *extra], [*(typed[i] for i in train), *typed_extra]
            )
            said[test] = model.predict([gold[i] for i in test], [typed[i] for i in test])
        runs.append(said)
    return runs


def _interval(gains: np.ndarray) -> tuple[float, float, float]:
    rng = np.random.default_rng(SEED)
    drawn = [gains[rng.integers(0, len(gains), len(gains))].mean() for _ in range(ROUNDS)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(gains.mean()), float(low), float(high)


def main() -> None:
    """Print each setting's skill and its gain over the lexicon, and whether any is worth it."""
    dev, held_out = halves(plover_gold(Path(sys.argv[1])))
    truth = np.array([g.event for g in held_out])
    lexicon = np.array([type_of(g.text).event or "none" for g in held_out])
    print(
        f"lexicon on {len(truth)} held-out records: accuracy {accuracy(truth, lexicon):.3f},"
        f" weighted F1 {weighted_f1(truth, lexicon):.3f}"
    )
    worth = False
    for name, extra in (("held-out folds", []), ("and the lexicon's half", dev)):
        for weight in WEIGHTS:
            for strength in STRENGTHS:
                runs = _cross_validated(held_out, extra, weight, strength)
                right = np.mean([run == truth for run in runs], axis=0)
                gain, low, high = _interval(right - (lexicon == truth))
                f1 = np.mean([weighted_f1(truth, run) for run in runs])
                print(
                    f"  trained on {name}, decision x{weight}, C={strength:g}: accuracy"
                    f" {right.mean():.3f}, weighted F1 {f1:.3f}; gain {gain:+.3f}"
                    f" [{low:+.3f}, {high:+.3f}]"
                )
                worth |= low > 0
    print("a model wins" if worth else "no model wins beyond chance: the lexicon stands alone")


if __name__ == "__main__":
    main()
