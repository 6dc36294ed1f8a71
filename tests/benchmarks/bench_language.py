"""How well and how fast languages are told, beside py3langid alone.

Run: `python tests/benchmarks/bench_language.py`. Sentences: the second half of NTREX-128 (CC BY-SA
4.0); the rules were chosen on the first half. Headlines: VOA Dari, February 2025. Each text stands
as written and as an Arabic keyboard types it (ي and ك for ی and ک). The baseline asks py3langid,
limited to the five languages, once for the text as it stands. Times are processor time a text.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Final

from detectors.coding.language import identify
from detectors.coding.script import fold, plain
from detectors.ledger import wilson

SHARED: Final = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
#: The files of NTREX-128 with the language that is right. Dari and Farsi are both `fa`.
FILES: Final = {"pus": "ps", "prs": "fa", "fas": "fa", "urd": "ur", "arb": "ar", "eng": "en"}
WHOLE: Final = 10_000
_ARABIC_KEYBOARD: Final = str.maketrans("یک", "يك")
_ROUNDS: Final = 7

Identify = Callable[[str], str]


def by_rules(text: str) -> str:
    """Tell the language as Tocsin does."""
    return identify(text).code


@cache
def _naive_model():
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    model = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    model.set_languages(["ps", "fa", "ur", "ar", "en"])
    return model


def naive(text: str) -> str:
    """Tell the language as py3langid does, in one pass."""
    return _naive_model().classify(text)[0]


@cache
def sentences(name: str) -> tuple[str, ...]:
    """Return the half of a file that is kept for reporting."""
    text = (SHARED / "ntrex128" / f"{name}.txt").read_text(encoding="utf-8")
    lines = [line for line in text.split("\n") if line.strip()]
    return tuple(lines[len(lines) // 2 :])


def texts(name: str, words: int, *, arabic_keyboard: bool) -> list[str]:
    """Return the first words of each sentence, as written or as an Arabic keyboard types them."""
    cut = [" ".join(line.split()[:words]) for line in sentences(name)]
    return [text.translate(_ARABIC_KEYBOARD) for text in cut] if arabic_keyboard else cut


def headlines(*, arabic_keyboard: bool) -> list[str]:
    """Return VOA's Dari headlines."""
    rows = json.loads((SHARED / "voa_dari" / "headlines_2025-02.json").read_text(encoding="utf-8"))
    found = [row["headline"] for row in rows]
    return [text.translate(_ARABIC_KEYBOARD) for text in found] if arabic_keyboard else found


def right(given: Sequence[str], code: str, how: Identify) -> int:
    """Count the texts that are told rightly."""
    return sum(how(text) == code for text in given)


def _sets() -> Iterator[tuple[str, str, list[str]]]:
    for arabic_keyboard in (False, True):
        typed = "ي ك" if arabic_keyboard else "as written"
        for words in (5, 8, WHOLE):
            size = "sentence" if words == WHOLE else f"{words} words"
            for name, code in FILES.items():
                if not (arabic_keyboard and code in ("ar", "en")):
                    given = texts(name, words, arabic_keyboard=arabic_keyboard)
                    yield f"{name} {size}, {typed}", code, given
        yield f"VOA Dari, {typed}", "fa", headlines(arabic_keyboard=arabic_keyboard)


def _share(hits: int, of: int) -> str:
    low, high = wilson(hits, of)
    return f"{hits:4}/{of:<4} {hits / of:.3f} ({low:.3f}-{high:.3f})"


def _microseconds(work: Callable[[], object], of: int) -> float:
    """Return the least processor time for one of `of` texts."""
    taken = []
    for _ in range(_ROUNDS):
        start = time.process_time_ns()
        work()
        taken.append(time.process_time_ns() - start)
    return min(taken) / 1_000 / of


def _speed(name: str) -> str:
    """Return the times for headlines of twelve words."""
    given = [(text, fold(text)) for text in texts(name, 12, arabic_keyboard=False)]
    by_reason = {True: [], False: []}
    for text, folded in given:
        by_reason[identify(text, None, folded).reason == "words"].append((text, folded))

    def took(some) -> float:
        return _microseconds(lambda: [identify(t, None, f) for t, f in some], max(1, len(some)))

    return (
        f"{name}: fold {_microseconds(lambda: [fold(t) for t, _ in given], len(given)):5.1f}  "
        f"by words {took(by_reason[True]):5.1f} ({len(by_reason[True]) / len(given):.0%})  "
        f"with the model {took(by_reason[False]):5.1f}  all {took(given):5.1f}  "
        f"py3langid {_microseconds(lambda: [naive(t) for t, _ in given], len(given)):5.1f}"
    )


def main() -> None:
    """Print the tables."""
    print(f"{'told rightly (95 % interval)':33} {'Tocsin':28} py3langid, one pass")
    reasons: Counter[str] = Counter()
    for name, code, given in _sets():
        ours, theirs = (right(given, code, how) for how in (by_rules, naive))
        print(f"{name:33} {_share(ours, len(given))} {_share(theirs, len(given))}")
        reasons.update(identify(text).reason for text in given)
    print("\nby what it was told:", dict(reasons.most_common()))
    print("\nmicroseconds a text of twelve words")
    for name in FILES:
        print(_speed(name))
    long = [(" ".join(sentences("prs")[i : i + 6]))[:500] for i in range(0, 300, 6)]
    long = [text for text in long if len(text) == 500 and fold(text).offsets is None]
    folded = [fold(text).text for text in long]
    print(
        f"\n500 characters of Dari: fold with plain text "
        f"{_microseconds(lambda: [fold(text) for text in long], len(long)):.1f}, "
        f"plain alone {_microseconds(lambda: [plain(text) for text in folded], len(long)):.1f}, "
        f"str.translate alone "
        f"{_microseconds(lambda: [t.translate(_ARABIC_KEYBOARD) for t in long], len(long)):.1f}"
    )


if __name__ == "__main__":
    main()
