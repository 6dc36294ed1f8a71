r"""What a reader of a text does not see: markup left in it, entities, and invisible characters.

Sources hand on what they get, and some of them hand on HTML. Every step takes time in proportion to
the length of the text, whatever stands in it: no pattern here can be tried from one place over a
stretch that it is tried over again from the next.
"""

from __future__ import annotations

import html
import re
import unicodedata
from typing import Final

#: Elements whose content is not read, those that begin a line of their own, and the others.
_SILENT: Final = r"script|style|template|noscript|iframe|object|svg"
_BLOCK_NAMES: Final = """
    address article aside blockquote br dd div dl dt figcaption figure footer h1 h2 h3 h4 h5 h6
    header hr li main nav ol p pre section table td th tr ul
"""
_OTHER_NAMES: Final = """
    a abbr acronym area audio b base basefont bdi bdo big body button canvas caption center cite
    code col colgroup data datalist del details dfn dialog dir em embed fieldset font form frame
    frameset head hgroup html i img input ins kbd label legend link map mark menu meta meter
    noframes optgroup option output param picture progress q rp rt ruby s samp search select slot
    small source span strike strong sub summary sup tbody textarea tfoot thead time title track tt
    u var video wbr
"""
_BLOCKS: Final = frozenset(_BLOCK_NAMES.split())
_ELEMENTS: Final = _BLOCKS | frozenset(_OTHER_NAMES.split())
_QUOTED: Final = r"""(?:[^<>"']++|"[^"<]*+"|'[^'<]*+')*+"""
_TAG: Final = re.compile(
    r"<(?:!--.*?(?:-->|\Z)"
    r"|!\[cdata\[(?P<data>.*?)(?:\]\]>|\Z)"
    rf"|(?P<silent>{_SILENT})(?=[\s/>])[^>]*+(?:(?<=/)>|>.*?(?:</(?P=silent)\b[^>]*+(?:>|\Z)|\Z)|\Z)"
    rf"|/?(?P<name>[a-z][a-z0-9:._-]{{0,30}}+)(?=[\s/>])(?:{_QUOTED}>|[^<>]*+>)"
    r"|[!?][a-z][^<>]*+>)",
    re.DOTALL | re.IGNORECASE,
)
_ENTITY: Final = re.compile(r"&(?:#\d++|#[xX][\da-fA-F]++|[A-Za-z][A-Za-z0-9]{1,31}+);?")
_LONGEST_ENTITY: Final = 34
#: Times as much of a text with markup is looked at: the share of words in it is seldom less.
_SHARE: Final = 8
_UNPRINTABLE: Final = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff"
    "\ud800-\udfff]"
)
#: Joiners, marks of direction and variation, and what only stands on another letter.
_UNSEEN: Final = re.compile(
    "[\u00ad\u0300-\u036f\u0483-\u0489\u061c\u180e\u1ab0-\u1aff\u1dc0-\u1dff\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f\ufeff]"
)


def plain(text: str, between: str = "\n\n") -> str:
    r"""Return a text without markup.

    Entities are read. What is between angle brackets and no element of HTML, as in "<<Taliban>>",
    stays.

    Args:
        text: A text that may have HTML in it.
        between: What parts two blocks.

    >>> plain("<b>12</b> killed in <a href='/kabul'>Kabul</a> &amp; Logar<script>x()</script>")
    '12 killed in Kabul & Logar'
    """
    if "<" in text:

        def instead(tag: re.Match[str]) -> str:
            if tag["data"] is not None:
                return tag["data"]
            name = (tag["name"] or "").lower()
            if name in _BLOCKS:
                return between
            return tag[0] if name and name not in _ELEMENTS and ":" not in name else ""

        text = _TAG.sub(instead, text)
    return _ENTITY.sub(_character, text) if "&" in text else text


def _character(entity: re.Match[str]) -> str:
    # A number of thousands of digits is no character, and costs more to read than it is worth.
    return html.unescape(entity[0]) if len(entity[0]) <= _LONGEST_ENTITY else "\ufffd"


def legible(text: str, limit: int) -> str:
    """Return the beginning of a text, without markup and without blanks before it.

    Args:
        text: The text as its source gave it.
        limit: The most characters returned. Of a text with markup more is looked at.
    """
    text = text.lstrip()
    head = text[:limit]
    if "<" not in head and "&" not in head:
        return head
    # What was escaped twice is still markup after the first time.
    once = plain(text[: _SHARE * limit])
    return (plain(once) if "<" in once or "&" in once else once).lstrip()[:limit]


def seen(text: str) -> str:
    r"""Return a text in Latin letters without what nobody sees, each accent in one with its letter.

    >>> seen("\u202aHera\u0304t\u00ad\ufeff")
    'Herāt'
    """
    if text.isascii() or not _UNSEEN.search(text):
        return text
    return _UNSEEN.sub("", unicodedata.normalize("NFC", text))


def quotable(text: str, limit: int) -> str:
    r"""Return the beginning of a text in one line, without what cannot be stored or printed.

    >>> quotable("killed\x00 in\n Kabul\ud800", 80)
    'killed in Kabul'
    """
    return " ".join(_UNPRINTABLE.sub("", text[: 2 * limit]).split())[:limit]
