"""Arabic-script text as the dictionaries read it: one letter for all its typings.

Pashto, Persian, Urdu and Arabic are typed with different code points for the same letter (yeh, kaf,
heh, alef), with two systems of digits, and with marks that nobody sees. `fold` settles all that and
keeps the way back to the original; `plain` goes on to bare words. What Unicode composes is taken
apart (NFKD), so that presentation forms, accents and hamza carriers come to their base letter.

Speed: 255 characters that such news is made of go through a code page of our own (the C code of
the charmap codecs, some 3 ns a character); a text with any other goes through a dictionary.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from functools import lru_cache
from typing import Final

import msgspec

from detectors.coding.normalise import HEAD

#: Letters that stand for one another, by the one they become. Beyond what Unicode decomposes.
_SAME: Final = {
    "ی": "يىېۍێؠۑؽؾؿ",
    "ک": "كڪػؼ",
    "گ": "ګ",
    "ه": "ہھةۃەۿ",
    "ا": "ٱٲٳ",
    # Separators of numbers, and the percent sign.
    ".": "٫",
    ",": "٬",
    "%": "٪",
    # A zero-width non-joiner parts what the dictionaries write as two words.
    " ": "\u200c\uffff",
    "\n": "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029",
}
_LETTERS: Final = {char: one for one, many in _SAME.items() for char in many}
#: Marks that Unicode calls letters: tatweel, high hamza, small waw and yeh.
_UNSEEN: Final = frozenset("ـٴۥۦ")
#: "12²" is not 122, nor "3½" 31/2; an ellipsis stays one character.
_UNRESOLVED: Final = ("<super>", "<sub>", "<fraction>", "<circle>")
_KEPT: Final = frozenset("\n…")
#: Stands in the first pass for a character that becomes none or several.
_MOVED: Final = "\uffff"  # found fast: its bytes stand in hardly any text

_COMMON: Final = (
    "".join(map(chr, (0, 9, 10, 13, *range(32, 127))))
    + "".join(map(chr, (*range(0x621, 0x63B), *range(0x640, 0x656), *range(0x660, 0x66A))))
    + "".join(map(chr, (*range(0x6F0, 0x6FA), *range(0x200B, 0x2010), *range(0x202A, 0x202F))))
    + "".join(map(chr, (*range(0x2066, 0x206A), 0xFEFF, 0xA0, 0xAD, 0x61C)))
    + "پچژکگیټډړږښڼځڅېۍګٹڈڑںےہھۂۃۀەۓڪێۆٱٰٴ"
    + "،؛؟۔٪٫٬«»…–—‘’“”•·°"
    + "áéíóúüöäçāīūñ"
)


@lru_cache(1024)
def _base(char: str) -> str:
    """Return what one character becomes: a string of none, one or several."""
    if char in _LETTERS:
        return _LETTERS[char]
    if char in _KEPT or unicodedata.decomposition(char).startswith(_UNRESOLVED):
        return char
    category = unicodedata.category(char)
    if category in ("Mn", "Me", "Cf") or char in _UNSEEN:
        return ""
    if category in ("Cc", "Cs", "Zs"):
        return " "
    if category == "Nd":
        return str(unicodedata.decimal(char))
    parts = unicodedata.normalize("NFKD", char)
    return char if parts == char else "".join(map(_base, parts))


def _word(char: str) -> str:
    """Return the character in plain text: a letter or digit in lower case, or a space."""
    category = unicodedata.category(char)
    return char.lower()[0] if category[0] == "L" or category == "Nd" else " "


class _Bases(dict[int, str]):
    """A table for `str.translate` that fills itself, one character for each."""

    def __missing__(self, code: int) -> str:
        base = _base(chr(code))
        one = base if len(base) == 1 else _MOVED
        if code < 0x10000:  # keeps the table small whatever comes
            self[code] = one
        return one


class _Words(dict[int, str]):
    """The same for plain text."""

    def __missing__(self, code: int) -> str:
        one = _word(chr(code))
        if code < 0x10000:
            self[code] = one
        return one


_BASES: Final = _Bases()
_WORDS: Final = _Words()
_PAGE: Final = codecs.charmap_build(_COMMON)
_PAGE_BASES: Final = "".join(_BASES[ord(char)] for char in _COMMON)
_PAGE_BASE_WORDS: Final = "".join(_WORDS[ord(base)] for base in _PAGE_BASES)
_PAGE_WORDS: Final = "".join(_WORDS[ord(char)] for char in _COMMON)
_POSITIONS: Final = tuple(range(HEAD + 1))


class Folded(msgspec.Struct, frozen=True, gc=False):
    """Folded text with the way back to the original.

    Attributes:
        text: The folded text, at most `HEAD` characters.
        plain: The same as `plain(text)`; it costs half as much here.
        original: The head of the text as it came.
        offsets: For each position in `text`, and for its end, the position in `original`. None
            where every character stayed in its place.
    """

    text: str
    plain: str
    original: str
    offsets: tuple[int, ...] | None = None

    def span(self, start: int, end: int) -> str:
        """Return the original of `text[start:end]`, with the marks that its letters carry.

        >>> fold("در شَهر كابل").span(3, 6)
        'شَهر'
        """
        start, end = max(0, start), min(end, len(self.text))
        if self.offsets is None or start >= end:
            return self.original[start:end]
        after = max(self.offsets[end], self.offsets[end - 1] + 1)
        return self.original[self.offsets[start] : after]


def fold(text: str) -> Folded:
    """Return the head of `text` with one canonical character for each of its typings.

    >>> fold("ولايت كندهار، ۱۲ تن").text
    'ولایت کندهار، 12 تن'
    """
    head = text[:HEAD]
    try:
        codes, _ = codecs.charmap_encode(head, "strict", _PAGE)
    except UnicodeEncodeError:
        once = head.translate(_BASES)
        return _moved(once, head) if _MOVED in once else Folded(once, plain(once), head)
    once, _ = codecs.charmap_decode(codes, "strict", _PAGE_BASES)
    if _MOVED in once:
        return _moved(once, head)
    return Folded(once, codecs.charmap_decode(codes, "strict", _PAGE_BASE_WORDS)[0], head)


def _moved(once: str, head: str) -> Folded:
    """Return the folded text where characters became none or several."""
    pieces: list[str] = []
    offsets: list[int] = []
    start = 0
    while (at := once.find(_MOVED, start)) >= 0:
        base = _base(head[at])
        pieces += (once[start:at], base)
        offsets += _POSITIONS[start:at]
        offsets += (at,) * len(base)
        start = at + 1
    pieces.append(once[start:])
    offsets += _POSITIONS[start : len(head) + 1]
    # What grew is cut again, so that folding twice changes nothing.
    folded = "".join(pieces)[:HEAD]
    return Folded(folded, plain(folded), head, tuple(offsets[: HEAD + 1]))


def plain(folded_text: str) -> str:
    """Return folded text as words: lower case, a space for all but letters and digits.

    It has the length of what was given.

    >>> plain("«طالبان» (TTP)، 12")
    ' طالبان   ttp   12'
    """
    try:
        codes, _ = codecs.charmap_encode(folded_text, "strict", _PAGE)
    except UnicodeEncodeError:
        return folded_text.translate(_WORDS)
    return codecs.charmap_decode(codes, "strict", _PAGE_WORDS)[0]


def key(name: str) -> str:
    """Return a dictionary name as it stands in plain text.

    >>> key("خيبر‌پښتونخوا")
    'خیبر پښتونخوا'
    """
    return " ".join(plain(fold(name).text).split())


_STOP: Final = re.compile(r"[۔.؟!?\n][۔.؟!?\"'”’»)\]]*\s*")
_LAST_WORD: Final = re.compile(r"\w+\Z")
#: A full stop after these parts no sentences: names of Latin letters as Urdu, Persian and Pashto
#: spell them ("ایم۔کیو۔ایم"), titles, and English abbreviations.
_ABBREVIATED: Final = """
    اے بی سی ڈی ای ایف جی ایچ آئی جے کے ایل ایم این او پی کیو آر ایس ٹی یو وی ڈبلیو ایکس وائی زیڈ
    ان اس دی تی ډي ټي آی اف ار
    gen lt col maj capt sgt brig dr mr mrs ms no adm gov sen st mt dist approx vs
    jan feb mar apr jun jul aug sep sept oct nov dec
