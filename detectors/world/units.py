"""The units that are watched: 34 Afghan provinces, 7 Pakistani units, and the two countries.

Codes are ISO 3166-2 (admin1) and ISO 3166-1 alpha-3 (countries). The table is `units.csv`;
its English names are those of Unicode CLDR 41 (Unicode licence).
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from detectors.tables import rows


class Unit(Struct, frozen=True):
    """One watched area."""

    code: str
    name: str
    country: str  # ISO 3166-1 alpha-3

    @property
    def is_country(self) -> bool:
        """Whether the unit is a whole country, which its admin1 units add up to."""
        return self.code == self.country


def _read() -> dict[str, Unit]:
    table = rows(__package__, "units.csv")
    return {r["unit"]: Unit(r["unit"], r["name"], r["country"]) for r in table}


#: Every unit by its code, admin1 units first, in the order of the codes.
UNITS: Final[dict[str, Unit]] = _read()


def name_of(unit: str) -> str:
    """Return the unit's English name, or the code itself where it is not in the table."""
    known = UNITS.get(unit)
    return known.name if known else unit
