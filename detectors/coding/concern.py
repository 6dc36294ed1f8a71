"""Whom an event concerns: which states and groups are party to it, also where it has no place here.

Talks in a third country, a group's praise of another, or sanctions on it lie in no province, and
still concern the monitored countries. A capital may be named for its city or for its government.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

from msgspec.structs import replace

from detectors.coding.actors import named
from detectors.coding.parties import parties, stands_for_state
from detectors.coding.places import COUNTRIES
from detectors.coding.routing import BORDER_THEMES, CAPITALS, crossing, dyads_of, is_group
from detectors.records import Place

if TYPE_CHECKING:
    from detectors.coding.story import Story, Told


def abroad(told: Iterable[Told], today: date) -> int | None:
    """Return which of the opening sentences tells of states or groups from here elsewhere.

    Talks are held in a third country, and an agreement is signed there. None where none does.
    """
    for i, each in enumerate(told):
        if each.elsewhere and each.said.event not in (None, "ASSAULT"):
            states = parties([each.sentence], each.tongue, None, today, violent=False)
            if dyads_of(states) or _groups(each, today) or _is_done_to_us(each):
                return i
    return None


def _is_done_to_us(told: Told) -> bool:
    """Return whether a theme tells what another state does to whom or what is from here."""
    names = any(h.entry.places or h.entry.about & COUNTRIES.keys() for h in told.sentence.hits)
    return names and bool(told.themed.themes)


def _groups(told: Told, today: date) -> list[str]:
    """Return the groups of the monitored countries that a sentence names."""
    ours = [hit for hit in told.sentence.hits if hit.entry.about & COUNTRIES.keys()]
    return [actor for actor in named(ours, None, today) if is_group(actor)]


def concerns(told: list[Told], main: int, today: date) -> bool:
    """Return whether what has no place is kept: violence, a theme, a group's act, from here."""
    if told[main].said.event != "ASSAULT" and _is_done_to_us(told[main]):
        return True
    if not _is_regional(told, main):
        return False
    return told[main].said.event == "ASSAULT" or bool(_groups(told[main], today))


def with_parties(story: Story, told: list[Told], main: int, today: date) -> Story:
    """Return a story with the states that are party to it, and the crossings it is about.

    The title and the sentence that tells it say so; what comes later is background.
    """
    telling = [told[i] for i in sorted({0, main})]
    country = story.place.country if story.place else None
    states = parties(
        [each.sentence for each in telling],
        told[main].tongue,
        country,
        today,
        violent=story.event == "ASSAULT",
    )
    crossings: tuple[str, ...] = ()
    if not BORDER_THEMES.isdisjoint(story.themes):
        places = (c for each in telling for mention in each.places for c in mention.candidates)
        crossings = tuple(sorted({at for c in places if (at := crossing(c.name, c.unit))}))
    place = story.place
    if place and story.event != "ASSAULT" and dyads_of(states) and _is_government(place, telling):
        place = Place(COUNTRIES[place.country], "country", place.country)
    return replace(story, place=place, countries=states, crossings=crossings)


def _is_government(place: Place, telling: list[Told]) -> bool:
    """Return whether a capital is only named for the government in it: "accuses Kabul"."""
    if place.admin1 not in CAPITALS:
        return False
    mine = [
        (mention, each)
        for each in telling
        for mention in each.places
        if any(c.unit == place.admin1 for c in mention.candidates)
    ]
    return bool(mine) and all(stands_for_state(m, e.sentence, e.tongue) for m, e in mine)


def _is_regional(told: list[Told], main: int) -> bool:
    """Return whether the violence is by or against an organisation of the monitored countries."""
    if any(sentence.elsewhere for sentence in told[: main + 1]):
        return False
    foreign = any(not m.candidates for s in told for m in s.places)
    return not foreign and any(
        a.scope == "own" and a.country
        for hit in told[main].sentence.hits
        for a in hit.entry.aliases
    )
