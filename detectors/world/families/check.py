"""What is wrong with the families' tables, read as they stand."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Final, get_args

from msgspec import Struct

from detectors.records import Voice
from detectors.world.actors import LANGUAGES
from detectors.world.families import KINDS, OUTLET_KINDS, host_of, key, table
from detectors.world.problem import Problem, days_of, faults, numbered

Row = Mapping[str, str]

COLUMNS: Final = {
    "families": ("id", "name", "kind", "country", "side", "valid_from", "valid_to", "note"),
    "outlets": ("family", "outlet", "kind", "language", "reviewer"),
    "invented": ("family", "outlet", "language"),
    "bylines": ("kind", "where", "words", "after", "language", "reviewer"),
}
BYLINE_KINDS: Final = ("credit", "unnamed", "rest", "agency", "article", "outlet", "desk")
PLACES: Final = ("start", "head", "end")
#: Without a note that says what it rests on, a family joins no more domains or countries than this.
DOMAINS: Final = 2
COUNTRIES: Final = 1

_ID: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_COUNTRY: Final = re.compile(r"[A-Z]{3}|")
_DOMAIN: Final = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+")
#: A domain under which anybody of a country registers, such as com.pk.
_PUBLIC: Final = re.compile(r"(?:ac|co|com|edu|gov|gob|net|org)\.[a-z]{2}")
#: Domains of countries that outlets of any country take.
_ANYWHERE: Final = frozenset({"ai", "co", "eu", "fm", "in", "io", "me", "tv"})


class Tables(Struct, frozen=True):
    """The registry's rows as they stand in the files."""

    families: Sequence[Row]
    outlets: Sequence[Row]
    invented: Sequence[Row] = ()
    bylines: Sequence[Row] = ()


def shipped() -> Tables:
    """Return the tables of the package."""
    return Tables(**{name: table(f"{name}.csv") for name in COLUMNS})


def problems(tables: Tables | None = None) -> list[Problem]:
    """Return what is wrong with the tables, those of the package if none are given."""
    return faults("families", tables or shipped(), COLUMNS, _CHECKS)


def _say(name: str, number: int, text: str) -> Problem:
    return Problem(f"families/{name}.csv", number, text)


def _words(tables: Tables) -> Iterator[Problem]:
    """Yield cells whose value is none of those that the column has."""
    languages = (*LANGUAGES, "")
    allowed: tuple[tuple[str, str, tuple[str, ...]], ...] = (
        ("families", "kind", tuple(kind for kind in KINDS if kind != "invented")),
        ("families", "side", (*get_args(Voice), "")),
        ("outlets", "kind", OUTLET_KINDS),
        ("outlets", "language", languages),
        ("invented", "language", LANGUAGES),
        ("bylines", "kind", BYLINE_KINDS),
        ("bylines", "where", (*PLACES, "")),
        ("bylines", "language", languages),
    )
    for name, column, known in allowed:
        for number, row in numbered(getattr(tables, name)):
            if row[column] not in known:
                said = f"the {column} {row[column]!r} is none of {', '.join(known)}"
                yield _say(name, number, said)
    for number, row in numbered(tables.families):
        if not _COUNTRY.fullmatch(row["country"]):
            yield _say("families", number, f"{row['country']!r} is no ISO 3166-1 alpha-3 code")
        if not _ID.fullmatch(row["id"]):
            yield _say("families", number, f"the id {row['id']!r} is not of a-z, 0-9 and -")


def _texts(tables: Tables) -> Iterator[Problem]:
    for name, column in (("families", "name"), ("outlets", "outlet"), ("invented", "outlet")):
        for number, row in numbered(getattr(tables, name)):
            if not key(row[column]) or row[column] != row[column].strip():
                yield _say(name, number, f"the {column} {row[column]!r} is empty or padded")
    for number, row in numbered(tables.bylines):
        if not (row["words"].strip() or row["after"].strip()):
            yield _say("bylines", number, "there are no words")
        if bool(row["where"]) != (row["kind"] in ("credit", "unnamed")):
            yield _say("bylines", number, f"where does not fit the kind {row['kind']}")
    for name, column in (("outlets", "outlet"), ("bylines", "words")):
        for number, row in numbered(getattr(tables, name)):
            written = row["language"] not in ("", "en") and row.get("kind") != "domain"
            if written and not row["reviewer"]:
                yield _say(name, number, f"{row[column]!r} does not say who reviewed it")


def _domains(tables: Tables) -> Iterator[Problem]:
    for number, row in _domain_rows(tables):
        domain = row["outlet"]
        if not _DOMAIN.fullmatch(domain) or domain.startswith("www."):
            said = f"{domain!r} is no bare domain in lower case, without www. and path"
            yield _say("outlets", number, said)
        elif _PUBLIC.fullmatch(domain):
            yield _say("outlets", number, f"anybody has a site under {domain!r}")


def _domain_rows(tables: Tables) -> Iterator[tuple[int, Row]]:
    return (line for line in numbered(tables.outlets) if line[1]["kind"] == "domain")


