"""The invented outlets of a scenario: what each covers, and when it was silent."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from functools import cache
from typing import Final

from msgspec import Struct

from streams.scenarios.facts import rows

_PREFIX: Final = {"AFG": "AF", "PAK": "PK"}


class Outlet(Struct, frozen=True):
    """One outlet. All are invented, and their table says so of each."""

    source: str  # the source id, a slug
    name: str
    family: str  # the publisher family: outlets of one family are one witness
    language: str  # BCP 47
    wire: bool  # others reprint it
    covers: tuple[tuple[str, float], ...]  # weight by admin1, or by country prefix (AF, PK)
    poll_minutes: int  # how long its items usually wait until they are seen
    noise: float  # weight among other news
    outage: tuple[date, date] | None  # first and last day without any report

    def weight(self, admin1: str | None, country: str) -> float:
        """Return how likely the outlet reports from the place; the closest entry counts.

        Raises:
            KeyError: The country (ISO 3166-1 alpha-3) is neither Afghanistan nor Pakistan.
        """
        weights = dict(self.covers)
        prefix = _PREFIX[country]
        return weights.get(admin1 or prefix, weights.get(prefix, 0.0))

    def silent(self, *times: datetime) -> bool:
        """Whether any of the times falls within the outage."""
        if self.outage is None:
            return False
        first, last = self.outage
        return any(first <= t.date() <= last for t in times)


@cache
def outlets(scenario: str) -> tuple[Outlet, ...]:
    """Read the scenario's outlets in the order of their table."""
    return tuple(_outlet(row) for row in rows(scenario, "outlets.csv"))


def of_families(found: Iterable[Outlet], without: set[str]) -> list[Outlet]:
    """Return the outlets whose family is not in the set."""
    return [o for o in found if o.family not in without]


def _outlet(row: dict[str, str]) -> Outlet:
    covers = (entry.split(":") for entry in row["covers"].split())
    outage = None
    if row["outage_from"]:
        outage = date.fromisoformat(row["outage_from"]), date.fromisoformat(row["outage_to"])
    return Outlet(
        source=row["source"], name=row["name"], family=row["family"], language=row["language"],
        wire=row["wire"] == "yes", covers=tuple((place, float(w)) for place, w in covers),
        poll_minutes=int(row["poll_minutes"]), noise=float(row["noise"]), outage=outage,
    )  # fmt: skip
