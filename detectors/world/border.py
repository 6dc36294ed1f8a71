"""The border between the two countries: districts, named crossings, and segments.

A segment joins an Afghan and a Pakistani district that touch each other. The tables were written
for this project from general knowledge, not from a survey: coordinates are good to about 0.1
degree, `certainty` says how sure it is that two districts touch, and `status` says what a crossing
was designated to be in the year `as_of`, never whether it is open. The line (the Durand Line of
1893) is not recognised by Afghanistan; naming it here, and every district on the side that now
governs it, implies no endorsement.

`part` divides Khyber Pakhtunkhwa: `merged` are the seven former tribal agencies and six frontier
regions that joined it in 2018 (25th Amendment), `settled` the rest. A frontier region is now a
subdivision `within` a settled district. South Waziristan, two since 2022, stands beside its halves.
`towns.csv` says in which district the other names of the unit lie.
"""

from __future__ import annotations

from functools import cache
from typing import Final, Literal

from msgspec import Struct

from detectors.tables import rows

LANGUAGES: Final = ("fa", "ps", "ur", "ar")

Part = Literal["settled", "merged", ""]
Certainty = Literal["sure", "likely"]
#: `official`: notified for trade or travel by both sides; `local`: used by residents; `pass`: a
#: mountain pass without a post.
Status = Literal["official", "local", "pass"]


class District(Struct, frozen=True):
    """One district, by the English name that `places.csv` has for it."""

    unit: str
    name: str
    country: str
    part: Part
    within: str  # the district it is a subdivision of, or ""
    names: dict[str, str]  # by language


class Crossing(Struct, frozen=True):
    """One named place at which people or goods cross."""

    id: str
    name: str
    segment: str
    latitude: float  # degrees north, good to about 0.1
    longitude: float  # degrees east
    status: Status
    as_of: int  # year
    names: dict[str, str]  # by language


class Segment(Struct, frozen=True):
    """The stretch of border between an Afghan and a Pakistani district."""

    id: str  # as in "AF-NAN:Mohmand Dara|PK-KP:Khyber"
    af_unit: str
    af_district: str
    pk_unit: str
    pk_district: str
    certainty: Certainty


def table(name: str) -> list[dict[str, str]]:
    """Return the rows of a table of this package as they stand."""
    return rows(__package__, name)


def segment_id(row: dict[str, str]) -> str:
    """Return the id of the segment between the two districts of a row."""
    return f"{row['af_unit']}:{row['af_district']}|{row['pk_unit']}:{row['pk_district']}"


def _names(row: dict[str, str]) -> dict[str, str]:
    return {code: row[code] for code in LANGUAGES if row[code]}


@cache
def districts() -> dict[tuple[str, str], District]:
    """Return the districts of both countries by unit and name."""
    return {
        (r["unit"], r["district"]): District(
            r["unit"],
            r["district"],
            r["country"],
            r["part"],  # type: ignore[arg-type]  # the check holds the table to it
            r["within"],
            _names(r),
        )
        for r in table("districts.csv")
    }


@cache
def _towns() -> dict[str, str]:
    return {r["place"]: r["district"] for r in table("towns.csv") if r["unit"] == "PK-KP"}


def part_of(place: str) -> Part:
    """Return in which part of Khyber Pakhtunkhwa a place of it lies, or "" where not known.

    Args:
        place: An English name that `places.csv` has for the unit PK-KP.

    >>> part_of("Mir Ali"), part_of("Mingora"), part_of("Waziristan")
    ('merged', 'settled', '')
    """
    known = districts()
    found = known.get(("PK-KP", place)) or known.get(("PK-KP", _towns().get(place, "")))
    return found.part if found else ""


def _crossing(row: dict[str, str]) -> Crossing:
    return Crossing(
        row["id"],
        row["en"],
        segment_id(row),
        float(row["latitude"]),
        float(row["longitude"]),
        row["status"],  # type: ignore[arg-type]  # the check holds the table to it
        int(row["as_of"]),
        _names(row),
    )


#: Every named crossing by its id.
CROSSINGS: Final[dict[str, Crossing]] = {r["id"]: _crossing(r) for r in table("border.csv")}

#: Every segment by its id, from north to south.
SEGMENTS: Final[dict[str, Segment]] = {
    r["id"]: Segment(**r)  # type: ignore[arg-type]  # the check holds the table to it
    for r in table("segments.csv")
}
