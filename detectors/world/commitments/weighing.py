"""How much one event bears on a clause.

The rows of `evidence.csv` are weights of evidence (Good 1950, Probability and the Weighing of
Evidence): the logarithm of how much likelier such a report is where the clause is broken than where
it is kept. The first row that fits decides, so that one report is counted once.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import cache
from typing import NamedTuple, Protocol, get_args

from msgspec import Struct

from detectors.records import EventType
from detectors.world.actors import ACTORS, overlap
from detectors.world.commitments.reading import clauses, parties
from detectors.world.commitments.values import NO_MODE, Clause, Evidence


class Told(Protocol):
    """What is asked of an event; `detectors.records.Event` has all of it."""

    @property
    def event(self) -> EventType: ...  # noqa: D102
    @property
    def mode(self) -> str | None: ...  # noqa: D102
    @property
    def themes(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def actors(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def countries(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def contexts(self) -> tuple[str, ...]: ...  # noqa: D102


class Happening(Struct, frozen=True):
    """A `Told` of one's own, for what is no event of a report."""

    event: EventType
    mode: str | None = None
    themes: tuple[str, ...] = ()
    actors: tuple[str, ...] = ()  # ids of the actor registry
    countries: tuple[str, ...] = ()  # ISO 3166-1 alpha-3
    contexts: tuple[str, ...] = ()


class _Rule(NamedTuple):
    """A row of evidence with its parties written out as organisations; empty: not asked for."""

    modes: frozenset[str]
    themes: frozenset[str]
    acting: frozenset[str]
    upon: frozenset[str]
    countries: frozenset[str]
    contexts: frozenset[str]
    evidence: Evidence


def organisations(ids: Iterable[str], first: date, last: date | None) -> frozenset[str]:
    """Return the ids of the actor registry that parties mean.

    A party means who acts for it, an organisation also those that were part of it on a day from
    first to last.
    """
    known = parties()
    named = {actor for id in ids for actor in (known[id].actors if id in known else (id,))}
    added = named
    while added:
        added = {
            each.id
            for each in ACTORS.values()
            for role in each.roles
            if role.within in added and overlap(first, last, role)
        } - named
        named |= added
    return frozenset(named)


def _rule(evidence: Evidence, clause: Clause) -> _Rule:
    return _Rule(
        frozenset(evidence.modes),
        frozenset(evidence.themes),
        organisations(evidence.acting, clause.first, clause.last),
        organisations(evidence.upon, clause.first, clause.last),
        frozenset(evidence.countries),
        frozenset(evidence.contexts),
        evidence,
    )


@cache
def _rules(clause: str) -> dict[EventType, tuple[_Rule, ...]]:
    """Return the rules of a clause by the type of event that they fit."""
    found = clauses()[clause]
    rules = [_rule(each, found) for each in found.evidence]
    return {
        event: tuple(each for each in rules if event in (each.evidence.events or (event,)))
        for event in get_args(EventType)
    }


def _met(asked: frozenset[str], told: tuple[str, ...]) -> bool:
    return not asked or not asked.isdisjoint(told)


def _fits(rule: _Rule, told: Told) -> bool:
    return (
        _met(rule.themes, told.themes)
        and (not rule.modes or (told.mode or NO_MODE) in rule.modes)
        and _met(rule.acting, told.actors)
        and _met(rule.upon, told.actors)
        and rule.countries.issubset(told.countries)
        and _met(rule.contexts, told.contexts)
    )


def deciding(clause: Clause, told: Told) -> Evidence | None:
    """Return the row of evidence by which an event bears on a clause; None where it does not.

    Whether the clause is in force and about the event's unit is `commitments`' to say; events that
    did not happen (`auxiliary`) are the caller's to leave out.

    Args:
        clause: One of `CLAUSES`.
        told: An event, or a `Happening`.
    """
    for rule in _rules(clause.id)[told.event]:
        if _fits(rule, told):
            return rule.evidence
    return None


def bearing(clause: Clause, told: Told) -> float | None:
    """Return how much an event bears on a clause; None where it does not.

    Args:
        clause: One of `CLAUSES`.
        told: An event, or a `Happening`.

    Returns:
        Nats towards a breach, for one independently witnessed report; below 0 towards keeping.
    """
    found = deciding(clause, told)
    return found.weight if found else None
