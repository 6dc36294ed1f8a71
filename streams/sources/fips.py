"""FIPS 10-4 codes of provinces, as GDELT and older data sets write them, to units.

The second part of a code is GeoNames' code of the province, which goes back to FIPS; the crosswalk
is `detectors/world/geonames_admin1.csv`.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib import resources
from typing import Final

_COUNTRIES: Final = {"AFG": "AF", "PAK": "PK"}
_WHOLE: Final = ("", "00")  # no province, or one that is not known


@cache
def _units() -> dict[str, str]:
    table = resources.files("detectors.world").joinpath("geonames_admin1.csv")
    rows = csv.DictReader(table.read_text(encoding="utf-8").splitlines())
    return {_COUNTRIES[row["country"]] + row["admin1code"]: row["unit"] for row in rows}


def unit_of(code: str) -> str | None:
    """Return the unit of a FIPS code: "" for a country without a province, None for an unknown one.

    >>> unit_of("AF13"), unit_of("PK"), unit_of("USDC")
    ('AF-KAB', '', None)
    """
    if code[:2] in _COUNTRIES.values() and code[2:] in _WHOLE:
        return ""
    return _units().get(code)
