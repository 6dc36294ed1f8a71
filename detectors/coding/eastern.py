"""Pashto, Dari, Urdu and Arabic, as the coder reads them.

One class serves all four: what differs is data. Terms, numbers and days are tables
(`terms_<code>.csv`, `numbers_<code>.csv`, `days_<code>.csv`), closed classes are in `grammar.toml`,
names come from the registries. In these languages the verb ends the sentence (but for Arabic), so
a cue such as a negation may stand behind the term that it weakens.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from datetime import date
from functools import cache
from importlib import resources
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from detectors.coding import daywords, script, tolls
from detectors.coding.casualties import Harm
from detectors.coding.dates import When
from detectors.coding.lexicon import TRIGGERS, Hit
from detectors.coding.lone import LONGEST
from detectors.coding.places import Locating
from detectors.coding.tongue import Sentence
from detectors.coding.types import CUES, NOTHING, Said, Term, Terms, judge, tells
from detectors.coding.victims_eastern import names
from detectors.coding.vocabulary import Vocabulary, beginnings
from detectors.records import Auxiliary, Casualties
from detectors.tables import rows

CODES: Final = ("fa", "ps", "ur", "ar")
_GROUP: Final = 3  # digits of a number between two commas
_PAUSE: Final = re.compile("[،,؛;:]")
_COUNTS_NOTHING: Final = frozenset(("not_people",))
_SUPPLIED: Final = frozenset(("kill",))
_DEEDS: Final = frozenset(("act", "act_weak", "blast", "fight"))
#: Without one of these a sentence states no casualties.
_HARM: Final = frozenset(("kill", "injure", "none_hurt"))
_CUES: Final = frozenset(CUES)
_TRIGGERS: Final = frozenset(TRIGGERS)
_NONE: Final = frozenset[str]()
#: Cues that reach no further than the punctuation (two spaces) around their clause.
_OF_A_CLAUSE: Final = ("negated", "denied")


class Reach(Struct, frozen=True):
    """How far a cue may stand from the term it weakens, in characters, on either side."""

    before: int
    after: int


_VERB_LAST: Final = {
    "negated": Reach(12, 24),
    "denied": Reach(60, 90),
    "plot": Reach(40, 50),
    "aside": Reach(35, 35),
    "hypothetical": Reach(70, 45),
    "future": Reach(45, 60),
}
_VERB_FIRST: Final = {
    "negated": Reach(28, 0),
    "denied": Reach(60, 0),
    "plot": Reach(40, 20),
    "aside": Reach(32, 20),
    "hypothetical": Reach(60, 10),
    "future": Reach(45, 0),
}


class Eastern:
    """Reads one of these languages; keeps to `tongue.Tongue`."""

    def __init__(self, code: str) -> None:
        """Compile the language's tables."""
        grammar = _grammar()[code]
        self.code = code
        self.where = _locating(grammar)
        self.vocabulary = Vocabulary(code, tuple(grammar["prefixes"]))
        self._reaches = _VERB_FIRST if grammar["verb_first"] else _VERB_LAST
        self._numbers = _numbers(code, grammar)
        toll, rose = _any_of(grammar["toll"]), _any_of(grammar["rose"])
        first, last = (rose, toll) if grammar["verb_first"] else (toll, rose)
        self._risen = re.compile(rf"\b(?:{first})\b.*\b(?:{last})\b")
        self._part = re.compile(rf"\b(?:{_any_of(grammar['part'])})\b")
        self._months = self._month_names()
        self._days = daywords.Days.of(self._unambiguous_days(), verb_first=grammar["verb_first"])

    def _month_names(self) -> frozenset[str]:
        """Return the names of months: a number beside one counts no people."""
        return frozenset(
            script.key(row["word"])
            for row in rows("detectors.coding", f"days_{self.code}.csv")
            if row["kind"] in daywords.CALENDARS
        )

    def _unambiguous_days(self) -> dict[str, daywords.DayWord]:
        """Return the words for days but those that are also a number or a common noun."""
        found = {
            script.key(row["word"]): daywords.DayWord(row["kind"], int(row["value"] or 0))
            for row in rows("detectors.coding", f"days_{self.code}.csv")
        }
        taken = self._numbers.numbers.keys() | self.vocabulary.nouns
        return {word: day for word, day in found.items() if day.kind == "said" or word not in taken}

    def sentences(self, folded: str, limit: int) -> list[tuple[int, int]]:
        """Return the spans of the first sentences of a text."""
        return script.sentences(folded, limit)

    def may_tell(self, hits: list[Hit]) -> bool:
        """Return whether a text with these dictionary entries may say that something happened."""
        return tells(hits)

    def assess(self, sentence: Sentence) -> Said:
        """Return what a sentence says happened."""
        hits = sentence.hits
        return judge(self._terms(sentence), hits) if tells(hits) else NOTHING

    def when(self, sentence: Sentence, today: date) -> When:
        """Return the days that a sentence gives."""
        words = sentence.text.plain[sentence.start : sentence.end].split()
        return daywords.when(words, self._days, today)

    def harm(self, sentence: Sentence) -> Harm:
        """Return the casualties that a sentence states."""
        if not sentence.has(_HARM):
            return Harm()
        harm = tolls.harm(_tokens(sentence, self._months), self._numbers)
        if harm.killed is None:
            return harm
        rises = self._risen.search(sentence.text.plain, sentence.start, sentence.end)
        return replace(harm, risen=True) if rises else harm

    def killed(self, part: Sentence, *, supplied: bool) -> Casualties | None:
        """Return the killed that a part of a sentence states; a left-out word of harm supplied."""
        if not supplied and not part.has(_HARM):
            return None
        tokens = _tokens(part, self._months)
        if supplied and tokens:
            tokens.append(tolls.Token("-", _SUPPLIED, starts=True, clause=tokens[-1].clause))
        return tolls.harm(tokens, self._numbers).killed

    def _terms(self, sentence: Sentence) -> Terms:
        hits = [hit for hit in sentence.hits if hit.entry.terms]
        cues: list[tuple[Hit, str]] = []
        triggers: list[Hit] = []
        if sentence.has(_CUES):
            cues = [(h, name) for h in hits for name, _ in h.entry.terms if name in CUES]
            triggers = [h for h in hits if not _TRIGGERS.isdisjoint(h.entry.classes)]
        happened = sentence.has(_DEEDS)
        found: Terms = {}
        for hit in hits:
            for name, mode in hit.entry.terms:
                if name in CUES:
                    continue
                auxiliary = None
                if name in TRIGGERS and cues:
                    # "They clashed; nobody was hurt": the harm is denied, not the clash.
                    only_harm = happened and name not in _DEEDS
                    weakens = [c for c in cues if not (only_harm and c[1] == "negated")]
                    auxiliary = self._weakened(hit, weakens, triggers, sentence)
                found.setdefault(name, []).append(Term(mode, auxiliary))
        if "none_hurt" in found and happened:
            found.setdefault("injure", []).append(Term("", None))  # a clash all the same
        return found

    def _weakened(
        self, term: Hit, cues: list[tuple[Hit, str]], triggers: list[Hit], sentence: Sentence
    ) -> Auxiliary | None:
        """Return how the cues around a term weaken it.

        A negation belongs to the verb beside it, a denial to its own clause; a denied role in an
        event does not deny the event.
        """
        plain = sentence.text.plain
        for cue, name in cues:
            reach = self._reaches[name]
            if cue.end <= term.start:
                near = term.start - cue.end <= reach.before
                between = (cue.end, term.start)
            else:
                near = cue.start - term.end <= reach.after
                between = (term.end, cue.start)
            if not near or (name in _OF_A_CLAUSE and "  " in plain[slice(*between)]):
                continue
            if name == "negated" and any(between[0] <= t.start < between[1] for t in triggers):
                continue
            near_cue = max(sentence.start, cue.start - 80), min(sentence.end, cue.end + 40)
            if name == "denied" and self._part.search(plain, *near_cue):
                continue
            if name == "aside" and self._part.search(plain, cue.start, cue.end):
                continue
            return CUES[name]
        return None


