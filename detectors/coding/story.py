"""One report's event: the sentence that carries it, and what the lead adds to it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import cached_property
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from detectors.coding import contexts, themes
from detectors.coding.accounts import Tolls, tolls
from detectors.coding.casualties import Harm
from detectors.coding.concern import abroad, concerns, with_parties
from detectors.coding.dates import When, anchor
from detectors.coding.lexicon import Hit
from detectors.coding.parties import organisations
from detectors.coding.places import Mention, is_elsewhere, locate, mentions, within
from detectors.coding.speech import Heard, hear, voices
from detectors.coding.statements import Finding, statement_of
from detectors.coding.tongue import Sentence, Text, Tongue
from detectors.coding.types import CUES, Said
from detectors.coding.victims import Victim, resolve
from detectors.records import (
    Auxiliary,
    Casualties,
    Event,
    EventType,
    Interval,
    Place,
    Report,
    Statement,
    Victims,
    Voice,
)

_OPENING: Final = 2  # sentences: the title and the one after it
#: Sentences read: the title and the lead. What comes later is background.
LEAD: Final = 5


class Story(Struct, frozen=True):
    """What a report says happened."""

    event: EventType
    quote: str
    place: Place | None
    occurred: Interval | None = None
    dated_by: Literal["text", "publication"] = "text"
    vague: bool = False  # it names a time, but no day
    mode: str | None = None
    actors: tuple[str, ...] = ()
    killed: Casualties | None = None
    injured: Casualties | None = None
    civilians_killed: Casualties | None = None
    risen: bool = False  # the number of killed replaces an earlier, lower one
    auxiliary: tuple[Auxiliary, ...] = ()
    killed_also: tuple[int, ...] = ()
    statement: Statement | None = None
    voices: tuple[Voice, ...] = ()
    contexts: tuple[str, ...] = ()
    victims: tuple[Victims, ...] = ()  # who the killed were
    themes: tuple[str, ...] = ()  # what is watched for beyond PLOVER, sorted
    countries: tuple[str, ...] = ()  # states that are party to it, sorted
    crossings: tuple[str, ...] = ()  # borders that it is about, by the crossings it names
    relations: tuple[str, ...] = ()  # of states that it is about, whoever is named


class Told(Struct, dict=True):
    """A sentence, and what is understood of it."""

    sentence: Sentence
    said: Said
    places: list[Mention]
    elsewhere: bool
    tongue: Tongue

    @property
    def certain(self) -> bool:
        """Whether it says that violence happened, and not elsewhere."""
        return self.said.event == "ASSAULT" and not self.said.auxiliary and not self.elsewhere

    def when(self, today: date) -> When:
        """Return the days that it gives."""
        return self.tongue.when(self.sentence, today)

    @cached_property
    def harm(self) -> Harm:
        """The casualties that it states."""
        return self.tongue.harm(self.sentence)

    @cached_property
    def themed(self) -> themes.Named:
        """The themes that it names."""
        return _themes_of(self.sentence.text, self.sentence.start, self.sentence.end, self.tongue)


def sentences(text: Text, hits: list[Hit], places: list[Mention], tongue: Tongue) -> Iterator[Told]:
    """Yield the first sentences of a text, each with what is understood of it."""
    at = 0
    for number, (start, end) in enumerate(tongue.sentences(text.folded, LEAD)):
        first = at
        while at < len(hits) and hits[at].start < end:
            at += 1
        mine = hits[first:at]
        here = within(places, (start, end)) if places else []
        sentence = Sentence(start, end, mine, text, number)
        said, elsewhere = tongue.assess(sentence), is_elsewhere(here, text.plain, tongue.where)
        told = Told(sentence, said, here, elsewhere, tongue)
        if number < _OPENING:
            told.said = themes.supply(said, told.themed)
        yield told


def _themes_of(text: Text, start: int, end: int, tongue: Tongue) -> themes.Named:
    return themes.named(text.plain[start:end], tongue.code)


def _may_tell(text: Text, hits: list[Hit], tongue: Tongue) -> bool:
    """Return whether a text has a term that tells, or a theme in its title or the next sentence."""
    if tongue.may_tell(hits):
        return True
    opening = tongue.sentences(text.folded, _OPENING)
    return any(_themes_of(text, *span, tongue) != themes.NONE for span in opening)


def _title_misleads(told: list[Told]) -> bool:
    """Return whether the first sentence weakens what the title seems to say.

    "Lives after the blast" tells of a blast; only "A decade ago a bomb killed ..." tells when.
    """
    if len(told) < 2 or not told[0].certain:
        return False
    weakened = told[1].said.event == "ASSAULT" and bool(told[1].said.auxiliary)
    return weakened and told[0].harm.killed is None


def _main(told: list[Told], today: date) -> int | None:
    """Return the sentence that carries the event: a certain one, or else a weakened or mild one."""
    lead = range(len(told))
    if _title_misleads(told):
        return 1
    for i in lead:
        if told[i].certain and (not told[i].said.generic or told[i].when(today).occurred):
            return i
    for i in lead:
        said = told[i].said
        if said.event == "ASSAULT" and said.auxiliary and not told[i].elsewhere:
            return i
    # Of other acts those that were done go before those that were only spoken of.
    mild = [i for i in lead[:_OPENING] if told[i].said.event not in (None, "ASSAULT")]
    here = [i for i in mild if not told[i].elsewhere]
    return min(here, key=lambda i: (bool(told[i].said.auxiliary), i), default=None)


def _themes(told: list[Told], main: int, auxiliary: tuple[Auxiliary, ...]) -> tuple[str, ...]:
    """Return the themes of the title, the main sentence and the one after it.

    A weakened theme counts only where it is what makes the event one that did not happen.
    """
    near = [told[i] for i in sorted({0, main, min(main + 1, len(told) - 1)})]
    mine = [each for each in near if not each.elsewhere or each is told[main]]
    certain = {name for each in mine for name in each.themed.themes}
    if certain or not auxiliary:
        return tuple(sorted(certain))
    return tuple(sorted(name for name, _ in told[main].themed.weakened))


def _is_finer(place: Place, than: Place) -> bool:
    if than.admin1 is None:
        return place.country == than.country
    return than.precision == "admin1" and place.admin1 == than.admin1


def _place(told: list[Told], main: int, all_places: list[Mention]) -> Place | None:
    """Return the place of the main sentence, made finer or supplied by the sentences around it."""
    best: Place | None = None
    order = [main, *(i for i in range(len(told)) if i != main)]
    for i in order:
        if told[i].elsewhere or not told[i].places:
            continue
        plain, where = told[i].sentence.text.plain, told[i].tongue.where
        found = locate(told[i].places, all_places, plain, where)
        if found is None:
            continue
        if best is None or _is_finer(found.place, best):
            best = found.place
        # What is said to be in several units is not in the one that comes next.
        if best.precision in ("town", "district") or found.several:
            break
    return best


#: Classes of terms beside which people are counted.
_HURT: Final = frozenset(("kill", "injure", "act", "none_hurt"))


def _counts_people(sentence: Told) -> bool:
    return sentence.sentence.has(_HURT)


def _harm(story: list[Told]) -> Harm:
    """Return the first exact numbers told, or else the first vague ones."""
    killed: list[Casualties] = []
    injured: list[Casualties] = []
    civilians: Casualties | None = None
    risen = False
    for sentence in story:
        if not _counts_people(sentence):
            continue
        told = sentence.harm
        risen = risen or told.risen
        if told.killed:
            killed.append(told.killed)
        if told.injured:
            injured.append(told.injured)
        civilians = civilians or told.civilians_killed
        if _exact(killed) and _exact(injured) and killed[-1].best > 1:
            break
    dead = _first_exact(killed)
    if civilians and (dead is None or civilians.best > dead.best):
        civilians = None
    return Harm(dead, _first_exact(injured), civilians, risen and dead is not None)


#: A sentence with such a term tells of something else.
_ASIDE: Final = frozenset(("natural", "historical", "generic", "foiled", *CUES))


def _goes_on(main: Told, following: Told) -> bool:
    """Return whether the next sentence says what the main one did: "In the incident 9 died"."""
    return (
        following.sentence.number == main.sentence.number + 1
        and main.harm.killed is None
        and following.said.event is None
        and not following.elsewhere
        and not following.sentence.has(_ASIDE)
    )


def _victims(
    main: Told, rest: list[Told], killed: Casualties | None, country: str | None, today: date
) -> tuple[Victims, ...]:
    """Return who the killed were, by the main sentence and the title and sentence that open a text.

    A sentence that gives the same number tells of the same dead, so the first that says who they
    were is enough. Where these say nothing, the next sentence that tells of the violence does.
    """
    if killed is not None and not killed.high:
        return ()
    opening = [main, *(s for s in rest if s.sentence.number < _OPENING)]
    later = ([s] for s in rest if s.sentence.number >= _OPENING)
    for near in (opening, *later):
        found: list[Victim] = []
        for each in near:
            same = each.harm.killed == killed
            if (same and killed and found) or not (same or each is main or each.certain):
                continue
            found += each.harm.victims
        if told := resolve(found, country, today) if found else ():
            return told
    return ()


def _exact(told: list[Casualties]) -> bool:
    return bool(told) and told[-1].low == told[-1].high


def _first_exact(told: list[Casualties]) -> Casualties | None:
    exact = [c for c in told if c.low == c.high]
    # A title names one of several dead; the sentence after it counts them all.
    if len(exact) > 1 and exact[0].best == 1:
        return max(exact[:2], key=lambda c: c.best)
    return exact[0] if exact else next(iter(told), None)


def _when(story: list[Told], today: date) -> When:
    vague = False
    for sentence in story:
        found = sentence.when(today)
        if found.occurred or found.historical:
            return found
        vague = vague or found.vague
    return When(None, vague=vague)


def read(report: Report, text: Text, hits: list[Hit], tongue: Tongue) -> Story | None:
    """Return what a report says happened, or None.

    Args:
        report: The report, for its times.
        text: Its text.
        hits: The dictionary entries found in it, in order.
        tongue: Its language.
    """
    if not _may_tell(text, hits, tongue):
        return None
    places = mentions(hits, text.folded, text.plain, text.body, tongue.where)
    told = list(sentences(text, hits, places, tongue))
    if all(sentence.said.event is None for sentence in told):
        return None
    today = anchor(report, _country(places))
    main = _main(told, today)
    if main is None:
        main = abroad(told[:_OPENING], today)
    if main is None:
        return None
    said = told[main].said
    elsewhere = told[main].elsewhere and said.event != "ASSAULT"
    place = None if elsewhere else _place(told, main, places)
    if place is None and not elsewhere and not concerns(told, main, today):
        return None
    # The main sentence tells it first; the title and the rest of the lead add what it leaves out.
    rest = [s for i, s in enumerate(told) if i != main and (s.certain or i == main + 1)]
    again = any(s.harm.risen for s in told[:2]) if said.event == "ASSAULT" else False
    about = _about([told[0], told[main], *rest], tongue)
    story = _story(told[main], rest, place, today, again=again, about=about)
    story = replace(story, themes=_themes(told, main, story.auxiliary))
    story = with_parties(story, told, main, today)
    return _with_speech(story, told, tongue, today)


def _with_speech(story: Story, told: list[Told], tongue: Tongue, today: date) -> Story:
    """Return a story with who says it, what they say of it, and the numbers that they differ in."""
    said = spoken(told, story, tongue, today)
    killed, also = story.killed, story.killed_also
    if said.tolls is not None:
        killed, also = said.tolls.killed or killed, said.tolls.also
    statement = said.statement.statement if said.statement else None
    if (said.voices, statement, also) == ((), None, ()):
        return story
    return replace(story, killed=killed, killed_also=also, statement=statement, voices=said.voices)


class Spoken(Struct, frozen=True):
    """Who is cited in a report, and what comes of it."""

    heard: list[Heard]
    voices: tuple[Voice, ...]
    statement: Finding | None
    tolls: Tolls | None


def spoken(told: list[Told], story: Story | Event, tongue: Tongue, today: date) -> Spoken:
    """Return who is cited in the title and the lead, what they claim or deny, and their numbers."""
    country = story.place.country if story.place else None
    lead = [each.sentence for each in told if not each.elsewhere]
    heard = hear(lead, tongue.code, country, today)
    found = statement_of(heard, tongue.code)
    violent = story.event == "ASSAULT"
    counted = tolls(heard, story.killed, country, tongue, risen=story.risen) if violent else None
    if found is None and counted is not None and counted.accounts:
        first = counted.accounts[0]
        found = Finding("counter-claim", first.start, first.end, "sides give different numbers")
    elif counted is not None and counted.accounts and found and found.statement != "retraction":
        found = found._replace(statement="counter-claim", rule="sides give different numbers")
    return Spoken(heard, voices(heard), found, counted)


def _story(
    main: Told,
    rest: list[Told],
    place: Place | None,
    today: date,
    *,
    again: bool,
    about: tuple[str, ...],
) -> Story:
    said, event = main.said, main.said.event or "ASSAULT"
    violent = event == "ASSAULT"
    day = _when([main, *rest] if violent else [main], today)
    hurt = (
        _harm([main, *(s for s in rest if s.certain or _goes_on(main, s))]) if violent else Harm()
    )
    auxiliary = set(said.auxiliary)
    if day.historical:
        auxiliary.add("historical")
    if day.future:
        auxiliary.add("future")
    country = place.country if place else None
    told = [each.sentence for each in (main, *rest)]
    written = main.sentence.text.quoted(main.sentence.start, main.sentence.end)
    return Story(
        event=event,
        quote=" ".join(written.split()),
        place=place,
        occurred=day.occurred,
        vague=day.vague,
        mode=said.mode or next((s.said.mode for s in rest if s.certain and s.said.mode), None),
        actors=organisations(told, main.tongue.code, country, today),
        killed=hurt.killed,
        injured=hurt.injured,
        civilians_killed=hurt.civilians_killed,
        risen=hurt.killed is not None and (again or hurt.risen),
        auxiliary=tuple(sorted(auxiliary)),
        contexts=about,
        victims=_victims(main, rest, hurt.killed, country, today) if violent else (),
    )


def _about(told: list[Told], tongue: Tongue) -> tuple[str, ...]:
    """Return the contexts that some sentences name."""
    spans = dict.fromkeys((t.sentence.start, t.sentence.end) for t in told)
    plain = told[0].sentence.text.plain
    return contexts.named("  ".join(plain[start:end] for start, end in spans), tongue.code)


def _country(places: list[Mention]) -> str | None:
    return next((c.country for m in places for c in m.candidates), None)
