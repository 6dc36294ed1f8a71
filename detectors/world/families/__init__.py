"""The registry of publisher families: who is one witness with whom, and whose voice it is.

Outlets of one owner, and language services of one broadcaster, are one witness. An outlet that no
table names is a family of its own. The tables:

- `families.csv`: id, name, kind and country; on which side it stands, from day to day; and the fact
  that all this rests on.
- `outlets.csv`: the names and domains by which each family is found.
- `invented.csv`: the outlets of the bundled scenarios. None of them exists.
- `bylines.csv`: the words by which a text credits an agency, read by `detectors.coding.byline`.

Nothing is read before it is asked for, so a table at fault can still be checked (`check.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache, lru_cache
from typing import Final, cast

from msgspec import Struct

from detectors.records import Voice
from detectors.tables import day_in, rows
from detectors.world.actors.spelling import spelling
from detectors.world.registry import Registry

#: state-media: the state's own, speaking for it. party-media: of a group or movement. office: the
#: press office of a ministry or an army. invented: of a bundled scenario.
KINDS: Final = (
    "agency", "broadcaster", "newspaper", "online", "state-media", "party-media", "office", "un",
    "ngo", "dataset", "invented",
)  # fmt: skip
#: weak: a name that is also something else (a party, a part of the day).
OUTLET_KINDS: Final = ("name", "weak", "domain")
#: The kind of what is found where it is a family's id that was given.
ID: Final = "id"

#: An address, or a bare domain; the group is the host.
_HOST: Final = re.compile(
    r"(?:[a-z][a-z0-9+.-]*://)?(?:[^/@\s]*@)?([a-z0-9-]+(?:\.[a-z0-9-]+)+)\.?(?::\d+)?(?:[/?#].*)?",
    re.IGNORECASE | re.DOTALL,
)


class Standing(Struct, frozen=True):
    """On which side a family stood, from its first to its last day so; None where it is open."""

    side: str  # a Voice, or nothing: independent
    first: date | None
    last: date | None
    note: str

    def holds(self, on: date) -> bool:
        """Whether it was so on that day."""
        return (self.first is None or self.first <= on) and (self.last is None or on <= self.last)


class Outlet(Struct, frozen=True):
    """One name or domain, and the family that it belongs to."""

    family: str
    text: str
    kind: str
    language: str  # of the name, or of what the domain carries; nothing: several


class Family(Struct, frozen=True):
    """Outlets that are one witness."""

    id: str
    name: str
    kind: str
    country: str  # ISO 3166-1 alpha-3, or nothing
    standings: tuple[Standing, ...]
    outlets: tuple[Outlet, ...]

    def standing(self, on: date) -> Standing | None:
        """Return where it stood on a day; None where the table does not say."""
        return next((each for each in self.standings if each.holds(on)), None)

    def voice(self, on: date) -> Voice:
        """Return whose voice it is on a day.

        >>> taliban = FAMILIES["taliban-media"]
        >>> taliban.voice(date(2021, 8, 14)), taliban.voice(date(2021, 8, 15))
        ('militant', 'afg-authorities')
        """
        found = self.standing(on)
        return cast(Voice, found.side) if found and found.side else "independent"


def table(name: str) -> list[dict[str, str]]:
    """Return the rows of one table as they stand in the package."""
    return rows(__package__, name)


@lru_cache(65_536)
def word_key(word: str) -> str:
    """Return the letters and digits of one word, as `key` has them."""
    return spelling(word).replace(" ", "")


def key(name: str) -> str:
    """Return what all ways to write a name have in common: its letters and digits.

    >>> key("TOLO-news"), key("بی‌بی‌سی") == key("بي بي سي")
    ('tolonews', True)
    """
    return "".join(map(word_key, name.split()))


def host_of(text: str) -> str | None:
    """Return the host of an address or the domain itself, in lower case without "www."; or None.

    >>> host_of("https://www.Example.org/news/1"), host_of("Example News")
    ('example.org', None)
    """
    found = _HOST.fullmatch(text.strip())
    return found[1].lower().removeprefix("www.") if found else None


def _rows() -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield the families' rows of both worlds, each with its id."""
    for row in table("families.csv"):
        yield row["id"], row
    named: set[str] = set()
    for row in table("invented.csv"):
        if row["family"] not in named:
            named.add(row["family"])
            yield row["family"], dict(
                name=row["outlet"], kind="invented", country="", side="", valid_from="",
                valid_to="", note="of a bundled scenario: no such outlet exists",
            )  # fmt: skip


