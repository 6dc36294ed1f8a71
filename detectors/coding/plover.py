"""What one English sentence says happened, in all sixteen types of PLOVER, by a lexicon.

Types, modes, contexts and auxiliary modes are those of PLOVER (Open Event Data Alliance, 2021).
There is no parser. A rule of `acts_en.csv` is a word, a phrase, or two or three of them in that
order with at most some words between ("~reject .. @TALKS"); `~verb` stands for a verb's inflected
forms and `@SET` for the members of a set. One pass of Aho and Corasick's matcher (1975,
Communications of the ACM 18) over whole tokens finds the parts. News puts who did what to whom
first, and the first act governs what it speaks of ("accused them of shelling" accuses), so the
leftmost rule decides, the longest of those that begin together. A class with a `?` is said in
ordinary news too, so its answer is not certain; one with `??`, and what stands in a clause that
tells the background ("after", "who"), decides only where no other rule does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import product
from typing import Final, NamedTuple

from ahocorasick_rs import BytesAhoCorasick, MatchKind
from msgspec import Struct

from detectors.coding.normalise import fold, key, normalise
from detectors.coding.parts import LONGEST, Places, Span, follow
from detectors.records import Auxiliary, EventType
from detectors.tables import rows

#: A cue changes the meaning of a rule that begins within so many characters after it.
REACHES: Final = {
    "negated": 16, "future": 22, "hypothetical": 30, "background": 40,
}  # fmt: skip
_AUXILIARY: Final[dict[str, Auxiliary]] = {
    "negated": "negated", "future": "future", "hypothetical": "hypothetical",
}  # fmt: skip
_NO_RULE: Final = frozenset({"verb", "set", "mask", "natural", "historical", *REACHES})
_VOWELS: Final = "aeiou"


class Typed(Struct, frozen=True):
    """What a sentence says happened; `event` is None where no rule decides."""

    event: EventType | None
    mode: str | None = None
    context: tuple[str, ...] = ()  # of the act itself; what is spoken of besides: `contexts.py`
    auxiliary: tuple[Auxiliary, ...] = ()
    certain: bool = False  # decided by a rule that is not ambiguous, outside the background
    rule: str = ""  # the row of `acts_en.csv` that decided
    span: tuple[int, int] = (0, 0)  # the characters of the sentence it was found in


class _Rule(NamedTuple):
    parts: tuple[str, ...]
    event: EventType
    mode: str | None
    context: tuple[str, ...]
    doubts: int  # 1: also said in ordinary news; 2: and gives way to any other rule
    others: frozenset[str]  # its parts but the first

    @property
    def text(self) -> str:
        return " .. ".join(self.parts)


class _Found(NamedTuple):
    """A rule in a sentence."""

    tier: int  # 0 or 1: what is told; 2 or 3: the background. 1 and 3 give way
    act: int  # where its verb begins, or its first word where it has none
    rule: _Rule
    trail: list[Span]

    @property
    def order(self) -> tuple[int, int, int, int, str]:
        """The least decides: the leftmost act, then the longest, then the most particular."""
        length = self.trail[-1][1] - self.trail[0][0]
        return self.tier, self.act, -length, -len(self.rule.text), self.rule.text


def inflected(lemma: str) -> set[str]:
    """Return the forms of a regular English verb.

    >>> sorted(inflected("deny"))
    ['denied', 'denies', 'deny', 'denying']
    """
    if lemma.endswith("e"):
        return {lemma, f"{lemma}s", f"{lemma}d", f"{lemma[:-1]}ing"}
    if lemma.endswith("y") and lemma[-2] not in _VOWELS:
        return {lemma, f"{lemma[:-1]}ies", f"{lemma[:-1]}ied", f"{lemma}ing"}
    third = f"{lemma}es" if lemma.endswith(("s", "x", "z", "ch", "sh")) else f"{lemma}s"
    return {lemma, third, f"{lemma}ed", f"{lemma}ing"}


class _Grammar:
    """How the notation of the table is written out: verbs in their forms, sets in their members."""

    def __init__(self, rows: list[dict[str, str]]) -> None:
        self._irregular = {r["term"]: r["mode"].split() for r in rows if r["class"] == "verb"}
        self._sets: dict[str, list[str]] = {}
        for row in rows:
            if row["class"] == "set":
                self._sets.setdefault(row["mode"], []).append(row["term"])

    def _word(self, word: str) -> set[str]:
        if word.startswith("@"):
            members = self._sets[word[1:]]
            return set().union(*(self.phrases(member) for member in members))
        if not word.startswith("~"):
            return {key(word)}
        lemma = word[1:]
        if lemma not in self._irregular:
            return inflected(lemma)
        third = {form for form in inflected(lemma) if form.endswith("s")}
        return {lemma, *third, *self._irregular[lemma]}

    def phrases(self, part: str) -> set[str]:
        """Return all that a part of a rule may be in normalised text."""
        return {" ".join(words) for words in product(*map(self._word, part.split()))}


def _rule(row: dict[str, str]) -> _Rule:
    event: EventType = row["class"].rstrip("?")  # type: ignore[assignment]
    context = tuple(part for part in row["context"].split(";") if part)
    parts = tuple(row["term"].split(" .. "))
    doubts = row["class"].count("?")
    return _Rule(parts, event, row["mode"] or None, context, doubts, frozenset(parts[1:]))


class Acts:
    """The compiled table."""

    def __init__(self, rows: list[dict[str, str]]) -> None:
        grammar = _Grammar(rows)
        symbols: dict[str, set[str]] = {}  # of a phrase: the parts of rules, and "class:…"
        self._rules: dict[str, list[_Rule]] = {}  # by their first part
        written: dict[str, set[str]] = {}

        def put(part: str, symbol: str) -> None:
            for phrase in written.setdefault(part, grammar.phrases(part)):
                symbols.setdefault(phrase, set()).add(symbol)

        for row in rows:
            name = row["class"]
            if name not in _NO_RULE:
                rule = _rule(row)
                self._rules.setdefault(rule.parts[0], []).append(rule)
                for part in rule.parts:
                    put(part, part)
            elif name not in ("verb", "set"):
                put(row["term"], f"{name}:")
        phrases = sorted(symbols)
        self._symbols = [tuple(sorted(symbols[phrase])) for phrase in phrases]
        self._matcher = BytesAhoCorasick(
            [f" {phrase} ".encode("ascii") for phrase in phrases], matchkind=MatchKind.Standard
        )

    def places(self, normalised: bytes) -> Places:
        """Return where each symbol stands, as spans of the normalised text without its padding."""
        hits = [
            (start + 1, end - 1, self._symbols[index])
            for index, start, end in self._matcher.find_matches_as_indexes(
                normalised, overlapping=True
            )
        ]
        masks = [(start, end) for start, end, symbols in hits if "mask:" in symbols]
        found: Places = {}
        for start, end, symbols in sorted(hits):
            if any(s <= start and end <= e and (s, e) != (start, end) for s, e in masks):
                continue
            for symbol in symbols:
                found.setdefault(symbol, []).append((start, end))
        return found

    def rules(self, places: Places) -> Iterator[tuple[_Rule, list[Span]]]:
        """Yield each rule that the sentence follows, with where its parts stand."""
        for symbol, spans in places.items():
            for rule in self._rules.get(symbol, ()):
                if places.keys() >= rule.others:
                    for first in spans:
                        trail = follow(rule.parts, first, places)
                        if trail:
                            yield rule, trail


@cache
def acts() -> Acts:
    """Return the compiled table, built at first use."""
    return Acts(rows("detectors.coding", "acts_en.csv"))


class _Cues:
    """The cue words of one sentence."""

    def __init__(self, places: Places, folded: str) -> None:
        self._spans = {name: places.get(f"{name}:", []) for name in REACHES}
        self._folded = folded

    def before(self, name: str, start: int) -> bool:
        """Return whether a cue stands before `start`, in reach, with no comma between."""
        reach = REACHES[name]
        return any(
            end <= start <= end + reach and "," not in self._folded[end - 1 : start - 1]
            for _, end in self._spans[name]
        )

    def weakens(self, name: str, found: _Found) -> bool:
        """Return whether a cue stands before a rule or before its verb."""
        return self.before(name, found.trail[0][0]) or self.before(name, found.act)


#: What is promised is an agreement, what is announced against someone a threat, in PLOVER's words.
_PROMISED: Final = ("AID", "COOPERATE", "CONCEDE", "RETREAT", "SUPPORT")
_ANNOUNCED: Final = ("SANCTION", "COERCE", "MOBILIZE", "PROTEST", "ASSAULT")
#: Most telling first; of other types the rule that decides says the mode.
_TELLING: Final = (
    "suicide-attack", "aerial", "abduct", "assassinate", "massacre", "cleansing", "unconventional",
    "torture", "sexual", "explosives", "heavy-weapons", "firearms", "beat", "seize",
    "riot", "hunger", "obstruct", "boycott", "demo",
)  # fmt: skip


def _act(rule: _Rule, trail: list[Span]) -> int:
    """Return where the verb of a rule begins: its subject may stand before another's verb."""
    verbs = (span[0] for part, span in zip(rule.parts, trail, strict=True) if part[0] == "~")
    return next(verbs, trail[0][0])