def _tokens(sentence: Sentence, months: frozenset[str]) -> list[tolls.Token]:
    """Return a sentence's words with the classes of the terms that cover them."""
    plain, hits = sentence.text.plain, sentence.hits
    folded = sentence.text.folded
    found: list[tolls.Token] = []
    at, clause, last = 0, 0, sentence.start
    end = sentence.start - 1
    for word in plain[sentence.start : sentence.end].split(" "):
        start, end = end + 1, end + 1 + len(word)
        if not word:
            continue
        while at < len(hits) and hits[at].end <= start:
            at += 1
        if start - last > 1 and _PAUSE.search(folded, last, start):
            clause += 1
        last = end
        if len(word) == _GROUP and found and _goes_on(found[-1].text, word, folded, start):
            found[-1] = found[-1]._replace(text=found[-1].text + word)
            continue
        hit = hits[at] if at < len(hits) and hits[at].start <= start else None
        classes = hit.entry.classes if hit else _NONE
        if word in months:
            classes |= _COUNTS_NOTHING
        found.append(tolls.Token(word, classes, hit is None or hit.start >= start, clause))
    return found


def _goes_on(number: str, digits: str, folded: str, start: int) -> bool:
    """Return whether three digits go on with a number parted by a comma: "1,200"."""
    parted = folded[start - 1 : start] in (",", "،") and folded[start - 2 : start - 1].isdigit()
    return parted and number.isdigit() and digits.isdigit()


