"""What a report says of an event that somebody else told: `records.Statement`.

claim: a party says that it did it. "No group has claimed it" is none.
counter-claim: two sides give rival accounts or tolls, or one answers the other's account.
confirmation: somebody in authority or a party confirms the event itself or an earlier report of it.
    "Officials confirmed that six died" is how news is written, and none.
denial: a party denies its role, an accusation, or that it happened. A denied role does not deny the
    event; only where nothing in the report says that it happened does it stay weakened (`negated`).
retraction: an outlet or a speaker takes back what it said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from detectors.coding.speakers import AUTHORITIES, Cue, Speaker, hits_of
from detectors.coding.speech import Heard, Saying, voices
from detectors.records import Statement

_DEEDS: Final = frozenset(("act", "act_weak", "blast", "fight"))
_KILLS: Final = frozenset(("kill", "injure"))
#: Classes of cues that may make a statement.
_CLAIMING: Final = frozenset(("claimed", "take", "claim", "did", "self"))
_TELLING: Final = _CLAIMING | {"deny", "denied", "confirm"}
_LOOKS_BACK: Final = frozenset(("historical",))
_HEADS: Final = 2  # sentences in which a confirmation is the news
_COMMAS: Final = (",", "،")
_OFFICIAL: Final = frozenset(AUTHORITIES.values())
_BREAKS: Final = (".", ";", "؛", "۔", "!", "?", "؟")


class Finding(NamedTuple):
    """A statement, and by which words and which rule it was found."""

    statement: Statement
    start: int
    end: int
    rule: str


class Order(NamedTuple):
    """Where a language puts the object of a verb, in characters before and after it."""

    before: int
    after: int


_OBJECT: Final = {
    "en": Order(62, 42),
    "fa": Order(95, 0),
    "ps": Order(75, 0),
    "ur": Order(75, 0),
    "ar": Order(0, 48),
}
#: After these a confirmed thing is a clause, which says how many died.
_THAT: Final = ("که", "چی")
_THESE: Final = frozenset(("that", "ان", "بان"))
_TO_DEED: Final = 28  # characters, from "confirmed" to the event
_DEED_BEFORE: Final = 60  # the same where the verb comes last
_DEED_BESIDE: Final = 6  # the same in Urdu, whose noun of confirming follows at once


def statement_of(heard: Sequence[Heard], code: str) -> Finding | None:
    """Return the statement that a report makes, if it makes one.

    Args:
        heard: Its title and lead, in order.
        code: Its language.
    """
    for each in heard:
        found = _retracted(each) if each.sentence.number < _HEADS else None
        if found is not None:
            return found
    rest: Finding | None = None
    cited = len(voices(heard)) > 1
    for each in heard:
        found = next(_found(each, code, cited=cited), None)
        if found is not None and found.statement == "counter-claim":
            return found
        rest = rest or found
    return rest


def _found(heard: Heard, code: str, *, cited: bool) -> Iterator[Finding]:
    classes = heard.classes
    rival = heard.first("rival", *heard.span) if "rival" in classes else None
    if rival is not None and (cited or heard.sentence.number == 0):
        yield Finding("counter-claim", rival.start, rival.end, "rival accounts are named")
    if not classes & _TELLING or "past" in classes or hits_of(heard.sentence, _LOOKS_BACK):
        return
    if classes & {"deny", "denied"}:
        yield from _denied(heard, code)
    if classes & _CLAIMING:
        yield from _claimed(heard, code)
    if "confirm" in classes and heard.sentence.number < _HEADS:
        yield from _confirmed(heard, code)


def _retracted(heard: Heard) -> Finding | None:
    sentence = heard.sentence
    for cue in heard.cues if heard.classes & {"retract", "correction"} else ():
        if "retract" in cue.classes and not _is_negated(heard, cue):
            return Finding("retraction", cue.start, cue.end, "taken back")
        if "correction" in cue.classes and cue.start - sentence.start <= 2:
            after = heard.gap(cue.end, cue.end + 3).strip()
            if after[:1] in (":", "-", "–", "—", ")", "]"):
                return Finding("retraction", cue.start, cue.end, "marked as a correction")
    return None


def _is_negated(heard: Heard, cue: Cue, reach: int = 44) -> bool:
    """Return whether a word such as "no group" or "not" stands before a cue, in its clause."""
    for no in heard.cues:
        if "no" not in no.classes or no.end > cue.start or cue.start - no.end > reach:
            continue
        gap = heard.gap(no.end, cue.start)
        # A parenthesis has two commas: "no group, as yet, has claimed it".
        parted = sum(gap.count(comma) for comma in _COMMAS) % 2
        broken = parted or any(mark in gap for mark in _BREAKS)
        if not broken and heard.first("contrast", no.end, cue.start) is None:
            return True
    return False


# Claims


def _claimed(heard: Heard, code: str) -> Iterator[Finding]:
    for cue in heard.cues:
        if "claimed" in cue.classes and not _is_negated(heard, cue) and _can_claim(heard, cue):
            yield Finding("claim", cue.start, cue.end, "responsibility is claimed")
        elif "take" in cue.classes:
            yield from _taken(heard, cue, code)
        elif "claim" in cue.classes and not _is_negated(heard, cue):
            yield from _claims_a_deed(heard, cue, code)
    yield from _did_it(heard, code)


def _can_claim(heard: Heard, cue: Cue) -> bool:
    """Return whether who stands beside a claim can have made it, or nobody does."""
    saying = next((s for s in heard.sayings if s.verb == cue), None)
    return saying is None or saying.party


def _taken(heard: Heard, cue: Cue, code: str) -> Iterator[Finding]:
    """Read a responsibility and the verb that takes it, in two words apart."""
    if code == "ar":
        held = heard.first("resp", cue.end, cue.end + 45)
    else:
        held = heard.last("resp", max(heard.sentence.start, cue.start - 110), cue.start)
    if held is None:
        return
    start, end = min(held.start, cue.start), max(held.end, cue.end)
    after = heard.sentence.text.plain[end : end + 14].split()[:2]
    within = heard.first("no", start, end) or _is_negated(heard, Cue(start, start, cue.classes), 30)
    if within or {"نهیں", "نه"} & set(after):
        return
    if not any(mark in heard.gap(start, end) for mark in _BREAKS):
        yield Finding("claim", start, end, "responsibility is taken")


def _claims_a_deed(heard: Heard, cue: Cue, code: str) -> Iterator[Finding]:
    """Read "claimed the attack": a deed, not that something was so."""
    saying = next((s for s in heard.sayings if s.verb == cue), None)
    if saying is None or not saying.party:
        return
    after = heard.gap(cue.end, heard.sentence.end)
    closes = not after.strip() or after.strip()[0] in ".,;،؛۔"
    if closes and code == "en":
        led = heard.sentence.text.plain[max(0, saying.start - 7) : saying.start].split()[-1:]
        if led in (["which"], ["that"]) and hits_of(heard.sentence, _DEEDS):
            yield Finding("claim", saying.start, cue.end, "a deed is claimed")
        return
    reach = 40 if code == "en" else 30
    for hit in hits_of(heard.sentence, _DEEDS | _KILLS):
        if cue.end <= hit.start <= cue.end + reach:
            between = heard.sentence.text.plain[cue.end : hit.start].split()
            deed = any(name in _DEEDS for name, _ in hit.entry.terms)
            clause = {"that", "ان", "بان", "its", "they"} & set(between)
            if deed and not clause and not any(word.isdigit() for word in between):
                yield Finding("claim", cue.start, hit.end, "a deed is claimed")
            return


def _did_it(heard: Heard, code: str) -> Iterator[Finding]:
    """Read "they said that they shot it down"."""
    for saying in heard.sayings:
        if not saying.party or (saying.verb and saying.verb.classes & {"deny", "denied"}):
            continue
        if code in ("ur", "ps"):
            found = _we(heard, saying)
        elif code == "fa":
            found = _we_in_persian(heard, saying)
        else:
            found = _they(heard, saying, code)
        if found is not None:
            yield Finding("claim", saying.start, found, "who speaks says that it did it")


def _they(heard: Heard, saying: Saying, code: str) -> int | None:
    itself = heard.first("self", saying.end, saying.end + 34)
    if itself is None or itself.start - saying.end > 8:
        return None
    done = heard.first("did", itself.end, itself.end + 34)
    if done is None or done.start - itself.end > (14 if code == "en" else 3):
        return None
    between = heard.sentence.text.plain[itself.end : done.start].split()
    if {"were", "was", "been", "be", "will", "would", "could", "not", "being"} & set(between):
        return None
    return done.end if hits_of(heard.sentence, _DEEDS | _KILLS) else None


def _we(heard: Heard, saying: Saying) -> int | None:
    """Urdu and Pashto: "we" stands anywhere after the speaker, the verb ends the sentence."""
    itself = heard.first("self", saying.speaker.end, heard.sentence.end)
    if itself is None or not hits_of(heard.sentence, _DEEDS | _KILLS):
        return None
    if heard.first("no", itself.end, heard.sentence.end):
        return None
    return itself.end


def _we_in_persian(heard: Heard, saying: Saying) -> int | None:
    """Persian tells "we" by the verb; "they have done it" means the speaker if nobody else is."""
    done = heard.first("did", saying.speaker.end, heard.sentence.end)
    deeds = hits_of(heard.sentence, _DEEDS | _KILLS)
    if done is None or not deeds:
        return None
    first_person = heard.sentence.text.plain[done.start : done.end].endswith("یم")
    others = [s for s in heard.speakers if saying.end <= s.start < done.start and s.party]
    if first_person:
        return done.end
    itself = heard.last("self", saying.end, done.start)
    if (
        (others and itself is None)
        or saying.voice != "militant"
        or heard.first("no", saying.end, done.end)
    ):
        return None
    return done.end


# Denials


def _denied(heard: Heard, code: str) -> Iterator[Finding]:
    for cue in heard.cues:
        if "denied" in cue.classes and not _denies_not(heard, cue, code):
            if code != "en" or heard.sayings:
                yield _answered(heard, cue, code) or Finding(
                    "denial", cue.start, cue.end, "a role, or the event, is denied"
                )
        elif "deny" in cue.classes and not _denies_not(heard, cue, code):
            yield from _denied_what(heard, cue, code)


def _denies_not(heard: Heard, cue: Cue, code: str) -> bool:
    """Return whether nothing is denied: "neither confirmed nor denied", "did not deny"."""
    after = heard.sentence.text.plain[cue.end : cue.end + 12].split()[:2]
    if code in ("ur", "ps", "fa") and {"نهیں", "نه", "نکرد", "یا"} & set(after):
        return True
    if "denied" in cue.classes and code in ("en", "fa"):
        return False  # these say "no" themselves
    return _is_negated(heard, cue, 24)


def _denied_what(heard: Heard, cue: Cue, code: str) -> Iterator[Finding]:
    order = _OBJECT[code]
    start, end = heard.sentence.start, heard.sentence.end
    after = heard.gap(cue.end, cue.end + order.after)
    reach = next((i for i, char in enumerate(after) if char in _BREAKS), order.after)
    stretches = [(cue.end, min(end, cue.end + reach))] if order.after else []
    if order.before:
        stretches.append((max(start, cue.start - order.before), cue.start))
    answer = _answered(heard, cue, code)
    if answer is not None:
        yield answer
        return
    for first, last in stretches:
        charge = heard.first("charge", first, last)
        if charge is not None:
            span = min(charge.start, cue.start), max(charge.end, cue.end)
            yield Finding("denial", *span, "a charge or a report is denied")
            return
    thing = heard.first("object", cue.end, cue.end + 14)
    if thing is not None and thing.start - cue.end <= 1 and "denied" not in cue.classes:
        word = heard.sentence.text.plain[cue.start : cue.end]
        if word.startswith("den") or heard.last("contrast", start, cue.start):
            yield Finding("denial", cue.start, thing.end, "it is denied")


def _answered(heard: Heard, cue: Cue, code: str) -> Finding | None:
    """Return a counter-claim where what is denied is another side's account."""
    order = _OBJECT[code]
    lowest = max(heard.sentence.start, cue.start - max(order.before, 40))
    highest = min(heard.sentence.end, cue.end + max(order.after, 0) + 12)
    account = heard.first("account", cue.end, highest) if order.after else None
    if account is None and order.before:
        account = heard.last("account", lowest, cue.start)
    if account is None:
        return None
    mine = next((s for s in heard.sayings if s.verb == cue), None)
    others: list[Speaker] = [
        s
        for s in heard.speakers
        if s.voice and mine and s.voice != mine.voice and s.party and not _is_far(s, account)
    ]
    officials = "official" in account.classes and mine and mine.voice not in _OFFICIAL
    if not others and not officials:
        return None
    start, end = min(account.start, cue.start), max(account.end, cue.end)
    return Finding("counter-claim", start, end, "another side's account is answered")


