"""Who may be cited: the table of words of speech, and the sides of those a sentence names.

`speech.csv` holds the words for speakers, for speaking, and for what is claimed or denied;
organisations come from the registry as of the day. Police, ministries and officials speak for the
authorities of the country named beside them (`nations.py`), or of the event's; a country and its
capital may speak by their own names. A spokesman or a commander speaks for the organisation beside
him, an envoy also for the nation. Residents, doctors, elders and journalists are independent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from functools import cache, lru_cache
from typing import Final, NamedTuple

from ahocorasick_rs import AhoCorasick, MatchKind

from detectors.coding import normalise, script
from detectors.coding.actors import holds
from detectors.coding.lexicon import ARMED, Hit
from detectors.coding.nations import Nation, beside, governments
from detectors.coding.tongue import Sentence
from detectors.records import Voice
from detectors.tables import rows
from detectors.world.actors import ACTORS, Alias

#: Whose officials speak for which country.
AUTHORITIES: Final[dict[str, Voice]] = {"AFG": "afg-authorities", "PAK": "pak-authorities"}
#: Classes of speakers that are no organisation.
SPEAKERS: Final = frozenset(
    ("office", "local", "foreign", "un", "role", "envoy", "group", "former", "latter")
)
#: The side of speakers that have one wherever they speak.
_FIXED: Final[dict[str, Voice]] = {
    "local": "independent", "un": "un", "foreign": "foreign-authorities",
}  # fmt: skip
#: Classes of offices that only one country has, beside "office".
_OWN: Final = {"pak": "PAK"}
_AT_ONCE: Final = 4  # characters: beside, but for a particle
_OF_ROLE: Final = 9  # characters, from "spokesman" to whose he is: "for the"
_PREFIXES: Final = ("و", "ف")  # "and", written as one with an Arabic verb
_NOUN_PREFIXES: Final = ("و", "ل", "ب", "ول")
_PARTS: Final = re.compile("[.;:!?؛؟۔,،]")
AND: Final = frozenset(("and", "و", "او", "اور"))
_NONE: Final[frozenset[str]] = frozenset()


class Cue(NamedTuple):
    """A word or phrase of the table."""

    start: int
    end: int
    classes: frozenset[str]


class Speaker(NamedTuple):
    """Who may be cited."""

    start: int
    end: int
    voice: Voice | None
    party: bool  # bears arms, or gives orders to who does


class Setting(NamedTuple):
    """What the side of a speaker depends on."""

    country: str | None  # where the event lies
    today: date
    lead: Sequence[Sentence]
    code: str  # the language


class Cues:
    """The table of one language, compiled."""

    def __init__(self, code: str) -> None:
        """Compile the table.

        Args:
            code: The language.
        """
        self.code = code
        self.verb_first = code == "ar"
        self.verb_last = code in ("fa", "ps", "ur")
        found: dict[str, set[str]] = {}
        key = normalise.key if code == "en" else script.key
        for row in rows("detectors.coding", "speech.csv"):
            if row["language"] == code:
                for phrase in _written(key(row["phrase"]), row["class"], code):
                    found.setdefault(phrase, set()).add(row["class"])
        phrases = sorted(found)
        self._classes = [frozenset(found[phrase]) for phrase in phrases]
        self._matcher = AhoCorasick(
            [f"{phrase} " for phrase in phrases], matchkind=MatchKind.LeftmostLongest
        )

    def find(self, plain: str, start: int, end: int) -> list[Cue]:
        """Return the cues in a stretch of plain text, in order."""
        text = plain[start:end] + " "
        classes = self._classes
        return [
            Cue(start + first, start + last - 1, classes[index])
            for index, first, last in self._matcher.find_matches_as_indexes(text)
            if not first or text[first - 1] == " "
        ]


def _written(phrase: str, name: str, code: str) -> Iterator[str]:
    """Yield a phrase with the particles that Arabic writes as one with it."""
    yield phrase
    if code == "ar":
        for prefix in _NOUN_PREFIXES if name in SPEAKERS else _PREFIXES:
            yield prefix + phrase
        if name in SPEAKERS and phrase.startswith("ال"):
            yield f"لل{phrase[2:]}"


@cache
def cues(code: str) -> Cues:
    """Return a language's table, compiled at first use."""
    return Cues(code)