@cache
def _grammar() -> dict[str, Any]:
    text = resources.files("detectors.coding").joinpath("grammar.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _any_of(words: Iterable[str]) -> str:
    keys = sorted({script.key(word) for word in words}, key=lambda k: (-len(k), k))
    return "|".join(key.replace(" ", " +") for key in keys) or r"(?!)"


def _locating(grammar: dict[str, Any]) -> Locating:
    prefixed = "|".join(map(re.escape, sorted(grammar["prefixes"], key=len, reverse=True)))

    def just_before(name: str) -> re.Pattern[str]:
        return re.compile(rf"(?:^| )(?:{prefixed})?(?:{_any_of(grammar[name])}) +$")

    def just_after(name: str) -> re.Pattern[str]:
        return re.compile(rf" +(?:{_any_of(grammar[name])})\b")

    kind, titled, joins = (_any_of(grammar[name]) for name in ("kind", "titled", "joins"))
    joined = rf"(?: (?:{kind}))?(?: {{2,3}}| (?:{joins}) )(?:(?:{titled}) )?"
    return Locating(
        joined=re.compile(joined),
        and_prefix=grammar["joins"][0] if grammar["verb_first"] else "",
        leads=frozenset(script.key(word) for word in grammar["leads"]),
        titled=just_before("titled"),
        before=just_before("before"),
        kind=just_after("kind"),
        after=just_after("after"),
        city=just_after("city"),
        speaks=just_after("speaks"),
    )


def _numbers(code: str, grammar: dict[str, Any]) -> tolls.Grammar:
    numbers: dict[str, tolls.Number] = {}
    lone: dict[str, int] = {}
    for row in rows("detectors.coding", f"numbers_{code}.csv"):
        low, best, high = (int(row[name] or 0) for name in ("low", "best", "high"))
        if row["kind"] == "lone":
            lone[script.key(row["word"])] = best
        else:
            numbers[script.key(row["word"])] = tolls.Number(low, best, high, row["kind"])

    def keys(name: str) -> frozenset[str]:
        return frozenset(script.key(word) for word in grammar[name])

    qualifiers = [word for word, number in numbers.items() if number.kind in tolls.QUALIFIERS]
    return tolls.Grammar(
        numbers=numbers,
        begins=beginnings(numbers, tolls.LONGEST),
        qualify=frozenset(phrase.rpartition(" ")[2] for phrase in (*keys("inside"), *qualifiers)),
        verb_first=grammar["verb_first"],
        inside=keys("inside"),
        inside_after=keys("inside_after"),
        after=frozenset(phrase.partition(" ")[0] for phrase in keys("inside_after")),
        between=keys("between"),
        joins=keys("joins"),
        toll=keys("toll"),
        lone=lone,
        lone_begins=beginnings(lone, LONGEST),
        plural=keys("plural"),
        neither=keys("neither"),
        names=names(code),
    )


@cache
def eastern(code: str) -> Eastern:
    """Return the reader of a language, its tables compiled at first use."""
    return Eastern(code)
