"""Whom an event concerns: which states and groups are party to it, also where it has no place here.

Talks in a third country, a group's praise of another, or sanctions on it lie in no province, and
still concern the monitored countries. A capital may be named for its city or for its government.

That a group shelters in a country, or that a state backs it, concerns this country's relations with
who says so and with the group's own country, whether these are named or not: "the TTP has safe
havens in Afghanistan" is between Afghanistan and Pakistan.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from detectors.coding.actors import named
from detectors.coding.parties import parties, stands_for_state
from detectors.coding.places import COUNTRIES, Mention, is_located
from detectors.coding.routing import BORDER_THEMES, CAPITALS, crossing, dyads_of, is_group
from detectors.coding.soil import soil_of
from detectors.records import Place
from detectors.world.actors import ACTORS

if TYPE_CHECKING:
    from detectors.coding.story import Story, Told

_SHELTERS: Final = frozenset(("sanctuary_alleged", "sanctuary_denied"))
_BACKS: Final = frozenset(("complicity_alleged", "complicity_denied"))
_ABOUT_GROUPS: Final = _SHELTERS | _BACKS


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
    about: tuple[str, ...] = ()
    if story.event != "ASSAULT" and not _ABOUT_GROUPS.isdisjoint(story.themes):
        soil = soil_of(telling) or (place.country if place else None)
        if not _SHELTERS.isdisjoint(story.themes):
            place = _moved(place, soil, telling)
        about = relations(story.themes, soil, states, homes(story.actors, today))
    return replace(story, place=place, countries=states, crossings=crossings, relations=about)


def relations(
    themes: Collection[str],
    soil: str | None,
    states: Collection[str],
    groups: Collection[str],
) -> tuple[str, ...]:
    """Return the relations of states that are concerned by what is said of an armed group.

    Args:
        themes: The themes of what is told, which is no violence: that is where it is, and not
            between the states.
        soil: The country that it is said of, ISO 3166-1 alpha-3.
        states: The states that are party to it, who says it among them.
        groups: The groups' own countries.

    >>> relations(["sanctuary_alleged"], "AFG", ["USA"], ["PAK"])
    ('AFG~PAK', 'AFG~USA')
    >>> relations(["complicity_alleged"], None, ["IND"], ["PAK"])
    ('IND~PAK',)
    """
    found: set[str] = set()
    if soil and not _SHELTERS.isdisjoint(themes):
        for other in {*states, *groups}:
            found.update(dyads_of((soil, other)))
    if not _BACKS.isdisjoint(themes) and not dyads_of(states):
        for accused in states:
            for own in groups:
                found.update(dyads_of((accused, own)))
    return tuple(sorted(found))


def homes(actors: Iterable[str], day: date) -> set[str]:
    """Return the countries of the armed groups among some organisations on a day."""
    found = set()
    for actor in actors:
        known = ACTORS.get(actor)
        role = known.role(day) if known else None
        if known and role and role.side == "insurgent":
            found.add(known.country)
    return found - {""}


def _moved(place: Place | None, soil: str | None, telling: list[Told]) -> Place | None:
    """Return the place of a shelter: on the soil named, and not where who tells of it sits."""
    if place is None or soil not in COUNTRIES:
        return place
    sits = place.admin1 in CAPITALS and not any(
        is_located(mention, each.sentence.text.plain, each.tongue.where)
        for mention, each in _naming(place.admin1, telling)
    )
    if sits or (place.admin1 is None and place.country != soil):
        return Place(COUNTRIES[soil], "country", soil)
    return place


def _naming(unit: str | None, telling: list[Told]) -> list[tuple[Mention, Told]]:
    """Return the mentions that may mean a unit, each with its sentence."""
    return [
        (mention, each)
        for each in telling
        for mention in each.places
        if any(c.unit == unit for c in mention.candidates)
    ]


def _is_government(place: Place, telling: list[Told]) -> bool:
    """Return whether a capital is only named for the government in it: "accuses Kabul"."""
    if place.admin1 not in CAPITALS:
        return False
    mine = _naming(place.admin1, telling)
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