@lru_cache(4096)
def voice_of(actor: str, on: date) -> tuple[Voice | None, bool]:
    """Return the side of an organisation on a day, and whether it bears arms or may.

    >>> voice_of("taliban", date(2020, 6, 1)), voice_of("taliban", date(2022, 6, 1))
    (('militant', True), ('afg-authorities', True))
    """
    known = ACTORS[actor]
    role = known.role(on)
    if role is None:
        return None, False
    party = role.kind in ARMED or role.kind == "civil-authority"
    if role.kind == "international":
        return ("un" if "un" in (actor, role.within) else "independent"), False
    if role.kind in ("political", "civilian"):
        return "independent", False
    if role.kind == "armed-group" and role.side != "state-aligned":
        return "militant", True
    return AUTHORITIES.get(known.country, "foreign-authorities"), party


def speakers(sentence: Sentence, found: Sequence[Cue], setting: Setting) -> list[Speaker]:
    """Return who may be cited in a sentence, in order.

    Args:
        sentence: The sentence, with the organisations found in it.
        found: The cues in it.
        setting: What their sides depend on.
    """
    named: list[tuple[int, int, Speaker, frozenset[str]]] = []
    for hit in sentence.hits:
        each = _organisation(hit, sentence, setting) if hit.entry.aliases else None
        if each is not None:
            named.append((hit.start, -hit.end, each, _NONE))
    for cue in found:
        if cue.classes & SPEAKERS:
            each = Speaker(cue.start, cue.end, None, False)
            named.append((cue.start, -cue.end, each, cue.classes))
    for state in governments(sentence, found, setting.code):
        voice = AUTHORITIES.get(state.country, "foreign-authorities")
        each = Speaker(state.start, state.end, voice, True)
        named.append((state.start, -state.end, each, _NONE))
    named.sort(key=_order)
    kept: list[tuple[Speaker, frozenset[str]]] = []
    for start, _, each, classes in named:
        if not kept or start >= kept[-1][0].end:
            kept.append((each, classes))
        elif each.end > kept[-1][0].end and not kept[-1][1]:  # "Taliban police" and "police chief"
            last = kept[-1][0]
            kept[-1] = Speaker(last.start, each.end, last.voice, last.party), _NONE
    sided: list[Speaker] = []
    for at, (each, classes) in enumerate(kept):
        sided.append(_sided(at, kept, sided, (sentence, setting)) if classes else each)
    return sided


def _order(each: tuple[int, int, Speaker, frozenset[str]]) -> tuple[int, int]:
    return each[:2]


def _organisation(hit: Hit, sentence: Sentence, setting: Setting) -> Speaker | None:
    nation = _nation(hit, sentence, setting.code)
    if nation is not None:
        setting = setting._replace(country=nation.country)
    actor = _meant(hit.entry.aliases, setting)
    if actor is None:
        return None
    voice, party = voice_of(actor, setting.today)
    start, end = _spanned(hit.start, hit.end, nation)
    return Speaker(start, end, voice, party)


def _nation(hit: Hit, sentence: Sentence, code: str) -> Nation | None:
    """Return the nation whose a generic name is: "Pakistan's army", wherever it speaks of."""
    if any(alias.scope == "generic" for alias in hit.entry.aliases):
        return beside(sentence, hit.start, hit.end, code)
    return None


def _spanned(start: int, end: int, nation: Nation | None) -> tuple[int, int]:
    return (min(start, nation.start), max(end, nation.end)) if nation else (start, end)


def _meant(aliases: Sequence[Alias], setting: Setting) -> str | None:
    """Return the organisation that a name means here, as `actors.named` would."""
    own: str | None = None
    for alias in aliases:
        if holds(alias, setting.country, setting.today):
            if alias.scope != "own":
                return alias.actor
            own = own or alias.actor
    return own


