"""How well sentences are typed in PLOVER's sixteen types, beside naive typing of the same.

Run: `python tests/benchmarks/bench_types.py [SHARED_DATA] [--half held-out|dev|all]`. Three sets:

- The gold records of PLOVER 0.5b (Open Event Data Alliance 2016, CC BY-SA 4.0; sentences of the
  CAMEO manual). Their types are an older set. Renamed: DEMAND is REQUEST; DISAPPROVE and
  INVESTIGATE are ACCUSE; FIGHT is ASSAULT. Moved, as the conversion table of 2021 places their
  CAMEO codes (the records give none, so their mode and event words stand in): COERCE by destruction
  or weapons is ASSAULT (1712, 175); CONCEDE of a curfew or emergency is RETREAT (0813, 0814). The
  lexicon was written with the `dev` half before its author's eyes; the figure that counts is of the
  other half. Both halves come from one manual, whose sentences are plainer than news. Their
  contexts are those of 2016, mostly one a record: ours are read as the nearest of them, and those
  that 2016 did not have (crime, health ...) are left out.
- The unit sentences of PETRARCH2 (Open Event Data Alliance, MIT). Their codes are not CAMEO, though
  the file is read as such: they are mostly WEIS's (032 a visit, 212 an arrest) and partly invented
  (345, 907). Read through `cameo.csv` the labels are wrong, which the figure shows; read by WEIS's
  roots they are some measure. Variants of one sentence are counted once.
- NTREX-128 English (Microsoft, CC BY-SA 4.0), ordinary news without labels: how often it is typed.
  Its translations, which were looked at: how far their contexts are those of the English. Neither
  is a truth: "A.I." is a phrase of the translations alone.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, get_args

import numpy as np

from detectors.coding import script
from detectors.coding.cameo import plover_of
from detectors.coding.contexts import named
from detectors.coding.normalise import fold, normalise
from detectors.coding.plover import acts, type_of
from detectors.records import EventType

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
SEED = 20260101
ROUNDS = 2000
TYPES: tuple[str, ...] = get_args(EventType)
_RENAMED = {
    "DEMAND": "REQUEST", "DISAPPROVE": "ACCUSE", "INVESTIGATE": "ACCUSE", "FIGHT": "ASSAULT",
}  # fmt: skip
_MOVED = (  # old type, the field looked at, what it says, new type
    ("COERCE", "mode", r"destroy|firearms|beat|heavy-weapons|explosives|violence", "ASSAULT"),
    ("CONCEDE", "eventText", r"curfew|emergency|martial", "RETREAT"),
)
#: Our contexts as those of 2016, where there is a like one.
_CONTEXT: dict[str, str] = {
    "asylum": "refugee", "migration": "refugee", "peacekeeping": "military",
    "human_rights": "rights", "rights_freedoms": "rights", "executive": "government",
    "political_institutions": "political", "legislative": "political",
    "pro_democracy": "political", "pro_autocracy": "political",
    "natural_resources": "resource", "territory": "resource", "human_security": "resource",
    **{same: same for same in ("military", "diplomatic", "legal", "economic", "terrorism",
                               "election", "cbrn", "cyber")},
}  # fmt: skip
_CONTEXT_SPELT = {"refugees": "refugee", "resources": "resource", "politics": "political"}
#: WEIS (McClelland 1976) roots in PLOVER's types; 02 (comment) has none.
_WEIS = {
    "01": "RETREAT", "03": "CONSULT", "04": "SUPPORT", "05": "AGREE", "06": "SUPPORT", "07": "AID",
    "08": "AGREE", "09": "REQUEST", "10": "REQUEST", "11": "REJECT", "12": "ACCUSE",
    "13": "ACCUSE", "14": "REJECT", "15": "REQUEST", "16": "THREATEN", "17": "THREATEN",
    "18": "MOBILIZE", "19": "SANCTION", "20": "COERCE", "21": "COERCE", "22": "ASSAULT",
}  # fmt: skip


_NTREX = {"prs": "fa", "fas": "fa", "pus": "ps", "urd": "ur", "arb": "ar"}


class Gold(NamedTuple):
    """A sentence, and the type and contexts its coders gave it."""

    text: str
    event: str
    contexts: frozenset[str] = frozenset()


def event_of(record: dict[str, Any]) -> str:
    """Return a gold record's type in the set of 2021."""
    for old, field, says, new in _MOVED:
        if record["event"] == old and re.search(says, record.get(field, "")):
            return new
    return _RENAMED.get(record["event"], record["event"])


