"""How many people were killed and injured, as ranges, from the words around the numbers.

Numbers belong to the verb they stand with: before it ("two policemen and five insurgents were
killed", "12 killed") or after it ("killed 12 and wounded 4"). A vague number is a range from the
least it can mean; a number that is not said is None; only an explicit "no casualties" is zero.
The words are in `casualty_words.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Final

from msgspec import Struct

from detectors.coding.casualty_words import (
    AFTER_NUMBER,
    BE,
    ELLIPSIS,
    HARM,
    HARM_OR_STOP,
    INJURE,
    KILL,
    NO_WORD_YET,
    NONE_HURT,
    PASSIVE,
    RISEN,
    SAME,
    STOP,
    TOKEN,
    TOLL,
)
from detectors.coding.people import Quantity, fellows, is_some_of, number_of, people
from detectors.coding.victims import Victim
from detectors.coding.victims_english import victims
from detectors.records import Casualties

ZERO: Final = Casualties(0, 0, 0)
#: One of these stands in all that says that nobody was hurt.
_SAYS_NONE: Final = ("no ", "nobody", "without")
_LONGEST_ASIDE: Final = 14  # tokens
_TOLLS: Final = frozenset(("toll", "dead", "number"))
#: Without one of these a sentence states no number of killed or injured.
_TELLS: Final = HARM | _TOLLS
_LONGEST_NOUN: Final = 80  # characters, of whom a toll counts


class Harm(Struct, frozen=True):
    """The casualties that a sentence states."""

    killed: Casualties | None = None
    injured: Casualties | None = None
    civilians_killed: Casualties | None = None
    risen: bool = False  # the number of killed is said to replace an earlier, lower one
    whom: Callable[[], tuple[Victim, ...]] = tuple  # asked of few sentences only

    @property
    def victims(self) -> tuple[Victim, ...]:
        """Whom it counts among the killed."""
        return self.whom()


def _past_aside(tokens: list[str], at: int) -> int:
    """Return where a clause goes on after ", including a child," if that stands here."""
    if tokens[at] != "," or tokens[at + 1 : at + 2] not in (["including"], ["among"], ["mostly"]):
        return at
    end = min(at + _LONGEST_ASIDE, len(tokens))
    return next((i + 1 for i in range(at + 2, end) if tokens[i] == ","), at)


def _verb_after(tokens: list[str], at: int) -> int | None:
    """Return the verb of harm that ends the noun phrase beginning at `at`, if one does."""
    if "," in tokens[at : at + 5]:
        first = tokens.index(",", at)
        aside = _past_aside(tokens, first)
        if aside > first and HARM_OR_STOP.isdisjoint(tokens[at:first]):
            return _verb_after(tokens, aside)
    for i in range(at, min(at + 9, len(tokens))):
        token = tokens[i]
        if token in HARM:
            return i
        if tokens[i] == "with" and fellows(tokens, i):
            continue
        if token in ("shot", "gunned") or token in BE:
            continue
        if token in STOP or token in (";", ":"):
            return None
    return None


def _verb_before(tokens: list[str], at: int) -> int | None:
    """Return the verb of harm whose object begins at `at`, if one stands just before."""
    for i in range(at - 1, max(-1, at - 7), -1):
        token = tokens[i]
        if token in HARM:
            return None if token in AFTER_NUMBER else i
        if token in STOP or token in (",", ";", ":") or token in BE:
            return None
    return None


def _is_list(tokens: list[str], last: Quantity, this: Quantity) -> bool:
    between = tokens[last.end : this.start]
    if between[-2:] in (["along", "with"], ["together", "with"]):  # "5 killed, along with 2"
        return INJURE.isdisjoint(between) and STOP.isdisjoint(between[:-2])
    others = "with" in between and any(fellows(tokens, i) for i in range(last.end, this.start))
    joined = "and" in between or "," in between or others
    if others:
        between = [word for word in between if word != "with"]
    return joined and len(between) <= 7 and HARM_OR_STOP.isdisjoint(between)


def _assign(tokens: list[str], quantities: list[Quantity]) -> list[int | None]:
    """Return for each number the verb of harm that it belongs to."""
    if not quantities:
        return []
    verbs: list[int | None] = []
    for q in quantities:
        before, after = _verb_before(tokens, q.start), _verb_after(tokens, q.end)
        passive = before is not None and before and tokens[before - 1] in PASSIVE
        if before is not None and not passive and not _ends_own_clause(tokens, q, after):
            verbs.append(before)
        else:
            verbs.append(after)
    if len(verbs) == 1:
        return verbs
    # A list takes the verb of its last member ("two policemen and five rebels were killed"), or of
    # its first ("killed two policemen and five rebels").
    active = {v for q, v in zip(quantities, verbs, strict=True) if v is not None and v < q.start}
    subjects = {
        i
        for i, q in enumerate(quantities)
        if verbs[i] is not None and verbs[i] in active and (verbs[i] or 0) >= q.end
    }
    verbs = [None if i in subjects else verb for i, verb in enumerate(verbs)]
    for i in range(len(quantities) - 1, 0, -1):
        if verbs[i - 1] is None and _is_list(tokens, quantities[i - 1], quantities[i]):
            verbs[i - 1] = verbs[i]
    for i in range(1, len(quantities)):
        if verbs[i] is None and _is_list(tokens, quantities[i - 1], quantities[i]):
            verbs[i] = verbs[i - 1]
    return verbs


def _ends_own_clause(tokens: list[str], q: Quantity, after: int | None) -> bool:
    """Return whether the verb after a number takes it away from the verb before: "4 wounded"."""
    if after is None:
        return False
    between = tokens[q.end : after]
    return "and" not in between and "," not in between


def _total(chosen: list[Quantity], tokens: list[str]) -> Casualties | None:
    """Return the sum of the numbers that are no part of another.

    Where all are parts, those of an unsaid number ("militants, including three commanders") are
    none; "two of them were killed" counts.
    """
    whole = [q for q in chosen if not q.inside]
    if not whole and not any(is_some_of(tokens, q.start) for q in chosen):
        whole = chosen
    if not whole:
        return None
    first, *others = whole
    low, best, high = first.low, first.best, first.high
    for q in others:
        low, best, high = low + q.low, best + q.best, high + q.high
    return Casualties(low, best, high)


def _without_zero(sentence: str) -> tuple[str, str | None]:
    """Return a sentence without "no one was killed", and of which harm it says so.

    What it says of others stays: "No one was killed, 5 Taliban were".
    """
    found = NONE_HURT.search(sentence)
    if found is None or NO_WORD_YET.search(sentence):
        return sentence, None
    sentence = ELLIPSIS.sub(r"no one was \1\2\3 \1", sentence)
    dead = any(word in found[0] for word in ("killed", "loss of life", "deaths"))
    hurt = any(word in found[0] for word in ("injur", "hurt"))
    kind = "both" if dead == hurt else "killed" if dead else "injured"
    return NONE_HURT.sub(";", sentence), kind


def harm(sentence: str) -> Harm:
    """Return the casualties that a lower-case sentence states.

    >>> harm("a blast killed at least 12 people and wounded four others").injured
    Casualties(low=4, best=4, high=4)
    """
    none_hurt: str | None = None
    if any(word in sentence for word in _SAYS_NONE):
        sentence, none_hurt = _without_zero(sentence)
    for part, pattern, word in SAME:
        if part in sentence:
            sentence = pattern.sub(word, sentence)
    tokens = TOKEN.findall(sentence)
    silent = none_hurt is None and _TELLS.isdisjoint(tokens)
    return Harm() if silent else _told(sentence, tokens, none_hurt)


def _told(sentence: str, tokens: list[str], none_hurt: str | None) -> Harm:
    """Return the casualties that a sentence states, beside that nobody suffered some harm."""
    quantities = [] if HARM.isdisjoint(tokens) else people(tokens)
    killed: list[Quantity] = []
    injured: list[Quantity] = []
    for quantity, verb in zip(quantities, _assign(tokens, quantities), strict=True):
        if verb is not None:
            (killed if tokens[verb] in KILL else injured).append(quantity)
    dead, hurt = _total(killed, tokens), _total(injured, tokens)
    if none_hurt is not None:
        dead = dead or (ZERO if none_hurt in ("both", "killed") else None)
        hurt = hurt or (ZERO if none_hurt in ("both", "injured") else None)
    toll = TOLL.search(sentence) if not _TOLLS.isdisjoint(tokens) else None
    if toll and (count := number_of(toll[1])):
        dead = Casualties(count, count, count)
    civilians = _total([q._replace(inside=False) for q in killed if q.civilian], tokens)
    if civilians and dead and civilians.best > dead.best:
        civilians = dead
    told_again = toll is not None or not {"update", "updated", "revised", "now"}.isdisjoint(tokens)
    risen = told_again and dead is not None and RISEN.search(sentence) is not None
    if dead == ZERO or HARM.isdisjoint(tokens):
        return Harm(dead, hurt, civilians, risen)
    whom = partial(_whom, sentence, tokens, killed, toll)
    return Harm(dead, hurt, civilians, risen, whom)


def _whom(
    sentence: str, tokens: list[str], killed: list[Quantity], toll: re.Match[str] | None
) -> tuple[Victim, ...]:
    """Return whom a sentence counts among the killed, also by the number of a toll."""
    whole = toll is not None or any(not q.inside for q in killed)
    found = victims(tokens, [(q.start, q.end) for q in killed], whole=whole)
    if toll is not None:
        counted = sentence[toll.start(1) : toll.end() + _LONGEST_NOUN]
        found += harm(f"killed {counted}").victims
    return found