def _ranked(found: Iterable[tuple[_Rule, list[Span]]], cues: _Cues, natural: bool) -> list[_Found]:
    """Return the rules a sentence follows, the one that decides first.

    Accidents, weather, sport and shows borrow the words of violence: beside theirs (`natural`) the
    doubtful ones say nothing, and the single ones give way.
    """
    ranked = []
    for rule, trail in found:
        borrowed = natural and rule.event == "ASSAULT"
        if borrowed and rule.doubts > 1:
            continue
        gives_way = rule.doubts > 1 or (borrowed and len(rule.parts) == 1)
        act = _act(rule, trail)
        ranked.append(_Found(gives_way + 2 * cues.before("background", act), act, rule, trail))
    return sorted(ranked, key=lambda found: found.order)


def _mode(ranked: list[_Found]) -> str | None:
    """Return the mode of the deciding type: of rules as near the event, the most telling."""
    event, aside = ranked[0].rule.event, ranked[0].tier // 2
    same = [found.rule for found in ranked if found.tier // 2 == aside]
    told = [rule.mode for rule in same if rule.event == event]
    telling = next((mode for mode in _TELLING if mode in told), None)
    return telling or next((mode for mode in told if mode), None)


def type_of(sentence: str) -> Typed:
    """Return what one English sentence says happened.

    Args:
        sentence: One sentence as it was written; what comes after `LONGEST` is not read.

    Returns:
        The type with its mode, contexts and auxiliary modes, and the rule and span that decided.
        Formal sanctions are SANCTION, as `cameo.py` has them.
        `certain` is False where only an ambiguous rule or the background spoke of an event: such
        an answer is a guess for those who know that the sentence tells of an event at all.

    >>> type_of("The two governments agreed to resume border talks.").event
    'AGREE'
    """
    folded = fold(sentence[:LONGEST])
    table = acts()
    places = table.places(normalise(folded))
    found = list(table.rules(places))
    if not found:
        return Typed(None)
    cues = _Cues(places, folded)
    ranked = _ranked(found, cues, "natural:" in places)
    if not ranked:
        return Typed(None)
    best = ranked[0]
    auxiliary = {meaning for name, meaning in _AUXILIARY.items() if cues.weakens(name, best)}
    event, mode = best.rule.event, _mode(ranked)
    if "future" in auxiliary and event in _PROMISED + _ANNOUNCED:
        event, mode = ("AGREE" if event in _PROMISED else "THREATEN"), None
        auxiliary.discard("future")
    if "historical:" in places:
        auxiliary.add("historical")
    return Typed(
        event=event,
        mode=mode,
        context=best.rule.context,
        auxiliary=tuple(sorted(auxiliary)),
        certain=best.tier == 0 and not best.rule.doubts,
        rule=best.rule.text,
        span=(best.trail[0][0] - 1, best.trail[-1][1] - 1),
    )
