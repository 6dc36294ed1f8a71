"""The first step of reading a report: its language, its text, and what the dictionaries find."""

from __future__ import annotations

from typing import Final, NamedTuple

from detectors.coding import script
from detectors.coding.eastern import CODES, Eastern, eastern
from detectors.coding.english import English
from detectors.coding.language import identify
from detectors.coding.lexicon import Hit, Lexicon, lexicon
from detectors.coding.normalise import HEAD, fold, is_latin, normalise
from detectors.coding.tongue import Text, Tongue
from detectors.records import Report

_ENGLISH: Final = English()


class Opened(NamedTuple):
    """A report in a language that the coder reads, and what the dictionaries find in it."""

    tongue: Tongue
    text: Text
    hits: list[Hit] | None  # None: nothing in it ties it to the monitored countries


def opened(report: Report, words: Lexicon | None = None) -> Opened | None:
    """Open a report; None where it is in another language.

    Args:
        report: A report in prose.
        words: The English dictionaries, where the caller has them at hand.
    """
    text = f"{report.title}\n\n{report.text[:HEAD]}" if report.text else report.title
    if report.language == "en" and is_latin(text):
        return _english(report, text, words or lexicon())
    folded = script.fold(text)
    language = identify(text, report.language, folded).code
    if language == "en":
        return _english(report, text, words or lexicon())
    return _eastern(report, folded, eastern(language)) if language in CODES else None


def _english(report: Report, text: str, words: Lexicon) -> Opened:
    folded = fold(text)
    normalised = normalise(folded)
    found = words.scan(normalised)
    plain = normalised[1:-1].decode("ascii")
    prose = Text(folded, plain, len(report.title) + 2, lambda start, end: text[start:end])
    return Opened(_ENGLISH, prose, None if found is None else words.resolve(found, folded))


def _eastern(report: Report, folded: script.Folded, tongue: Eastern) -> Opened:
    body = len(script.fold(report.title).text) + 2
    text = Text(folded.text, folded.plain, body, folded.span)
    return Opened(tongue, text, tongue.vocabulary.find(folded.plain))
