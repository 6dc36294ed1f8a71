"""Whose report a text is: the agency that its dateline, byline or closing credit names.

A text that credits an agency is that agency's reprint, and its outlet is no new witness. What
counts is the form, not the mention: "KABUL (Reuters) -", "By Agence France-Presse", "... he said.
(AP)", "With input from AFP", "Reuters contributed to this report", a title ending in "- Reuters".
So does a report that opens with "According to Reuters,": all of it is then that agency's. What an
official told an agency, or what an agency reported, further on in a text, does not count.

Who speaks for itself (a ministry, the United Nations, an organisation, a data set) is quoted, not
reprinted: "hundreds killed this year - UN" credits nobody. The names are those of
`detectors.world.families`, the words around them those of its `bylines.csv`. A name that the tables
do not know counts in a dateline, in closing brackets and after a closing dash, where it ends in a
word for an outlet ("Oxus News Agency") and has no word for the outlet's own staff ("News Desk").
"""

from __future__ import annotations

import re
from typing import Final

from detectors.coding.credits import LONGEST, STOPS, Credits, bare, credits, is_spelt_out

#: How much of a text's beginning and of its end is read.
HEAD: Final = 120
TAIL: Final = 200

#: A dateline's bracket begins within so many characters, and is so long at most.
_PLACE: Final = 60
_BRACKET: Final = 80
_BRACKETS: Final = {"(": ")", "/": "/"}
_MARKS: Final = ("-", "–", "—", ":", ".", "ـ")
#: The marks of each zone, those of ASCII first; a text of ASCII is not searched for the others.
_ASCII_TITLE: Final = (" - ", " | ")
_TITLE: Final = (*_ASCII_TITLE, " – ", " — ")
_ASCII_STOP: Final = (". ", "\n", "! ", "? ")
_STOP: Final = (*_ASCII_STOP, "۔ ", "؟ ")
_ASCII_DASH: Final = (" -", "--")
_DASH: Final = (*_ASCII_DASH, "–", "—")
#: What a name that opens a text may end at; the words before the first that may be one.
_LEAD: Final = re.compile(r"\s*[:|\n]|\s+[-–—ـ]{1,2}\s")
_BEFORE_LEAD: Final = re.compile(rf"[^:|\n–—ـ-]{{1,{LONGEST}}}")
_LATIN: Final = re.compile(r"[A-Za-z]")
_DIGIT: Final = re.compile(r"\d")
_SMALL: Final = frozenset({"of", "the", "and", "de", "e", "i"})


def wire(title: str, text: str, own: str | None = None) -> str | None:
    """Return the family that a report credits as its origin; None where it credits none.

    Args:
        title: The report's title.
        text: Its text; only the beginning and the end are read.
        own: The report's own family. To credit oneself is no credit.

    Returns:
        The id of the family; a credited name that no table knows, as it is written; "agencies"
        where a text says no more than that.
    """
    known = credits()
    found = (
        _opening(text[:HEAD], own, known)
        or _closing(text[-TAIL:], own, known)
        or _heading(title, own, known)
    )
    return None if found == own else found


def _opening(head: str, own: str | None, known: Credits) -> str | None:
    """Return whom the first words of a text credit."""
    return _dateline(head, own, known) or _lead(head, known) or known.opening(head)


def _dateline(head: str, own: str | None, known: Credits) -> str | None:
    """Read "KABUL, Feb 3 (Reuters) -", or "/TASS/."."""
    for left, right in _BRACKETS.items():
        start = head.find(left, 0, _PLACE)
        end = head.find(right, start + 1, start + _BRACKET) if start >= 0 else -1
        if end < 0:
            continue
        place, names = head[:start].strip(), head[start + 1 : end]
        marked = head[end + 1 :].lstrip().startswith(_MARKS)
        if not _is_dateline(place, names, marked):
            continue
        # A party's short name may be an agency's, but no party has a place and a day before it.
        is_sure = marked or bool(_DIGIT.search(place))
        if found := known.first(names, own, weak=is_sure, unlisted=is_sure or not place):
            return found
    return None


