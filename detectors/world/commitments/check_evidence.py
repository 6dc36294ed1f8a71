"""What is wrong with the rows of `evidence.csv`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from typing import Final, get_args

from detectors.records import EventType
from detectors.tables import rows
from detectors.world.actors import ACTORS
from detectors.world.commitments.values import NO_MODE
from detectors.world.problem import numbered

Row = Mapping[str, str]
Fault = tuple[int, str]  # the line, and what is wrong with it

#: Nats: one report that outweighs this would decide by itself.
HEAVIEST: Final = 3.0
_CODING: Final = "detectors.coding"
_ASKED: Final = ("event", "mode", "theme", "acting", "upon", "contexts")
_COUNTRY: Final = 3  # letters


def faults(
    evidence: Sequence[Row], clauses: Collection[str], parties: Mapping[str, Sequence[str]]
) -> Iterator[Fault]:
    """Yield what is wrong with rows of evidence.

    Args:
        evidence: The rows as they stand.
        clauses: Ids of the clauses.
        parties: The organisations of each party that the actor registry has not.
    """
    yield from _weights(evidence)
    yield from _words(evidence)
    yield from _dangling(evidence, clauses, parties)
    yield from _unreached(evidence)


def _weights(evidence: Sequence[Row]) -> Iterator[Fault]:
    for number, row in numbered(evidence):
        if row["sign"] not in ("+", "-"):
            yield number, f"the sign {row['sign']!r} is neither + nor -"
        try:
            weight = float(row["weight"])
        except ValueError:
            weight = 0.0
        if not 0 < weight <= HEAVIEST:
            yield number, f"the weight {row['weight']!r} is not above 0 and at most {HEAVIEST}"


@cache
def _modes() -> dict[str, frozenset[str]]:
    """Return the modes that the coder has, by the type of event."""
    found: dict[str, set[str]] = defaultdict(set)
    for row in rows(_CODING, "cameo.csv"):
        found[row["event"]].add(row["mode"])
    for row in rows(_CODING, "acts_en.csv"):
        found[row["class"].rstrip("?")].add(row["mode"])
    return {event: frozenset({*found[event], NO_MODE}) for event in get_args(EventType)}


@cache
def _known() -> dict[str, frozenset[str]]:
    """Return what may stand in a column."""
    return {
        "event": frozenset(get_args(EventType)),
        "theme": frozenset(row["theme"] for row in rows(_CODING, "themes.csv")),
        "contexts": frozenset(row["context"] for row in rows(_CODING, "contexts.csv")),
    }


def _words(evidence: Sequence[Row]) -> Iterator[Fault]:
    for number, row in numbered(evidence):
        for column, known in _known().items():
            for word in row[column].split():
                if word not in known:
                    yield number, f"there is no {column} {word!r}"
        events = row["event"].split() or list(get_args(EventType))
        for mode in row["mode"].split():
            if not any(mode in _modes().get(event, ()) for event in events):
                yield number, f"the coder has no mode {mode!r} of {row['event'] or 'any type'}"
        for country in row["countries"].split():
            if not (len(country) == _COUNTRY and country.isalpha() and country.isupper()):
                yield number, f"{country!r} is no ISO 3166-1 alpha-3 code"
        if not any(row[column] for column in (*_ASKED[1:], "countries")):
            yield number, "it asks for nothing but a type, so everything would fit it"


def _dangling(
    evidence: Sequence[Row], clauses: Collection[str], parties: Mapping[str, Sequence[str]]
) -> Iterator[Fault]:
    for number, row in numbered(evidence):
        named = row["clause"].split()
        for id in named:
            if id not in clauses:
                yield number, f"no clause has the id {id!r}"
        if not named or len(named) != len(set(named)):
            yield number, "it names no clause, or one twice"
        sides: list[set[str]] = []
        for column in ("acting", "upon"):
            for id in row[column].split():
                if id not in parties and id not in ACTORS:
                    yield number, f"{column}: there is no {id!r}"
                elif not parties.get(id, (id,)):
                    yield number, f"{column}: no organisation acts for {id!r}"
            sides.append({one for id in row[column].split() for one in parties.get(id, (id,))})
        if sides[0] & sides[1]:
            yield number, f"on both sides: {', '.join(sorted(sides[0] & sides[1]))}"


def _unreached(evidence: Sequence[Row]) -> Iterator[Fault]:
    """Yield rows that never decide, since an earlier one of the clause fits all that they fit."""
    before: dict[str, list[tuple[int, Row]]] = defaultdict(list)
    for number, row in numbered(evidence):
        for clause in row["clause"].split():
            for earlier, other in before[clause]:
                if _takes_in(other, row):
                    yield number, f"line {earlier} decides before it for {clause}"
            before[clause].append((number, row))


def _takes_in(one: Row, other: Row) -> bool:
    """Return whether whatever fits the other row fits the one."""
    wider = all(_wider(one[column].split(), other[column].split()) for column in _ASKED)
    return wider and set(one["countries"].split()) <= set(other["countries"].split())


def _wider(one: Collection[str], other: Collection[str]) -> bool:
    """Return whether a cell asks for no more than another; an empty one asks for nothing."""
    return not one or (bool(other) and set(other) <= set(one))
