"""Which organisations a text names, by the registry's names on the day of the report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from functools import cache

from detectors.coding.lexicon import Hit
from detectors.world.actors import Alias, aliases
from detectors.world.actors.spelling import spelling


def holds(alias: Alias, country: str | None, day: date) -> bool:
    """Return whether a name means its organisation on a day, in a country."""
    if not alias.holds(day):
        return False
    # A structured source's name with no country means the same everywhere.
    everywhere = alias.scope == "own" or not alias.country
    return everywhere or alias.country == country


def meant(names: Iterable[Alias], country: str | None, day: date) -> Iterator[str]:
    """Yield what one phrase means: here, if it means anything here, else what it means anywhere.

    "Daesh" is the branch of these countries in a text about them, and the core elsewhere.
    """
    found = [alias for alias in names if holds(alias, country, day)]
    here = [alias for alias in found if alias.scope != "own"]
    yield from (alias.actor for alias in here or found)


def named(hits: Iterable[Hit], country: str | None, day: date) -> tuple[str, ...]:
    """Return the registry ids of the organisations that the hits name, sorted.

    A generic name ("police", "security forces") is coded by the country of the event and the day:
    it means one organisation in one country at one time. A name counts whoever calls it so: news
    quotes one party's name for another.
    """
    found: set[str] = set()
    for hit in hits:
        if hit.entry.aliases:
            found.update(meant(hit.entry.aliases, country, day))
    return tuple(sorted(found))


@cache
def _by_name() -> dict[str, tuple[Alias, ...]]:
    table: dict[str, tuple[Alias, ...]] = {}
    for alias in aliases():
        table[spelling(alias.text)] = (*table.get(spelling(alias.text), ()), alias)
    return table


def coded(names: Iterable[str], country: str | None, day: date) -> tuple[str, ...]:
    """Return the registry ids of a structured source's own actor names; unknown names drop out."""
    found = {id for name in names for id in meant(_by_name().get(spelling(name), ()), country, day)}
    return tuple(sorted(found))
