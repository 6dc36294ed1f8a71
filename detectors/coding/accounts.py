"""Rival and earlier tolls: all numbers of killed that a report tells of one event.

A sentence is cut where somebody is cited. The number of each stretch is read as that of a
sentence; where the word of harm is left out ("residents put the number at four") it is supplied.
Two sides with two numbers are rivals where they stand in one sentence, where the report says that
accounts differ, or where they are the authorities and those who fight them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from detectors.coding import script
from detectors.coding.speakers import AUTHORITIES, hits_of
from detectors.coding.speech import Heard, Saying, voices
from detectors.coding.tongue import Tongue
from detectors.records import Casualties, Voice


def _from_to(first: str, last: str, words: int) -> re.Pattern[str]:
    """Return a pattern of "from 4 to 6", with what stands between the words and after them."""
    led = rf"(?:^|\b{script.key(first)} )" if first else " "
    to = "|".join(script.key(word) for word in last.split("|"))
    return re.compile(rf"{led}((?:\w+ +){{1,{words}}}?)(?:{to})\b((?: +\w+){{1,{words}}})")


_RISES: Final = {
    "en": _from_to("from", "to", 3),
    "fa": _from_to("از", "به", 3),
    "ps": _from_to("له", "څخه|نه|تر", 3),
    "ur": _from_to("", "سے بڑھ کر|سے بڑھ کے|سے", 2),
    "ar": _from_to("من", "إلى", 3),
}
_BEFORE: Final = frozenset(("earlier", "earlier_after"))
_NUMBERED: Final = frozenset(("rival", "puts"))
_TOLLS: Final = frozenset(("toll", "puts"))
_WITHIN: Final = 8  # characters between a speaker and a verb that may hold a number
_WORDS_BEFORE: Final = 3  # words, before "first reported"
_TO_EARLIER: Final = 70  # characters, from "earlier" to the number
#: Who is counted besides: no rival of the number told before.
_MORE: Final = frozenset(("also", "another", "other", "others", "additional", "separate", "more"))


class Account(NamedTuple):
    """A number of killed that one side gives."""

    killed: Casualties
    voice: Voice
    sentence: int
    start: int
    end: int
    contrasts: bool = False  # its sentence sets numbers against one another


class Earlier(NamedTuple):
    """A number of killed that was told before."""

    killed: int
    start: int
    end: int
    now: int | None = None  # what it has risen to, where the same words say so


class Tolls(NamedTuple):
    """What a report tells besides: the killed of rivals as one range, and other numbers."""

    killed: Casualties | None  # None: it stays what it is
    also: tuple[int, ...]
    accounts: tuple[Account, ...]  # of the rivals
    earlier: tuple[Earlier, ...]


def tolls(
    heard: Sequence[Heard],
    killed: Casualties | None,
    country: str | None,
    tongue: Tongue,
    *,
    risen: bool,
) -> Tolls | None:
    """Return the rival and the earlier tolls of a report, or None where it tells none.

    Args:
        heard: Its title and lead.
        killed: The number that it gives for the event.
        country: Where the event lies: the number of its authorities is the best of rivals.
        tongue: Its language.
        risen: Whether it says that the number has risen.
    """
    named = any("rival" in each.classes for each in heard)
    rivals = _rivals(heard, tongue, named=named) if named or len(voices(heard)) > 1 else ()
    before = tuple(_earlier(heard, tongue, risen=risen)) if killed and killed.best else ()
    if not rivals and not before:
        return None
    whole = _whole(rivals, country) if rivals else _now(before, killed)
    told = whole or killed
    numbers = {a.killed.best for a in rivals} | {earlier.killed for earlier in before}
    also = tuple(sorted(n for n in numbers if told is None or n != told.best))
    return Tolls(whole, also, rivals, before)


def _read(
    heard: Heard, stretch: tuple[int, int], tongue: Tongue, *, supplied: bool = False
) -> Casualties | None:
    return tongue.killed(heard.sentence.part(*stretch), supplied=supplied)


def _whole(rivals: Sequence[Account], country: str | None) -> Casualties:
    """Return the range of all accounts; the best is the authorities' number, else the first."""
    ours = AUTHORITIES.get(country or "")
    best = next((a for a in rivals if a.voice == ours), None)
    best = best or next((a for a in rivals if a.voice.endswith("-authorities")), rivals[0])
    return Casualties(
        min(a.killed.low for a in rivals),
        best.killed.best,
        max(a.killed.high for a in rivals),
    )


def _rivals(heard: Sequence[Heard], tongue: Tongue, *, named: bool) -> tuple[Account, ...]:
    """Return the accounts that differ, in order; none where all agree or there is but one."""
    found = [a for each in heard for a in _accounts(each, tongue)]
    kept: list[Account] = []
    for account in found:
        others = [a for a in found if a.killed != account.killed]
        if any(named or _opposed(account, other) for other in others):
            kept.append(account)
    return tuple(kept)


def _opposed(one: Account, other: Account) -> bool:
    if one.sentence == other.sentence and (one.voice != other.voice or one.contrasts):
        return True
    sides = {one.voice, other.voice}
    return "militant" in sides and any(side.endswith("-authorities") for side in sides)


