"""What one sentence says happened: a PLOVER type, its mode, and how certain the sentence is.

Types and auxiliary modes are those of PLOVER (Open Event Data Alliance, 2021). The rules need no
syntax: classes of terms (`terms_en.csv`), which of them stand together in one sentence, and which
cue words stand shortly before them.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from msgspec import Struct

from detectors.coding.lexicon import OTHERS, TRIGGERS, Hit
from detectors.records import Auxiliary, EventType

_TRIGGERS: Final = frozenset(TRIGGERS)
_OTHERS: Final = frozenset(OTHERS)
#: A cue changes the meaning of the terms that begin within so many characters after it.
REACHES: Final = {
    "negated": 28, "denied": 45, "aside": 32, "plot": 32, "hypothetical": 45, "future": 45,
}  # fmt: skip
#: Cues that weaken the next term only: "no casualties in the attack" tells of an attack.
_ONE_TERM: Final = ("negated", "aside", "plot")
CUES: Final[dict[str, Auxiliary]] = {
    "negated": "negated",
    "denied": "negated",
    "hypothetical": "hypothetical",
    "future": "future",
    "aside": "historical",
    "plot": "hypothetical",
}
#: Most telling mode first.
_MODES: Final = (
    "suicide-attack", "aerial", "abduct", "assassinate", "execute", "explosives", "heavy-weapons",
    "firearms", "beat",
)  # fmt: skip
#: "no group claimed the attack", "denied a role in the attack": these do not deny the act.
_NOT_A_DENIAL: Final = {
    "negated": re.compile(r"\b(?:claim\w*|respons\w*|immediate\w*|report\w*|only|longer)\b"),
    "denied": re.compile(r"\b(?:role|blame|involvement|responsib\w*|hand|part|accus\w*)\b"),
}
#: "17 May", "May 17", "in May": the month, which is not the verb.
_MONTH_OF_MAY: Final = re.compile(r".{0,6}?(?:\d|\b(?:in|since|late|of)) may\b|.{6}may \d")


class Said(Struct, frozen=True):
    """What a sentence says happened; `event` is None when it says nothing that is coded."""

    event: EventType | None
    mode: str | None = None
    auxiliary: tuple[Auxiliary, ...] = ()
    generic: bool = False  # speaks of violence in general, over a period


NOTHING: Final = Said(None)


class Term(NamedTuple):
    """A term of a sentence, and the cue that weakens it."""

    mode: str
    auxiliary: Auxiliary | None


#: The terms of a sentence by their class.
Terms = dict[str, list[Term]]


def _auxiliary(start: int, cues: list[tuple[int, str]], last: int, plain: str) -> Auxiliary | None:
    """Return how a cue before `start` weakens the term there, `last` being where the last ended."""
    for end, cue in reversed(cues):
        if end > start or start - end > REACHES[cue]:
            continue
        if cue in _ONE_TERM and last > end and " or " not in plain[last:start]:
            continue
        if cue in ("negated", "denied") and _NOT_A_DENIAL[cue].search(plain, end, start):
            continue
        return CUES[cue]
    return None


def _terms(hits: list[Hit], plain: str) -> Terms:
    cues: list[tuple[int, str]] = []
    last = 0
    found: Terms = {}
    for start, end, entry in hits:
        if not entry.terms:
            continue
        weighs = False
        for name, mode in entry.terms:
            if name in CUES:
                may = end - start == 3 and _MONTH_OF_MAY.match(plain, max(0, start - 6))
                if not may:
                    cues.append((end, name))
                continue
            auxiliary = None
            if name in TRIGGERS:
                weighs = True
                auxiliary = _auxiliary(start, cues, last, plain) if cues else None
            found.setdefault(name, []).append(Term(mode, auxiliary))
        last = end if weighs else last
    return found


def _violent(found: Terms, armed: bool, rebels: bool) -> bool:
    """Return whether the terms, taken together, speak of armed violence."""
    acts, weak = found.get("act", []), found.get("act_weak", [])
    harm = bool(found.get("kill") or found.get("injure"))
    natural = "natural" in found
    if any(act.mode for act in acts):
        return True
    if acts and (harm or armed or "target" in found):
        return not natural or armed
    if natural:
        return armed and harm and bool(acts or weak or "fight" in found)
    losses = "losses" in found and weak and rebels  # a company's are of another kind
    if "blast" in found or losses or (harm and "fight" in found):
        return True
    if weak and harm:
        return armed or any(term.mode for term in weak) or len(weak) > 1
    return harm and armed


def _mode(found: Terms) -> str | None:
    modes = {t.mode for name in TRIGGERS for t in found.get(name, []) if t.mode}
    return next((mode for mode in _MODES if mode in modes), None)


def _real(found: Terms) -> Terms:
    """Return the terms that no cue weakens: `found` itself where that is all of them."""
    if not any(t.auxiliary for name in TRIGGERS if name in found for t in found[name]):
        return found
    real = {
        name: [t for t in terms if t.auxiliary is None] if name in TRIGGERS else terms
        for name, terms in found.items()
    }
    return {name: terms for name, terms in real.items() if terms}


def assess(hits: list[Hit], plain: str) -> Said:
    """Return what a sentence in English says, from its hits.

    Args:
        hits: The hits of the sentence, in order.
        plain: The whole normalised text, which the hits' positions index.

    Returns:
        ASSAULT with its mode where the terms that no cue weakens speak of armed violence; ASSAULT
        with auxiliary modes where only weakened terms do; else the first other type named.
    """
    return judge(_terms(hits, plain), hits) if tells(hits) else NOTHING


def tells(hits: list[Hit]) -> bool:
    """Return whether a sentence has a term that an event may be coded from."""
    for hit in hits:  # noqa: SIM110 - asked often: a generator takes twice as long
        if hit.entry.tells:
            return True
    return False


def judge(found: Terms, hits: list[Hit]) -> Said:
    """Return what the terms of a sentence come to, in any language."""
    if not _TRIGGERS.isdisjoint(found):
        armed = any(hit.entry.armed for hit in hits)
        rebels = "losses" in found and _names_rebels(hits)
        real = _real(found)
        violent = _violent(real, armed, rebels)
        aside: tuple[Auxiliary, ...] = ("historical",) if "historical" in found else ()
        if violent and "foiled" not in found:
            return Said("ASSAULT", _mode(real), aside, "generic" in found)
        if violent if real is found else _violent(found, armed, rebels):
            modes = {t.auxiliary for name in TRIGGERS for t in found.get(name, []) if t.auxiliary}
            if "foiled" in found:
                modes.add("negated")
            weakened = tuple(sorted(modes | set(aside)))
            if "THREATEN" not in found:
                return Said("ASSAULT", _mode(found), weakened, "generic" in found)
    return _other(found)


def _names_rebels(hits: list[Hit]) -> bool:
    return any(alias.kind == "armed-group" for hit in hits for alias in hit.entry.aliases)


def _other(found: Terms) -> Said:
    if _OTHERS.isdisjoint(found):
        return NOTHING
    for event in OTHERS:  # of two types in one sentence the first is coded
        if event in found:
            mode = next((term.mode for term in found[event] if term.mode), None)
            aside: tuple[Auxiliary, ...] = ("historical",) if "historical" in found else ()
            return Said(event, mode, aside)
    return NOTHING
