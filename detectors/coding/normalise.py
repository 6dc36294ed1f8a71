"""Text as the dictionaries read it: plain ASCII, lower case, one character for each character.

Every step keeps the positions of the text, so that a hit in the normalised text can be checked
against the original's capitals and quoted from it.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

#: The coder reads the head of a report: news puts the event first, background after it.
HEAD: Final = 2_500

_NOT_ASCII: Final = re.compile(r"[^\x00-\x7f]")
_PUNCTUATION: Final = {
    "’": "'",
    "‘": "'",
    "“": '"',
    "”": '"',
    "–": "-",
    "—": "-",
    "‐": "-",
    "‑": "-",
}
#: "12²" is not 122, nor "3½" 31.
_NO_DIGITS: Final = ("<super>", "<sub>", "<fraction>", "<circle>")
_KEPT: Final = b"abcdefghijklmnopqrstuvwxyz0123456789"
_TABLE: Final = bytes(b if (b := ord(chr(i).lower())) in _KEPT else 32 for i in range(128)) + (
    b" " * 128
)
_ENDINGS: Final = re.compile(r"[.!?][\"')\]]*\s+(?=[\"'(\[]*[A-Z0-9])|\n\s*\n")
_ABBREVIATION: Final = re.compile(
    r"(?:\b[A-Za-z]|\b(?:Gen|Lt|Col|Maj|Capt|Sgt|Brig|Dr|Mr|Mrs|Ms|No|Adm|Gov|Sen|St|Mt|Dist"
    r"|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec|approx|vs))\.$"
)
_LONGEST: Final = len("approx.")  # of the abbreviations


@lru_cache(1024)
def _plain(char: str) -> str:
    if char in _PUNCTUATION:
        return _PUNCTUATION[char]
    if unicodedata.decomposition(char).startswith(_NO_DIGITS):
        return " "
    base = unicodedata.normalize("NFKD", char)[0]
    if base.isascii():
        return base
    digit = unicodedata.decimal(base, None)
    return " " if digit is None else str(digit)


def fold(text: str) -> str:
    """Return `text` in ASCII with its accents dropped, of the same length.

    >>> fold("Herāt’s")
    "Herat's"
    """
    return text if text.isascii() else _NOT_ASCII.sub(lambda match: _plain(match[0]), text)


def normalise(folded: str) -> bytes:
    """Return folded text in lower case with a space for all but letters and digits, padded by one.

    >>> normalise("Sar-e Pol.")
    b' sar e pol  '
    """
    return b" " + folded.encode("ascii", "replace").translate(_TABLE) + b" "


def key(name: str) -> str:
    """Return a dictionary name as it stands in normalised text.

    >>> key("Khyber-Pakhtunkhwa")
    'khyber pakhtunkhwa'
    """
    return " ".join(normalise(fold(name)).decode("ascii").split())


def spellings(name: str) -> set[str]:
    """Return how a dictionary name may stand in normalised text: full stops leave double spaces.

    >>> sorted(spellings("D.I. Khan"))
    ['d i  khan', 'd i khan']
    """
    return {key(name), normalise(fold(name)).decode("ascii").strip()}


def is_latin(text: str) -> bool:
    """Return whether the text's head is written in Latin letters."""
    head = text[:400]
    return head.isascii() or len(head.encode("ascii", "ignore")) >= 0.8 * len(head)


def sentences(folded: str, limit: int) -> list[tuple[int, int]]:
    """Return the spans of the first `limit` sentences of folded text."""
    spans: list[tuple[int, int]] = []
    start = 0
    for end in _ENDINGS.finditer(folded):
        stop = end.start() + 1
        near = max(start, stop - _LONGEST)
        if end[0][0] == "." and _ABBREVIATION.search(folded, near, stop):
            continue
        if end.end() - start > 3:
            spans.append((start, end.end()))
            start = end.end()
            if len(spans) == limit:
                return spans
    if start < len(folded):
        spans.append((start, len(folded)))
    return spans
