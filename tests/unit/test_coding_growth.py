"""Coding takes time in proportion to the text, and none for what is not read.

Growth is told by a ratio, never by a time: twice the text must not take four times as long. A ratio
is noisy where other work shares the processor, so the best of a few counts.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from time import process_time

import msgspec
import pytest

import detectors.coding
from detectors.coding import code
from detectors.coding.eastern import CODES, eastern
from detectors.coding.normalise import HEAD
from detectors.records import Report

NOW = datetime(2020, 3, 4, 12, tzinfo=UTC)


def told(title: str, text: str, language: str | None = None) -> Report:
    return Report("a", "wire", NOW, title, text, language=language)


def _took(work: Callable[[], object]) -> float:
    begun = process_time()
    work()
    return process_time() - begun


#: A sentence's beginning, and what is then repeated.
REPEATED = {
    "en": ("The attack in Kabul of the ", [
        "killed in Kabul ", "may kill ", "toll of ", "the number of dead ", "a policeman, ",
        "killed and wounded ", "12, 13 ", "at least ", "said on Monday ", "in March ", "9-9 ",
        "Kabul Kandahar ", "Taliban said ", "deny entry, ", "reject sit-in. ", " ", ". ", "\n ",
        "<a ", "&#9", "\u0334", '." ', "A. ", "update: ",
    ]),
    "fa": ("در حمله در کابل از این ", [
        "کشته شد ", "احتمالا انفجار ", "شمار کشته ", "۱۲ و ", "سی و ", "نه کشته ", "کابل ",
        "۔ ", " ", "ک",
    ]),
    "ps": ("په کابل کې د برید څخه ", ["نه ووژل شو ", "ترور شو ", "شمېر مړو ", "کابل ", "۱۲ "]),
    "ur": ("پشاور میں حملے کے ", ["ہلاک نہیں ", "ہلاکتوں کی تعداد ", "نو ", "پشاور ", "، "]),
    "ar": ("في هجوم على كابول التي ", ["لم يقتل ", "عدد القتلى ", "مقتل ", "كابول ", "و "]),
}  # fmt: skip


@pytest.mark.parametrize(
    ("language", "unit"), [(code, unit) for code, (_, units) in REPEATED.items() for unit in units]
)
def test_time_grows_with_the_text_and_no_faster(language: str, unit: str) -> None:
    beginning = REPEATED[language][0]

    def work(length: int) -> float:
        text = (beginning + unit * length)[:length]
        reports = [told("", text, language=language)] * 5
        return _took(lambda: code(reports))

    work(HEAD)  # the dictionaries are compiled at first use
    ratios = (work(HEAD - 100) / work(HEAD // 2 - 50) for _ in range(4))
    assert any(ratio < 3.5 for ratio in ratios)


@pytest.mark.parametrize(
    "unit", ["killed in Kabul ", "۱۲ تن در کابل کشته شدند ", "k", " ", "<a b='", "9"]
)
def test_what_is_not_read_takes_no_time(unit: str) -> None:
    long, longer = (told(unit * 99, unit * size) for size in (200_000, 400_000))
    code([long])
    ratios = (_took(lambda: code([longer] * 9)) / _took(lambda: code([long] * 9)) for _ in range(4))
    assert any(ratio < 3.5 for ratio in ratios)


def _patterns() -> dict[str, re.Pattern[str]]:
    """Return every regular expression of the package, by where it is."""
    found: dict[tuple[str, int], str] = {}
    for module in pkgutil.iter_modules(detectors.coding.__path__, "detectors.coding."):
        for name, value in vars(importlib.import_module(module.name)).items():
            for pattern in _within(value):
                found.setdefault((pattern.pattern, pattern.flags), f"{module.name[17:]}.{name}")
    for language in CODES:
        for pattern in _within(vars(eastern(language))):
            found.setdefault((pattern.pattern, pattern.flags), f"{language} {len(found)}")
    return {name: re.compile(*key) for key, name in found.items()}


def _within(value: object, depth: int = 4) -> Iterator[re.Pattern[str]]:
    if isinstance(value, re.Pattern):
        yield value
    elif depth and isinstance(value, dict | tuple | list):
        for each in list(value.values() if isinstance(value, dict) else value)[:100]:
            yield from _within(each, depth - 1)
    elif depth and isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _within(getattr(value, name), depth - 1)


_ANY = [
    " ",
    "a",
    "9",
    ". ",
    "\n",
    "\n ",
    '"',
    "(",
    ", ",
    "-",
    "a b ",
    "A",
    "A. ",
    "و ",
    "ک",
    "۔ ",
    "<",
    "&",
]


def test_no_regular_expression_goes_back_over_and_over() -> None:
    """Some look at no more than a few words, so the square of the length is borne, and no more.

    Which of them stand a whole text is for `test_time_grows_with_the_text_and_no_faster`.
    """
    patterns = _patterns()
    assert len(patterns) > 40
    slow = []
    for name, pattern in patterns.items():
        words = sorted(
            set(re.findall(r"[^\W\d_]{2,}", pattern.pattern)), key=lambda w: (-len(w), w)
        )
        for unit in (*_ANY, *(f"{word} " for word in words[:9]), *words[:3]):
            short, long = ((unit * length)[:length] for length in (400, 800))
            for _ in range(8):  # a busy machine slows down any of them
                took = _took(lambda: list(pattern.finditer(long)))  # noqa: B023 - used at once
                if took < 0.002 or took < 6 * _took(lambda: list(pattern.finditer(short))):  # noqa: B023
                    break
            else:
                slow.append((name, unit))
    assert slow == []
