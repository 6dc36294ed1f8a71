"""How well languages are told on real sentences: floors for what the benchmark prints.

The second half of NTREX-128 (CC BY-SA 4.0) is kept for this; the rules were chosen on the first.
"""

from __future__ import annotations

import pytest

from tests.benchmarks import bench_language as measured

needs_shared = pytest.mark.skipif(
    not measured.SHARED.is_dir(), reason="the shared data are not beside here"
)


@needs_shared
@pytest.mark.parametrize(
    ("name", "five", "eight", "whole"),
    [
        ("pus", 0.98, 0.99, 0.99),
        ("prs", 0.98, 0.99, 0.99),
        ("fas", 0.96, 0.98, 0.99),
        ("urd", 0.98, 0.99, 0.99),
        ("arb", 0.975, 0.99, 0.99),
        ("eng", 0.99, 0.99, 0.99),
    ],
)
def test_sentences_as_written(name: str, five: float, eight: float, whole: float) -> None:
    for words, least in ((5, five), (8, eight), (measured.WHOLE, whole)):
        given = measured.texts(name, words, arabic_keyboard=False)
        hits = measured.right(given, measured.FILES[name], measured.by_rules)
        assert len(given) == 500
        assert hits / len(given) >= least, f"{name}, {words} words: {hits} of {len(given)}"


@needs_shared
@pytest.mark.parametrize("name", ["pus", "prs", "fas", "urd", "arb"])
def test_sentences_from_an_arabic_keyboard(name: str) -> None:
    given = measured.texts(name, 8, arabic_keyboard=True)
    hits = measured.right(given, measured.FILES[name], measured.by_rules)
    assert hits / len(given) >= 0.98, f"{name}: {hits} of {len(given)}"


@needs_shared
@pytest.mark.parametrize("name", ["prs", "urd"])
def test_the_arabic_keyboard_misleads_the_model_alone(name: str) -> None:
    given = measured.texts(name, 8, arabic_keyboard=True)
    ours, naive = (
        measured.right(given, measured.FILES[name], how)
        for how in (measured.by_rules, measured.naive)
    )
    assert ours > naive + 0.1 * len(given)


@needs_shared
@pytest.mark.parametrize("arabic_keyboard", [False, True])
def test_headlines_in_dari(arabic_keyboard: bool) -> None:
    given = measured.headlines(arabic_keyboard=arabic_keyboard)
    assert len(given) == 120
    assert measured.right(given, "fa", measured.by_rules) >= 119
