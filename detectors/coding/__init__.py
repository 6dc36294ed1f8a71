"""Reports to events: what one report says happened, where, when, to whom.

A report whose head names nothing of the monitored countries is left at once. Otherwise one pass of
an automaton finds every dictionary entry in it, and the first sentence that says an event
happened carries it, and the lead supplies what that sentence leaves out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from detectors.coding.byline import wire
from detectors.coding.concern import homes, relations
from detectors.coding.credible import credible
from detectors.coding.dates import published_on
from detectors.coding.lexicon import Lexicon, lexicon
from detectors.coding.markup import quotable
from detectors.coding.opening import opened
from detectors.coding.parties import states_of
from detectors.coding.routing import dyads_of, is_group, units_of
from detectors.coding.sketch import sketch
from detectors.coding.story import Story, read
from detectors.coding.structured import actors_of, place_of
from detectors.records import UNPLACED, Event, IncidentRecord, Report, Voice
from detectors.world.families import FAMILIES, witness

__all__ = ["Coded", "code"]

#: A quotation for the evidence, never the text.
QUOTE: Final = 200

Outcome = Literal["coded", "no_event", "other_language", "unplaced"]


class Coded(Struct, frozen=True):
    """What a report was coded to: one copy of its event for each unit it counts for."""

    events: tuple[Event, ...]
    outcome: Outcome


_NOTHING: Final = Coded((), "no_event")
_OTHER: Final = Coded((), "other_language")


def code(reports: Sequence[Report]) -> list[Coded]:
    """Return what each report says happened, in the order of the reports.

    A structured record is mapped as it stands. Prose is read in English, Pashto, Dari and Persian,
    Urdu and Arabic; text in another language gives `other_language`. An event is given once for
    each unit that it counts for (`routing.py`): its admin1 unit and country, a border, relations of
    two states, armed groups. A violent event of these countries that counts for none gives one copy
    for `UNPLACED`.
    """
    words = lexicon()
    return [_record(report) if report.record else _prose(report, words) for report in reports]


def _prose(report: Report, words: Lexicon) -> Coded:
    found = opened(report, words)
    if found is None:
        return _OTHER
    tongue, text, hits = found
    story = read(report, text, hits, tongue) if hits else None
    if story is None:
        return _NOTHING
    return _copies(_dated(story, report), report, tongue.code, sketch(text.plain))


def _dated(story: Story, report: Report) -> Story:
    """Return what happened with its days: news that names none is of these days."""
    if story.occurred or story.vague or story.auxiliary:
        return story
    out = published_on(report, story.place.country if story.place else None)
    return replace(story, occurred=out, dated_by="publication") if out else story


def _record(report: Report) -> Coded:
    record = report.record
    if record is None:
        return _NOTHING
    place = place_of(record)
    actors = actors_of(record)
    countries = tuple(sorted(states_of(actors, record.occurred.end)))
    about: tuple[str, ...] = ()
    if record.event != "ASSAULT" and record.themes:
        day = record.occurred.end
        about = relations(record.themes, record.country, countries, homes(actors, day))
    # What lies in another country counts only between states.
    if place is None and not (dyads_of(countries) or about or _acts_somewhere(record, actors)):
        return _NOTHING
    story = Story(
        event=record.event,
        quote=report.title,
        place=place,
        occurred=record.occurred,
        mode=record.mode,
        actors=actors,
        countries=countries,
        killed=record.killed,
        injured=record.injured,
        civilians_killed=record.civilians_killed,
        contexts=record.contexts,
        themes=record.themes,
        relations=about,
    )
    return _copies(story, report, None, "")


def _acts_somewhere(record: IncidentRecord, actors: tuple[str, ...]) -> bool:
    """Return whether a record is of a watched group, with no country."""
    return record.country is None and any(map(is_group, actors))


def _units(story: Story) -> tuple[str, ...]:
    return units_of(
        story.event,
        story.place,
        story.countries,
        story.actors,
        story.crossings,
        story.relations,
    )


def _voices(story: Story, publisher: str, report: Report) -> tuple[Voice, ...]:
    """Return the sides cited, and that of the outlet itself where it stands on one."""
    family = FAMILIES.get(publisher)
    own = family.voice(report.seen_at.date()) if family else "independent"
    return story.voices if own == "independent" else tuple(sorted({*story.voices, own}))


def _copies(story: Story, report: Report, language: str | None, text: str) -> Coded:
    place = story.place
    publisher = witness(report.publisher, report.url, report.source)
    credited = None if report.record else wire(report.title, report.text, publisher)
    unit, *others = _units(story)
    event = Event(
        id=f"{report.id}/0",
        unit=unit,
        report=report.id,
        source=report.source,
        publisher=publisher,
        seen_at=report.seen_at,
        event=story.event,
        occurred=story.occurred,
        place=place,
        mode=story.mode,
        actors=story.actors,
        killed=story.killed,
        injured=story.injured,
        civilians_killed=story.civilians_killed,
        risen=story.risen,
        killed_also=story.killed_also,
        statement=story.statement,
        voices=_voices(story, publisher, report),
        wire=credited,
        auxiliary=story.auxiliary,
        language=language,
        quote=quotable(story.quote, QUOTE),
        dated_by=story.dated_by,
        contexts=story.contexts,
        themes=story.themes,
        countries=story.countries,
        victims=story.victims,
        sketch=text,
    )
    event = credible(event)
    copies = (event, *(replace(event, unit=other) for other in others))
    return Coded(copies, "unplaced" if unit == UNPLACED else "coded")