def _sided(
    at: int,
    kept: Sequence[tuple[Speaker, frozenset[str]]],
    before: Sequence[Speaker],
    here: tuple[Sentence, Setting],
) -> Speaker:
    """Return a speaker that is no organisation with the side that the words around it give."""
    each, classes = kept[at]
    for name, voice in _FIXED.items():
        if name in classes:
            return Speaker(each.start, each.end, voice, name == "foreign")
    if "former" in classes or "latter" in classes:
        whose = _named_before(before, 0 if "former" in classes else 1)
    elif "group" in classes:
        whose = _last_party(before, *here)
    else:
        body = _beside(at, kept, before, here)
        if body is not None and body.voice != "independent":
            start, end = min(each.start, body.start), max(each.end, body.end)
            return Speaker(start, end, body.voice, True)
        if "office" in classes:
            return _office(each, classes, *here)
        return _envoy(each, *here) if "envoy" in classes else each
    return Speaker(each.start, each.end, whose.voice, whose.party) if whose else each


def _named_before(before: Sequence[Speaker], place: int) -> Speaker | None:
    """Return whom "the former" or "the latter" means."""
    sides = [speaker for speaker in before if speaker.voice]
    return sides[place] if len(sides) > place else None


def _last_party(before: Sequence[Speaker], sentence: Sentence, setting: Setting) -> Speaker | None:
    """Return whom "the group" means: the organisation that was named last and bears arms."""
    for speaker in reversed(before):
        if speaker.party and speaker.voice:
            return speaker
    for earlier in reversed([s for s in setting.lead if s.end <= sentence.start]):
        for hit in reversed(earlier.hits):
            named = _organisation(hit, earlier, setting) if hit.entry.aliases else None
            if named is not None and named.party:
                return named
    return None


def _beside(
    at: int,
    kept: Sequence[tuple[Speaker, frozenset[str]]],
    before: Sequence[Speaker],
    here: tuple[Sentence, Setting],
) -> Speaker | None:
    """Return the organisation that a spokesman or an official belongs to: "Taliban officials"."""
    each, classes = kept[at]
    folded = here[0].text.folded
    last = before[-1] if before and before[-1].voice else None
    if last and each.start - last.end <= _AT_ONCE and _touches(folded, last.end, each.start):
        return last
    if at + 1 == len(kept):
        return None
    after, theirs = kept[at + 1]
    if "office" in theirs:
        after = _office(after, theirs, *here)
    reach = _OF_ROLE if "role" in classes else _AT_ONCE
    if after.start - each.end > reach or not _touches(folded, each.end, after.start):
        return None
    return after if not theirs or ("office" in theirs and "role" in classes) else None


def _touches(folded: str, start: int, end: int) -> bool:
    """Return whether no punctuation and no "and" parts two speakers."""
    gap = folded[start:end]
    return not _PARTS.search(gap) and gap.strip() not in AND


def _office(
    each: Speaker, classes: frozenset[str], sentence: Sentence, setting: Setting
) -> Speaker:
    """Return officials with their side: of the country named beside them, or of the event's.

    What only one of the countries has speaks for it: in Pakistan it is a Foreign Office.
    """
    nation = beside(sentence, each.start, each.end, setting.code)
    start, end = _spanned(each.start, each.end, nation)
    if nation is not None:
        voice = AUTHORITIES.get(nation.country, "foreign-authorities")
        return Speaker(start, end, voice, True)
    own = next((country for name, country in _OWN.items() if name in classes), setting.country)
    return Speaker(start, end, AUTHORITIES.get(own or ""), True)


def _envoy(each: Speaker, sentence: Sentence, setting: Setting) -> Speaker:
    """Return an envoy or a spokesman with the side of the nation beside him, if one is."""
    nation = beside(sentence, each.start, each.end, setting.code, placed=False)
    if nation is None:
        return each
    start, end = _spanned(each.start, each.end, nation)
    return Speaker(start, end, AUTHORITIES.get(nation.country, "foreign-authorities"), True)


def hits_of(sentence: Sentence, names: frozenset[str]) -> list[Hit]:
    """Return the hits of a sentence that have a term of one of some classes."""
    return [hit for hit in sentence.hits if not names.isdisjoint(hit.entry.classes)]