def _standings(tables: Tables) -> Iterator[Problem]:
    """Yield days that are none or overlap, and rows of one family that do not agree."""
    by_id: dict[str, list[tuple[int, Row]]] = defaultdict(list)
    for number, row in numbered(tables.families):
        by_id[row["id"]].append((number, row))
        if days_of(row) is None:
            span = f"{row['valid_from']!r} to {row['valid_to']!r}"
            yield _say("families", number, f"{span} are no days, or end before they begin")
    for id, lines in by_id.items():
        for (number, row), (later, other) in combinations(lines, 2):
            for column in ("name", "kind", "country"):
                if row[column] != other[column]:
                    yield _say("families", later, f"{id} has another {column} in line {number}")
            one, two = days_of(row), days_of(other)
            if one and two and one.meets(two):
                yield _say("families", later, f"{id} has a row for days of line {number}")


def _dangling(tables: Tables) -> Iterator[Problem]:
    ids = {row["id"] for row in tables.families}
    for number, row in numbered(tables.outlets):
        if row["family"] not in ids:
            yield _say("outlets", number, f"no family has the id {row['family']!r}")
    used = {row["family"] for row in tables.outlets}
    for number, row in numbered(tables.families):
        if row["id"] not in used:
            yield _say("families", number, f"{row['id']} has no outlet")
    for number, row in numbered(tables.invented):
        if row["family"] in ids:
            yield _say("invented", number, f"{row['family']!r} is the id of a real family")


def _meanings(tables: Tables) -> Iterator[Problem]:
    """Yield names and domains that mean two families, or stand twice."""
    seen: dict[str, tuple[str, int, str]] = {}
    for name in ("outlets", "invented"):
        for number, row in numbered(getattr(tables, name)):
            domain = row.get("kind") == "domain"
            text = row["outlet"] if domain else key(row["outlet"])
            table, line, family = seen.setdefault(text, (name, number, row["family"]))
            if (table, line) == (name, number):
                continue
            if family != row["family"]:
                said = f"{row['outlet']!r} is {family} in {table}.csv, line {line}"
                yield _say(name, number, said)
            elif name == "outlets":
                said = f"{row['outlet']!r} is found by line {line}"
                yield _say(name, number, said)
    for number, row in numbered(tables.families):
        for column in ("id", "name"):
            _, line, family = seen.get(key(row[column]), ("", 0, row["id"]))
            if family != row["id"]:
                said = f"{row[column]!r} is a name of {family} in line {line} of outlets.csv"
                yield _say("families", number, said)


def _dead(tables: Tables) -> Iterator[Problem]:
    """Yield rows that another of their family makes needless, and labels that find nothing."""
    domains = {row["outlet"]: row["family"] for _, row in _domain_rows(tables)}
    names = {(row["family"], key(row["outlet"])) for row in tables.outlets}
    for number, row in numbered(tables.outlets):
        host = host_of(row["outlet"])
        above = _above(host, domains) if host else None
        if row["kind"] == "domain":
            above = _above(row["outlet"].partition(".")[2], domains)
        if above is not None and domains[above] == row["family"]:
            yield _say("outlets", number, f"{row['outlet']!r} is found by {above}")
    for number, row in numbered(tables.families):
        host = host_of(row["name"])
        above = _above(host, domains) if host else None
        is_found = above is not None and domains[above] == row["id"]
        if not is_found and (row["id"], key(row["name"])) not in names:
            said = f"the name {row['name']!r} stands in no row of outlets.csv"
            yield _say("families", number, said)


def _above(host: str, domains: Mapping[str, str]) -> str | None:
    """Return the listed domain that a host is or is under."""
    while host and host not in domains:
        host = host.partition(".")[2]
    return host or None


def _unexplained(tables: Tables) -> Iterator[Problem]:
    """Yield families that take a side or join a great deal, and do not say what this rests on."""
    domains: dict[str, list[str]] = defaultdict(list)
    for _, row in _domain_rows(tables):
        domains[row["family"]].append(row["outlet"])
    for number, row in numbered(tables.families):
        if row["note"].strip():
            continue
        ends = {domain.rpartition(".")[2] for domain in domains[row["id"]]}
        countries = {end for end in ends if len(end) == 2} - _ANYWHERE
        over = len(domains[row["id"]]) > DOMAINS or len(countries) > COUNTRIES
        if row["side"] or over:
            what = "joins so much" if over else "is on a side"
            yield _say("families", number, f"{row['id']} {what}; the note must say why")


def _twice(tables: Tables) -> Iterator[Problem]:
    first: dict[tuple[str, ...], int] = {}
    for number, row in numbered(tables.bylines):
        words = (row["kind"], row["where"], key(row["words"]), key(row["after"]), row["language"])
        before = first.setdefault(words, number)
        if before != number:
            yield _say("bylines", number, f"the same as line {before}")


_CHECKS: Final[tuple[Callable[[Tables], Iterator[Problem]], ...]] = (
    _words,
    _texts,
    _domains,
    _standings,
    _dangling,
    _meanings,
    _dead,
    _unexplained,
    _twice,
)