def _accounts(heard: Heard, tongue: Tongue) -> Iterator[Account]:
    """Yield the numbers of killed of those whom a sentence cites."""
    cuts = _cuts(heard, heard.sayings)
    contrasts = {"contrast", "puts"} <= heard.classes
    taken: set[int] = set()
    lacking: list[Saying] = []
    # First the numbers with their word of harm, then those that leave it out.
    for supplied in (False, True):
        for saying in lacking if supplied else heard.sayings:
            found = _number(
                heard, _stretches(saying, cuts, taken), tongue, saying if supplied else None
            )
            if found is None:
                lacking += () if supplied else (saying,)
                continue
            number, stretch = found
            taken.add(stretch[0])
            yield Account(number, saying.voice, heard.sentence.number, *stretch, contrasts)
        if not taken and heard.classes.isdisjoint(_NUMBERED):
            return


def _stretches(
    saying: Saying, cuts: Sequence[tuple[int, int]], taken: set[int]
) -> list[tuple[int, int]]:
    """Return what stands beside a saying and belongs to no other, the likelier first."""
    order: tuple[tuple[int, int] | None, ...]
    after = next((c for c in cuts if c[0] >= saying.end - 1), None)
    before = next((c for c in reversed(cuts) if c[1] <= saying.start + 1), None)
    order = (before, after) if saying.quotes_before else (after, before)
    verb = saying.verb
    inside = saying.start <= saying.speaker.start
    if verb is not None and inside and verb.start - saying.speaker.end > _WITHIN:
        order = ((saying.speaker.end, verb.start), *order)  # "they 17 dead declared"
    return [stretch for stretch in order if stretch and stretch[0] not in taken]


def _number(
    heard: Heard, stretches: Sequence[tuple[int, int]], tongue: Tongue, elliptic: Saying | None
) -> tuple[Casualties, tuple[int, int]] | None:
    """Return the first number of killed in some stretches, and where it was."""
    for stretch in stretches:
        if _MORE & set(heard.sentence.text.plain[slice(*stretch)].split()):
            continue
        if elliptic is not None and not _is_elliptic(heard, elliptic, stretch):
            continue
        number = _read(heard, stretch, tongue, supplied=elliptic is not None)
        if number is not None and number.best:
            return number, stretch
    return None


def _is_elliptic(heard: Heard, saying: Saying, stretch: tuple[int, int]) -> bool:
    """Return whether a stretch may leave out the word of harm: it speaks of a number, or is one."""
    if saying.verb is None or saying.verb.classes & {"puts", "official"}:
        return True
    if heard.first("toll", *stretch) is not None:
        return True
    return len(heard.sentence.text.plain[slice(*stretch)].split()) <= 3


def _cuts(heard: Heard, sayings: Sequence[Saying]) -> list[tuple[int, int]]:
    """Return the stretches between those cited, cut also at "but" and at semicolons."""
    edges: list[tuple[int, int]] = [(s.start, s.end) for s in sayings]
    edges += [(c.start, c.end) for c in heard.cues if "contrast" in c.classes]
    folded, start, end = heard.sentence.text.folded, heard.sentence.start, heard.sentence.end
    edges += [(i, i + 1) for i in range(start, end) if folded[i] in ";؛"]
    edges.sort()
    found: list[tuple[int, int]] = []
    at = start
    for first, last in edges:
        if first > at:
            found.append((at, first))
        at = max(at, last)
    if end > at:
        found.append((at, end))
    return found


def _now(before: Sequence[Earlier], killed: Casualties | None) -> Casualties | None:
    """Return what a toll has risen to, where it was read as the earlier number or as a range."""
    for earlier in before:
        if killed and earlier.now and earlier.killed in (killed.low, killed.best):
            return Casualties(earlier.now, earlier.now, earlier.now)
    return None


def _earlier(heard: Sequence[Heard], tongue: Tongue, *, risen: bool) -> Iterator[Earlier]:
    """Yield the numbers that an earlier toll gave, with where they stand."""
    for each in heard:
        start, end = each.span
        for cue in each.cues if each.classes & _BEFORE else ():
            if "earlier" in cue.classes:
                stretch = cue.end, _part(each, cue.end, min(end, cue.end + _TO_EARLIER))
                number = _read(each, stretch, tongue) or _supplied(each, stretch, tongue)
            elif "earlier_after" in cue.classes:
                words = each.sentence.text.plain[start : cue.start].split(" ")
                length = len(" ".join([w for w in words if w][-_WORDS_BEFORE:]))
                stretch = max(start, cue.start - length - 1), cue.start
                number = _read(each, stretch, tongue, supplied=True)
            else:
                continue
            if number is not None and number.best:
                yield Earlier(number.best, *stretch)
        if risen and each.classes & _TOLLS:
            yield from _rises(each, tongue)


def _part(heard: Heard, start: int, end: int) -> int:
    """Return where the part of a sentence that begins at `start` ends."""
    marks = [heard.gap(start, end).find(mark) for mark in (";", "؛", ".", "۔")]
    ends = [start + at for at in marks if at >= 0]
    contrast = heard.first("contrast", start, end)
    return min([end, *ends, *([contrast.start] if contrast else [])])


def _supplied(heard: Heard, stretch: tuple[int, int], tongue: Tongue) -> Casualties | None:
    """Read an earlier number without its word of harm, in a sentence that speaks of a toll."""
    if not heard.classes & _TOLLS and not hits_of(heard.sentence, frozenset(("kill",))):
        return None
    return _read(heard, stretch, tongue, supplied=True)


def _rises(heard: Heard, tongue: Tongue) -> Iterator[Earlier]:
    start, end = heard.sentence.start, heard.sentence.end
    for match in _RISES[tongue.code].finditer(heard.sentence.text.plain, start, end):
        old = _read(heard, match.span(1), tongue, supplied=True)
        now = _read(heard, match.span(2), tongue, supplied=True)
        if old and now and 0 < old.best < now.best:
            yield Earlier(old.best, *match.span(1), now.best)