def _is_far(speaker: Speaker, account: Cue) -> bool:
    """Return whether a speaker does not stand beside an account, as whose it is."""
    return max(speaker.start - account.end, account.start - speaker.end) > 14


# Confirmations


def _confirmed(heard: Heard, code: str) -> Iterator[Finding]:
    for cue in heard.cues:
        if "confirm" not in cue.classes or _is_negated(heard, cue, 24):
            continue
        saying = next((s for s in heard.sayings if s.verb == cue), None)
        if code == "ur":
            saying = saying or _last_party(heard, cue)
        if saying is None or saying.voice == "independent":
            continue
        deed = _confirmed_deed(heard, cue, code, saying)
        if deed is not None:
            start, end = min(deed[0], cue.start), max(deed[1], cue.end)
            yield Finding("confirmation", start, end, "the event itself is confirmed")


def _last_party(heard: Heard, cue: Cue) -> Saying | None:
    found = [s for s in heard.speakers if s.end <= cue.start and s.voice and s.party]
    if not found:
        return None
    last = found[0]
    voice = last.voice
    return Saying(last.start, cue.end, voice, True, cue, last) if voice else None


def _confirmed_deed(heard: Heard, cue: Cue, code: str, saying: Saying) -> tuple[int, int] | None:
    """Return where the event stands that is confirmed, if it is one and no number of dead."""
    plain, found = heard.sentence.text.plain, hits_of(heard.sentence, _DEEDS | _KILLS)
    if _OBJECT[code].after:
        start = max(cue.end, saying.end)
        found = [h for h in found if start <= h.start <= start + _TO_DEED]
        nearest = found[0] if found else None
        report = heard.first("report", start, start + _TO_DEED)
        if report is not None and (nearest is None or report.start < nearest.start):
            return report.start, report.end
    else:
        if plain[cue.end : cue.end + 8].split()[:1][0:1] and plain[cue.end :].split()[0] in _THAT:
            return None
        reach = _DEED_BESIDE if code == "ur" else _DEED_BEFORE
        found = [h for h in found if cue.start - reach <= h.end <= cue.start]
        nearest = found[-1] if found else None
        start = nearest.end if nearest else 0
    if nearest is None or any(name in _KILLS for name, _ in nearest.entry.terms):
        return None
    if _OBJECT[code].after and not _THESE.isdisjoint(plain[start : nearest.start].split()):
        return None
    return nearest.start, nearest.end