@cache
def _families() -> dict[str, Family]:
    outlets: dict[str, list[Outlet]] = {}
    for row in table("outlets.csv"):
        found = Outlet(row["family"], row["outlet"], row["kind"], row["language"])
        outlets.setdefault(found.family, []).append(found)
    for row in table("invented.csv"):
        found = Outlet(row["family"], row["outlet"], "name", row["language"])
        outlets.setdefault(found.family, []).append(found)
    standings: dict[str, list[Standing]] = {}
    about: dict[str, Mapping[str, str]] = {}
    for id, facts in _rows():
        about.setdefault(id, facts)
        first, last = day_in(facts["valid_from"]), day_in(facts["valid_to"])
        standings.setdefault(id, []).append(Standing(facts["side"], first, last, facts["note"]))
    return {
        id: Family(
            id,
            facts["name"],
            facts["kind"],
            facts["country"],
            tuple(standings[id]),
            tuple(outlets.get(id, ())),
        )
        for id, facts in about.items()
    }


#: Every family by its id, in the order of the table.
FAMILIES: Final[Mapping[str, Family]] = Registry(_families)


def names() -> Iterator[str]:
    """Yield every name that the tables have, as `key` makes it."""
    return (key(row.text) for family in _all() for row in family.outlets if row.kind != "domain")


@cache
def _index() -> tuple[dict[str, Outlet], dict[str, Outlet]]:
    """Return the outlets by the key of their name, and by their domain."""
    # An id is found too, so that what has been answered once keeps its family.
    names = {key(family.id): Outlet(family.id, family.id, ID, "") for family in _all()}
    rows = [outlet for family in _all() for outlet in family.outlets]
    names |= {key(row.text): row for row in rows if row.kind != "domain"}
    return names, {row.text: row for row in rows if row.kind == "domain"}


def _all() -> Iterator[Family]:
    return iter(_families().values())


def by_name(name: str) -> Outlet | None:
    """Return the outlet that a name or an id means; None where unknown."""
    return _index()[0].get(key(name))


def by_domain(domain: str) -> Outlet | None:
    """Return the outlet that a domain or an address means; None where unknown."""
    domains = _index()[1]
    host = host_of(domain)
    while host and host not in domains:
        host = host.partition(".")[2]
    return domains[host] if host else None


@lru_cache(16_384)
def find(publisher: str) -> Outlet | None:
    """Return the outlet that a name, an id, a domain or an address means; None where unknown."""
    return by_domain(publisher) or by_name(publisher)


@lru_cache(16_384)
def family_of(publisher: str) -> str:
    """Return the id of the family that a publisher belongs to.

    A name is found whatever its capitals, spaces and punctuation, a domain with all that is under
    it. What no table names is returned as it is, and so is a family of its own; of an address that
    is the host, since the pages of one site are one witness.

    >>> family_of("BBC Persian"), family_of("https://www.bbc.co.uk/news/1"), family_of("No Such")
    ('bbc', 'bbc', 'No Such')
    """
    found = find(publisher)
    if found is not None:
        return found.family
    return (host_of(publisher) or publisher) if "://" in publisher else publisher


def witness(publisher: str | None, url: str | None, source: str) -> str:
    """Return the family that a report is the witness of.

    The outlet that the report names comes first, then the site that it stands on, where either is
    known. A name that no table has is its own family; a report that names no outlet, its source's.
    """
    if publisher and find(publisher):
        return family_of(publisher)
    if url and (site := find(url)):
        return site.family
    return family_of(publisher or source)
