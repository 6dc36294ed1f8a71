"""Who says it: whom a report cites, and on which side they stand.

A speaker (`speakers.py`) is cited where a verb of speech stands beside it: nearest before it, in
Arabic first after it; after "according to"; or set off in a title ("Police: five killed"). What is
made of that, `statements.py` tells, and `accounts.py` of the numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Final, NamedTuple

from detectors.coding.speakers import (
    AND,
    AUTHORITIES,
    Cue,
    Cues,
    Setting,
    Speaker,
    cues,
    hits_of,
    speakers,
)
from detectors.coding.tongue import Sentence
from detectors.records import Voice

#: Classes of cues that cite the speaker beside them.
_SPEECH: Final = frozenset(
    ("say", "puts", "claim", "claimed", "take", "deny", "denied", "confirm", "official")
)
#: Classes that are sought only where somebody may be cited.
_CITES: Final = _SPEECH | {"by", "rival"}
#: Classes without which a sentence tells nothing of who says what.
_MATTERS: Final = _CITES | {"retract", "correction", "earlier", "earlier_after", "toll"}
_SHARED: Final = frozenset(("say", "puts"))  # by "and", with the subject of the verb before
_KILL: Final = frozenset(("kill",))
_HARMS: Final = frozenset(("kill", "injure", "act", "blast", "fight"))
_TO_SPEAKER: Final = 26  # characters, from "according to" or an Arabic verb to the speaker
_TO_VERB: Final = 48  # characters, from a speaker to the verb
_TO_TAKE: Final = 100  # characters, from a responsibility to the verb that takes it
_PAUSES: Final = re.compile("[.;:!?؛؟۔]")
_COMMAS: Final = re.compile("[,،]")
#: A name or an office set off by commas: "a spokesman, whoever he is, said".
_APPOSITION: Final = re.compile(r"[ ']{0,2}[,،] [^,،.;:]{2,45}[,،] (?:has |have |had |also )?$")
#: After an Arabic verb these lead to what is said, not to who says it.
_NOT_SUBJECT: Final = frozenset(("ان", "عن", "فی", "علی", "من", "مقتل", "اصابه"))
#: Before a noun these make it another thing than the subject, where the verb comes last.
_LEADS_OBJECT: Final = {
    "fa": frozenset(("و", "میان", "بین", "از", "با", "توسط", "بر", "به", "علیه", "در", "برای")),
    "ps": frozenset(("پر", "له", "په", "تر", "او", "ترمنځ")),
}
_GENITIVES: Final[tuple[list[str], ...]] = ([], ["کا"], ["کی"], ["کے"])
#: After a noun these make it the object, or whom something is told.
_OBJECT: Final = {"fa": " را ", "ur": " کو ", "ps": " ته "}
#: After a noun these make it the subject of a verb that may stand far off.
_SUBJECT: Final = {"fa": " از ", "ur": " نے "}
#: Verbs that end long sentences: whoever begins them takes or denies something.
_FINAL: Final = frozenset(("take", "deny", "denied"))
_PASSIVE: Final = frozenset(("was", "were", "been", "be", "being", "is", "are", "by"))


class Saying(NamedTuple):
    """Somebody is cited: from the first to the last character of speaker and verb."""

    start: int
    end: int
    voice: Voice
    party: bool
    verb: Cue | None
    speaker: Speaker
    quotes_before: bool = False  # what is said stands before it


class Heard(NamedTuple):
    """A sentence, the cues in it and who is cited."""

    sentence: Sentence
    cues: list[Cue]
    speakers: list[Speaker]
    sayings: list[Saying]
    authorities: Voice | None  # of the country where the event lies
    classes: frozenset[str]  # of all its cues

    @property
    def span(self) -> tuple[int, int]:
        """Return where the sentence begins and ends."""
        return self.sentence.start, self.sentence.end

    def first(self, name: str, start: int, end: int) -> Cue | None:
        """Return the first cue of a class that stands within a stretch."""
        return next(
            (c for c in self.cues if name in c.classes and start <= c.start and c.end <= end), None
        )

    def last(self, name: str, start: int, end: int) -> Cue | None:
        """Return the last cue of a class that stands within a stretch."""
        return next(
            (
                c
                for c in reversed(self.cues)
                if name in c.classes and start <= c.start <= c.end <= end
            ),
            None,
        )

    def gap(self, start: int, end: int) -> str:
        """Return a stretch of the text as the dictionaries read it, with its punctuation."""
        return self.sentence.text.folded[start:end]


def hear(sentences: Sequence[Sentence], code: str, country: str | None, today: date) -> list[Heard]:
    """Return the sentences of the lead that have cues of speech, with who is cited in them.

    Args:
        sentences: The title and the lead, in order.
        code: Their language.
        country: Where the event lies: whose "police" and "officials" speak.
        today: The local day of the report.
    """
    if not sentences:
        return []
    table, setting = cues(code), Setting(country, today, sentences, code)
    authorities = AUTHORITIES.get(country or "")
    first, last = sentences[0].start, sentences[-1].end
    every = table.find(sentences[0].text.plain, first, last)
    found: list[Heard] = []
    at = 0
    for sentence in sentences:
        mine: list[Cue] = []
        while at < len(every) and every[at].start < sentence.end:
            if every[at].start >= sentence.start:
                mine.append(every[at])
            at += 1
        classes = _classes_of(mine)
        if classes.isdisjoint(_MATTERS) and not (sentence.number == 0 and _sets_off(sentence)):
            continue
        heard = Heard(sentence, mine, [], [], authorities, classes)
        if not classes.isdisjoint(_CITES) or sentence.number == 0:
            heard.speakers.extend(speakers(sentence, mine, setting))
            heard.sayings.extend(_sayings(heard, table))
        found.append(heard)
    return found


def voices(heard: Iterable[Heard]) -> tuple[Voice, ...]:
    """Return the sides cited, sorted."""
    return tuple(sorted({saying.voice for each in heard for saying in each.sayings}))


def _classes_of(found: Sequence[Cue]) -> frozenset[str]:
    if len(found) < 2:
        return found[0].classes if found else frozenset()
    return found[0].classes.union(*[cue.classes for cue in found[1:]])


def _sets_off(sentence: Sentence) -> bool:
    """Return whether a title may set off who says it: "Police: five killed"."""
    title = sentence.text.folded[sentence.start : sentence.end]
    return ":" in title or " - " in title


def _sayings(heard: Heard, table: Cues) -> list[Saying]:
    """Return who is cited in a sentence, in order."""
    found: list[Saying] = []
    if not heard.speakers:
        return found
    for cue in heard.cues:
        if "by" in cue.classes:
            saying = _by(heard, cue)
        elif cue.classes & _SPEECH:
            saying = _with_verb(heard, cue, table, found)
        else:
            continue
        if saying is not None:
            found.append(saying)
            found += _joined(heard, saying)
    if heard.sentence.number == 0 and _sets_off(heard.sentence):
        found += _of_title(heard, found)
    if len(heard.speakers) > 1 and len(heard.speakers) > len(found):
        found += _gapped(heard, table, found)
    found.sort(key=_order)
    return found


def _order(saying: Saying) -> tuple[int, int]:
    return saying.start, saying.end


def _joined(heard: Heard, saying: Saying) -> Iterator[Saying]:
    """Read whom "and" joins to a speaker: "police and residents said"."""
    at = next((i for i, s in enumerate(heard.speakers) if s == saying.speaker), 0)
    other = heard.speakers[at - 1] if at else None
    if other is None or other.voice in (None, saying.voice):
        return
    between = heard.sentence.text.plain[other.end : saying.speaker.start].split()
    if other.voice and len(between) <= 2 and between[:1] and between[0] in AND:
        yield saying._replace(voice=other.voice, party=other.party, speaker=other)


def _by(heard: Heard, cue: Cue) -> Saying | None:
    """Read "according to the police"."""
    for speaker in heard.speakers:
        if cue.end <= speaker.start <= cue.end + _TO_SPEAKER and speaker.voice:
            if _PAUSES.search(heard.gap(cue.end, speaker.start)):
                return None
            before = heard.sentence.text.plain[heard.sentence.start : cue.start].strip()
            return Saying(
                cue.start, speaker.end, speaker.voice, speaker.party, cue, speaker, bool(before)
            )
    return None


def _with_verb(heard: Heard, cue: Cue, table: Cues, found: list[Saying]) -> Saying | None:
    """Read a speaker and a verb of speech."""
    if "official" in cue.classes:
        voice, office = heard.authorities, Speaker(cue.start, cue.end, heard.authorities, True)
        return Saying(cue.start, cue.end, voice, True, cue, office) if voice else None
    speaker = _subject(heard, cue, table)
    if speaker is None:
        return _again(heard, cue, found)
    if speaker.voice is None:
        return None
    start, end = min(cue.start, speaker.start), max(cue.end, speaker.end)
    rest = heard.gap(end, heard.sentence.end).lstrip(" \"'»”’)\n")
    closes = not rest or rest[0] in ".,;،؛۔"
    return Saying(start, end, speaker.voice, speaker.party, cue, speaker, closes)


def _again(heard: Heard, cue: Cue, found: list[Saying]) -> Saying | None:
    """Read a second verb of one subject: "they disputed it and spoke of five dead"."""
    words = heard.sentence.text.plain[max(heard.sentence.start, cue.start - 8) : cue.start].split()
    if not found or not words or words[-1] not in AND or not cue.classes & _SHARED:
        return None
    return found[0]._replace(start=cue.start, end=cue.end, verb=cue, quotes_before=False)


def _subject(heard: Heard, cue: Cue, table: Cues) -> Speaker | None:
    """Return the speaker of a verb: the nearest before it, in Arabic first the one after it."""
    after: Speaker | None = None
    for speaker in heard.speakers:
        if speaker.end + 1 == cue.start and speaker.voice:
            return speaker
        if speaker.start >= cue.end:  # "the Taliban's foreign ministry", of which both may speak
            same = (each for each in heard.speakers if each.start == speaker.start)
            after = max(same, key=lambda each: each.end)
            break
    if table.verb_first and after is not None and _is_next(heard, cue, after):
        return after
    before = _before(heard, cue, table)
    if before is not None:
        return before
    inverted = after is not None and after.start - cue.end <= 6 and table.code == "en"
    if after is not None and inverted:
        rest = heard.gap(after.end, heard.sentence.end).strip()
        led = heard.gap(heard.sentence.start, cue.start).rstrip()[-1:]
        if (not rest or rest[0] in ".,;") and led in tuple(",\"'”’"):
            return after
    return None


def _is_next(heard: Heard, cue: Cue, after: Speaker) -> bool:
    gap = heard.gap(cue.end, after.start)
    if after.start - cue.end > _TO_SPEAKER or _PAUSES.search(gap) or _COMMAS.search(gap):
        return False
    words = set(gap.split())
    return _NOT_SUBJECT.isdisjoint(words) and not any(word.isdigit() for word in words)


def _before(heard: Heard, cue: Cue, table: Cues) -> Speaker | None:
    """Return the nearest speaker that can be the subject of a verb after it."""
    far = table.verb_last and not cue.classes.isdisjoint(_FINAL)
    spoken = next((c for c in reversed(heard.cues) if _cites_before(c, cue)), None)
    for speaker in reversed(heard.speakers):
        if speaker.end > cue.start or speaker.voice is None:
            continue
        gap = heard.gap(speaker.end, cue.start)
        if _is_object(heard, speaker, gap, table.code):
            continue
        subject = gap.startswith(_SUBJECT.get(table.code, "\n"))
        if len(gap) > (_TO_TAKE if far or subject else _TO_VERB) or _PAUSES.search(gap):
            return None
        if _COMMAS.search(gap) and not _APPOSITION.match(gap):
            return None
        if table.code == "en" and not _PASSIVE.isdisjoint(gap.split()):
            return None
        if spoken is not None and speaker.end <= spoken.end and table.code != "fa":
            return None
        return None if not subject and _acts(heard, speaker.end, cue) else speaker
    return None


def _cites_before(other: Cue, cue: Cue) -> bool:
    return other.end <= cue.start and not other.classes.isdisjoint(_SPEECH)


def _is_object(heard: Heard, speaker: Speaker, gap: str, code: str) -> bool:
    """Return whether the words around a speaker make it another thing than the subject."""
    if gap.startswith(_OBJECT.get(code, "\n")):
        return True
    if code == "ur":  # a subject is marked by "ne", or is the genitive of a noun of speech
        return gap.split()[:1] != ["نے"] and gap.split() not in _GENITIVES
    led = heard.sentence.text.plain[max(0, speaker.start - 10) : speaker.start].split()[-1:]
    return bool(led) and led[0] in _LEADS_OBJECT.get(code, ())


def _acts(heard: Heard, start: int, cue: Cue) -> bool:
    """Return whether the speaker is one who does or suffers something, before the verb stands."""
    if not cue.classes & {"say", "puts"}:
        return False
    found = [h for h in hits_of(heard.sentence, _HARMS) if start <= h.start < cue.start]
    # "The army declared two dead": in these languages the dead stand before the verb.
    declared = len(found) == 1 and found[0].end + 1 == cue.start and found[0].start - start < 22
    return bool(found) and not (declared and hits_of(heard.sentence, _KILL))


def _gapped(heard: Heard, table: Cues, found: list[Saying]) -> list[Saying]:
    """Read a speaker whose verb is left out: "officials spoke of 4 killed, residents of 17".

    A number stands at once after such a speaker; the sentence says that accounts differ, or gives
    the verb to another speaker in the same way.
    """
    if "rival" not in heard.classes and not any(_gives_a_number(heard, s) for s in found):
        return []
    taken = [(s.start, s.end) for s in found]
    return [
        Saying(s.start, s.end, s.voice, s.party, None, s)
        for s in heard.speakers
        if s.voice
        and not any(a <= s.start < b for a, b in taken)
        and _leads_to_number(heard, s.end, table)
    ]


def _leads_to_number(heard: Heard, end: int, table: Cues) -> bool:
    words = heard.sentence.text.plain[end : end + 24].split()
    if table.code == "en":
        return words[:1] == ["of"]
    if any(word.isdigit() for word in words[:2]):
        return True
    return any(0 < hit.start - end < 16 for hit in hits_of(heard.sentence, _KILL))


def _gives_a_number(heard: Heard, saying: Saying) -> bool:
    """Return whether a number stands between a speaker and the verb, or belongs to the verb."""
    if saying.verb is None:
        return False
    if "puts" in saying.verb.classes:
        return True
    if saying.verb.start <= saying.speaker.end:
        return False
    between = heard.sentence.text.plain[saying.speaker.end : saying.verb.start].split()
    kills = hits_of(heard.sentence, _KILL)
    return any(word.isdigit() for word in between) or any(
        saying.speaker.end <= h.start < saying.verb.start for h in kills
    )


def _of_title(heard: Heard, found: list[Saying]) -> Iterator[Saying]:
    """Read the speaker that a title sets off: "Police: five killed", "Five killed: police"."""
    start = heard.sentence.start
    taken = [(s.speaker.start, s.speaker.end) for s in found]
    for speaker in heard.speakers:
        if speaker.voice is None or (speaker.start, speaker.end) in taken:
            continue
        after = heard.gap(speaker.end, speaker.end + 3).strip(" '\"»")[:1]
        before = heard.gap(max(start, speaker.start - 6), speaker.start).rstrip()
        if after == ":" and speaker.start - start <= _TO_SPEAKER:
            yield Saying(speaker.start, speaker.end, speaker.voice, speaker.party, None, speaker)
        rest = heard.gap(speaker.end, heard.sentence.end).strip(" .۔\n")
        if not rest and before.endswith((":", " -")) and speaker.start > start:
            yield Saying(
                speaker.start, speaker.end, speaker.voice, speaker.party, None, speaker, True
            )