"""
_SPELT: Final = frozenset(map(key, _ABBREVIATED.split()))
_LONGEST: Final = max(map(len, _SPELT))
#: The least length of a sentence in characters; what is shorter joins the next.
_SHORTEST: Final = 4


def sentences(folded_text: str, limit: int) -> list[tuple[int, int]]:
    """Return the spans of the first `limit` sentences of folded text.

    >>> text = "در 3.5 کیلومتری کابل انفجار شد. پلیس تایید کرد."
    >>> [text[start:end] for start, end in sentences(text, 5)]
    ['در 3.5 کیلومتری کابل انفجار شد. ', 'پلیس تایید کرد.']
    """
    spans: list[tuple[int, int]] = []
    start = 0
    for stop in _STOP.finditer(folded_text):
        if len(spans) >= limit:
            return spans
        if stop.end() - start >= _SHORTEST and _ends(folded_text, stop):
            spans.append((start, stop.end()))
            start = stop.end()
    if len(spans) < limit and folded_text[start:].strip():
        spans.append((start, len(folded_text)))
    return spans


def _ends(text: str, stop: re.Match[str]) -> bool:
    """Return whether the full stop, or whatever stands there, ends a sentence."""
    if stop[0][0] not in ".۔" or stop[0][1:2] in (".", "۔"):
        return True
    after = text[stop.end() : stop.end() + 1]
    if len(stop[0]) == 1 and after.isascii() and after.isalnum():  # 3.5, bbc.com
        return False
    if after.isascii() and after.islower():  # an English abbreviation goes on
        return False
    word = _LAST_WORD.search(text, max(0, stop.start() - _LONGEST - 1), stop.start())
    return word is None or not (len(word[0]) == 1 or word[0].lower() in _SPELT)
