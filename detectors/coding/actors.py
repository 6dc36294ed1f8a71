"""Which organisations a text names, by the registry's names on the day of the report."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import cache

from detectors.coding.lexicon import Alias, Hit, aliases
from detectors.coding.normalise import key


def _holds(alias: Alias, country: str | None, day: date) -> bool:
    if alias.first is not None and day < alias.first:
        return False
    if alias.last is not None and day > alias.last:
        return False
    return alias.scope == "own" or alias.country == country


def named(hits: Iterable[Hit], country: str | None, day: date) -> tuple[str, ...]:
    """Return the registry ids of the organisations that the hits name, sorted.

    A generic name ("police", "security forces") is coded by the country of the event and the day:
    it means one organisation in one country at one time.
    """
    found = {
        alias.actor for hit in hits for alias in hit.entry.aliases if _holds(alias, country, day)
    }
    return tuple(sorted(found))


@cache
def _by_name() -> dict[str, tuple[Alias, ...]]:
    table: dict[str, tuple[Alias, ...]] = {}
    for alias in aliases():
        table[key(alias.text)] = (*table.get(key(alias.text), ()), alias)
    return table


def coded(names: Iterable[str], country: str | None, day: date) -> tuple[str, ...]:
    """Return the registry ids of a structured source's own actor names; unknown names drop out."""
    found = {
        alias.actor
        for name in names
        for alias in _by_name().get(key(name), ())
        if _holds(alias, country, day)
    }
    return tuple(sorted(found))