def _is_dateline(place: str, names: str, marked: bool) -> bool:
    """Whether the words before a bracket are a place and perhaps a day, and not the subject."""
    words = place.replace(",", " ").replace("،", " ").split()
    if not words:
        return True
    dated = bool(_DIGIT.search(place))
    if not _LATIN.search(place):
        return len(words) <= (6 if dated else 3)
    if len(words) > 8 or not (marked or dated or place.isupper()):
        return False
    # "Kabul [Afghanistan], August 3"
    plain = [word.lstrip("[") for word in words]
    are_names = all(w[:1].isupper() or _DIGIT.search(w) or w in _SMALL for w in plain)
    return are_names and not is_spelt_out(words, names)


def _lead(head: str, known: Credits) -> str | None:
    """Read "Reuters: ...", and "KABUL - Reuters - ..."."""
    before = _BEFORE_LEAD.match(head)
    if before is None or before.end() == LONGEST:
        return None
    mark = _LEAD.search(head, before.end() - 1, LONGEST)
    if mark is None:
        return None
    if found := known.listed(head[: mark.start()]):
        return found
    # No more words before the name than a place has.
    if head.count(" ", 0, mark.start()) > 2:
        return None
    end = _LEAD.search(head, mark.end(), mark.end() + LONGEST)
    return known.listed(head[mark.end() : end.start()]) if end else None


def _last(text: str, marks: tuple[str, ...], first: int = 0) -> int:
    """Return where the last of any marks stands; -1 where there is none."""
    found = -1
    for mark in marks:
        found = max(found, text.rfind(mark, first))
    return found


def _closing(tail: str, own: str | None, known: Credits) -> str | None:
    """Return whom the last words of a text credit."""
    ending = bare(tail)
    cut = _last(ending, _ASCII_STOP if ending.isascii() else _STOP)
    last = ending[cut + 1 :]
    if ending.endswith((")", "]")):
        if found := _closing_brackets(ending, own, known):
            return found
    elif found := _closing_dash(ending, own, known):
        return found
    if found := known.listed(last) or known.closing(last):
        return found
    # "Copyright Reuters. All rights reserved."
    return _closing(ending[: cut + 1], own, known) if cut > 0 and known.is_rest(last) else None


def _closing_brackets(ending: str, own: str | None, known: Credits) -> str | None:
    """Read "... he said. (Reuters)"; a name may have brackets of its own."""
    start = max(ending.rfind("("), ending.rfind("["))
    if ending.count(")") > 1 and ending.endswith("))"):
        start = ending.rfind("(", 0, start)
    if start < 0 or len(ending) - start > _BRACKET:
        return None
    names, before = ending[start + 1 : -1], ending[:start].rstrip()
    if found := known.closing(names):
        return found
    ended = not before or before[-1] in STOPS
    if not ended and is_spelt_out(before.split(), names):
        return None
    return known.first(names, own, weak=ended, unlisted=ended)


def _closing_dash(ending: str, own: str | None, known: Credits) -> str | None:
    """Read "... he said. - Reuters"."""
    first = max(0, len(ending) - LONGEST)
    start = _last(ending, _ASCII_DASH if ending.isascii() else _DASH, first)
    if start < 0:
        return None
    names, before = ending[start + 1 :].lstrip(" -"), ending[:start].rstrip(" -")
    ended = bool(before) and before[-1] in STOPS
    return known.first(names, own, weak=False, unlisted=ended)


def _heading(title: str, own: str | None, known: Credits) -> str | None:
    """Return whom a title credits at its end or its beginning."""
    mark = _last(title, _ASCII_TITLE if title.isascii() else _TITLE)
    if mark > 0 and (found := known.listed(title[mark + 3 :])):
        return found
    if title.endswith(")") and (bracket := title.rfind("(")) > 0:
        names = title[bracket + 1 : -1]
        spelt_out = is_spelt_out(title[:bracket].split(), names)
        found = None if spelt_out else known.first(names, own, weak=False, unlisted=False)
        if found:
            return found
    colon = title.find(":", 0, LONGEST)
    return known.listed(title[:colon]) if colon > 0 else None