def contexts_of(record: dict[str, Any]) -> frozenset[str]:
    """Return a gold record's contexts, without those that are none ("unknown", "foreign")."""
    written = (name.strip() for name in (record.get("context") or "").split(","))
    return frozenset(_CONTEXT_SPELT.get(name, name) for name in written) & {*_CONTEXT.values()}


def plover_gold(shared: Path) -> list[Gold]:
    """Return the gold records, each with its sentence on one line."""
    text = (shared / "plover" / "PLOVER_GSR_CAMEO.txt").read_text(encoding="utf-8")
    records = json.loads(re.sub(r",\s*([}\]])", r"\1", text), strict=False)
    return [
        Gold(" ".join(record["text"].split()), event_of(record), contexts_of(record))
        for record in records
        if record["event"] != "DOCUMENT"
    ]


def halves(gold: Sequence[Gold]) -> tuple[list[Gold], list[Gold]]:
    """Return the half the lexicon was written with, and the other; a text is in one only."""
    texts = sorted({g.text for g in gold})
    Random(SEED).shuffle(texts)
    dev = set(texts[: len(texts) // 2])
    return [g for g in gold if g.text in dev], [g for g in gold if g.text not in dev]


def petrarch(shared: Path) -> list[tuple[str, list[str]]]:
    """Return the unit sentences with their codes, one of those that share half their words."""
    text = (shared / "petrarch2" / "PETR.UnitTest.records.xml").read_text(encoding="utf-8")
    kept: list[tuple[str, list[str]]] = []
    seen: list[set[str]] = []
    for block in re.findall(r"<Sentence\b.*?</Sentence>", text, re.S):
        said = re.search(r"<Text>(.*?)</Text>", block, re.S)
        codes = re.findall(r'<EventCoding\b[^>]*eventcode="([^"]*)"', block)
        words = set(re.findall(r"\w+", said[1].lower())) if said else set()
        if said is None or not codes or any(len(words & o) > len(words | o) / 2 for o in seen):
            continue
        seen.append(words)
        kept.append((" ".join(said[1].split()), codes))
    return kept


def weighted_f1(truth: np.ndarray, said: np.ndarray) -> float:
    """Return the F1 of each type in the truth, weighted by how often it is there."""
    total = 0.0
    for event, count in Counter(truth.tolist()).items():
        hit = int(((truth == event) & (said == event)).sum())
        total += count * 2 * hit / (count + int((said == event).sum()))
    return total / len(truth)


def accuracy(truth: np.ndarray, said: np.ndarray) -> float:
    """Return the share that is right."""
    return float((truth == said).mean())


def violent_accuracy(truth: np.ndarray, said: np.ndarray) -> float:
    """Return the share in which violent or not is right."""
    return float(((truth == "ASSAULT") == (said == "ASSAULT")).mean())


def violent_f1(truth: np.ndarray, said: np.ndarray) -> float:
    """Return the F1 of ASSAULT."""
    real, ours = truth == "ASSAULT", said == "ASSAULT"
    return float(2 * (real & ours).sum() / max(1, real.sum() + ours.sum()))


Measure = Callable[[np.ndarray, np.ndarray], float]
MEASURES: dict[str, Measure] = {
    "accuracy": accuracy, "weighted F1": weighted_f1,
    "violent: accuracy": violent_accuracy, "violent: F1": violent_f1,
}  # fmt: skip


def with_interval(measure: Measure, truth: np.ndarray, said: np.ndarray) -> str:
    """Return a figure with its 95 % percentile bootstrap interval over sentences."""
    rng = np.random.default_rng(SEED)
    drawn = [
        measure(truth[i], said[i])
        for i in (rng.integers(0, len(truth), len(truth)) for _ in range(ROUNDS))
    ]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return f"{measure(truth, said):.3f} [{low:.3f}, {high:.3f}]"


def _bag_of_words(gold: Sequence[Gold]) -> np.ndarray | None:
    """Return a naive model's types: word 1- and 2-grams, logistic regression, ten folds by text."""
    try:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.model_selection import GroupKFold, cross_val_predict
        from sklearn.pipeline import make_pipeline
    except ImportError:
        return None
    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
        LogisticRegression(C=30, max_iter=2000, class_weight="balanced"),
    )
    texts, events = [g.text for g in gold], [g.event for g in gold]
    folds = GroupKFold(10, shuffle=True, random_state=0)
    return np.asarray(cross_val_predict(model, texts, events, groups=texts, cv=folds))


def _show(name: str, truth: np.ndarray, said: np.ndarray) -> None:
    figures = "  ".join(f"{m}: {with_interval(f, truth, said)}" for m, f in MEASURES.items())
    print(f"  {name:24}{figures}")


def _confusion(truth: np.ndarray, said: np.ndarray) -> None:
    columns = [*TYPES, "none"]
    print("  rows: truth; columns: said\n" + " " * 12 + "".join(f"{c[:5]:>6}" for c in columns))
    for event in TYPES:
        counts = Counter(said[truth == event].tolist())
        print(f"  {event:10}" + "".join(f"{counts[c] or '.':>6}" for c in columns))


def _plover(shared: Path, which: str) -> None:
    gold = plover_gold(shared)
    dev, held_out = halves(gold)
    part = {"dev": dev, "held-out": held_out, "all": gold}[which]
    print(f"PLOVER gold, {which}: {len(part)} of {len(gold)} records")
    truth = np.array([g.event for g in part])
    typed = [type_of(g.text) for g in part]
    said = np.array([t.event or "none" for t in typed])
    _show("lexicon", truth, said)
    certain = np.array([t.certain for t in typed])
    right = accuracy(truth[certain], said[certain])
    print(f"    certain answers: {certain.mean():.3f} of all, right in {right:.3f}")
    most = Counter(truth.tolist()).most_common(1)[0][0]
    _show(f"always {most}", truth, np.full(len(truth), most))
    learned = _bag_of_words(gold)
    if learned is None:
        print("  bag of words: needs scikit-learn")
    else:
        inside = {g.text for g in part}
        _show("bag of words, 10 folds", truth, learned[[g.text in inside for g in gold]])
    _confusion(truth, said)
    _contexts(gold, part)


def _precision_recall(gold: Sequence[Gold], said: Sequence[frozenset[str]]) -> str:
    """Return micro precision and recall of contexts, with bootstrap intervals over sentences."""
    counts = np.array(
        [(len(g.contexts & s), len(s), len(g.contexts)) for g, s in zip(gold, said, strict=True)]
    )
    rng = np.random.default_rng(SEED)
    drawn = np.array(
        [counts[rng.integers(0, len(counts), len(counts))].sum(0) for _ in range(ROUNDS)]
    )
    hit, answered, true = counts.sum(0)
    shown = []
    for name, of in (("precision", 1), ("recall", 2)):
        low, high = np.percentile(drawn[:, 0] / np.maximum(1, drawn[:, of]), [2.5, 97.5])
        value = hit / max(1, (answered, true)[of - 1])
        shown.append(f"{name}: {value:.3f} [{low:.3f}, {high:.3f}]")
    return "  ".join([*shown, f"({hit} right, {answered} said, {true} true)"])


def _contexts(gold: Sequence[Gold], part: Sequence[Gold]) -> None:
    def as_of_2016(names: Iterable[str]) -> frozenset[str]:
        return frozenset(_CONTEXT[name] for name in names if name in _CONTEXT)

    plain = [normalise(fold(g.text)).decode("ascii") for g in part]
    most = Counter(c for g in gold for c in g.contexts).most_common(1)[0][0]
    rows = {
        "phrases": [as_of_2016(named(text, "en")) for text in plain],
        "of the act alone": [as_of_2016(type_of(g.text).context) for g in part],
        f"always {most}": [frozenset({most}) for _ in part],
    }
    print("  contexts, micro")
    for name, said in rows.items():
        print(f"    {name:22}{_precision_recall(part, said)}")


def _petrarch(shared: Path) -> None:
    rows = petrarch(shared)
    print(f"PETRARCH2 unit sentences, {len(rows)} distinct")
    readings: dict[str, Callable[[str], str | None]] = {
        "codes read as CAMEO": lambda c: found.event if (found := plover_of(c)) else None,
        "codes read as WEIS": lambda c: _WEIS.get(c[:2]) if len(c) == 3 and c.isdigit() else None,
    }
    for name, read in readings.items():
        known = [
            (text, events) for text, cs in rows if (events := {e for c in cs if (e := read(c))})
        ]
        said = [(type_of(text).event, events) for text, events in known]
        violent = [((event == "ASSAULT") == ("ASSAULT" in events)) for event, events in said]
        right = sum(event in events for event, events in said)
        print(
            f"  {name}: {len(known)} with a type; one of its types said in {right / len(said):.3f};"
            f" violent or not right in {np.mean(violent):.3f}"
        )


def _ordinary(shared: Path) -> None:
    lines = (shared / "ntrex128" / "eng.txt").read_text(encoding="utf-8").splitlines()
    lines = [line for line in lines if line.strip()]
    acts()
    start = time.process_time()
    typed = [type_of(line) for line in lines]
    each = 1e6 * (time.process_time() - start) / len(lines)
    print(f"NTREX English, {len(lines)} sentences of world news; {each:.0f} µs a sentence")
    for name, some in (
        ("any answer", [t for t in typed if t.event]),
        ("certain", [t for t in typed if t.event and t.certain]),
        ("certain, not weakened", [t for t in typed if t.certain and not t.auxiliary]),
    ):
        counts = Counter(str(t.event) for t in some)
        print(
            f"  {name}: {len(some) / len(lines):.3f}; ASSAULT {counts['ASSAULT'] / len(lines):.3f}"
            f"  {dict(counts.most_common())}"
        )


def _contexts_alike(shared: Path) -> None:
    """Print how far the contexts of translations are those of their English originals."""

    def sentences(name: str) -> list[str]:
        return (shared / "ntrex128" / f"{name}.txt").read_text(encoding="utf-8").splitlines()

    english = [{*named(normalise(fold(s)).decode("ascii"), "en")} for s in sentences("eng")]
    true = sum(map(len, english))
    print(f"NTREX, contexts of translations beside those of the English ({true} of {len(english)})")
    for name, language in _NTREX.items():
        said = [{*named(script.fold(s).plain, language)} for s in sentences(name)]
        both = sum(len(e & s) for e, s in zip(english, said, strict=True))
        answered = sum(map(len, said))
        print(f"  {name} ({language}): {both / answered:.3f} of {answered} are in the English,")
        print(f"    and {both / true:.3f} of the English are found")


def main() -> None:
    """Print the figures of all three sets."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("shared", type=Path, nargs="?", default=SHARED, help="the data sets")
    parser.add_argument("--half", choices=("dev", "held-out", "all"), default="held-out")
    told = parser.parse_args()
    if not told.shared.is_dir():
        sys.exit(f"there are no data sets in {told.shared}")
    _plover(told.shared, told.half)
    _petrarch(told.shared)
    _ordinary(told.shared)
    _contexts_alike(told.shared)


if __name__ == "__main__":
    main()
