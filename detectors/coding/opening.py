"""The first step of reading a report: its language, its text, and what the dictionaries find."""

from __future__ import annotations

from typing import Final, NamedTuple

from detectors.coding import script
from detectors.coding.eastern import CODES, Eastern, eastern
from detectors.coding.english import English
from detectors.coding.language import identify
from detectors.coding.lexicon import Hit, Lexicon, lexicon
from detectors.coding.markup import legible, seen
from detectors.coding.normalise import HEAD, fold, is_latin, normalise
from detectors.coding.tongue import Text, Tongue
from detectors.records import Report

#: The most that is read of a title: what is longer is none.
TITLE: Final = 2_000
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
    title, body = legible(report.title, TITLE), legible(report.text, HEAD)
    text = _joined(title, body)
    if report.language == "en" and is_latin(text):
        return _english(seen(title), seen(body), words or lexicon())
    folded = script.fold(text)
    language = identify(text, report.language, folded).code
    if language == "en":
        return _english(seen(title), seen(body), words or lexicon())
    return _eastern(title, folded, eastern(language)) if language in CODES else None


def _joined(title: str, body: str) -> str:
    return f"{title}\n\n{body}" if body else title


def _english(title: str, body: str, words: Lexicon) -> Opened:
    text = _joined(title, body)
    folded = fold(text)
    normalised = normalise(folded)
    found = words.scan(normalised)
    plain = normalised[1:-1].decode("ascii")
    prose = Text(folded, plain, len(title) + 2, lambda start, end: text[start:end])
    return Opened(_ENGLISH, prose, None if found is None else words.resolve(found, folded))


def _eastern(title: str, folded: script.Folded, tongue: Eastern) -> Opened:
    # Where every character stayed in its place the title did not grow or shrink either.
    body = len(title if folded.offsets is None else script.fold(title).text) + 2
    text = Text(folded.text, folded.plain, body, folded.span)
    return Opened(tongue, text, tongue.vocabulary.find(folded.plain))
