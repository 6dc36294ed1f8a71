"""Invent `doha-2020/invented_pakistan.csv`: `python -m streams.scenarios.invent_pakistan [PATH]`.

The bundled facts cover Afghanistan only. For Pakistan UCDP's deaths by country and month are at
hand, so single incidents are invented whose monthly deaths add up to them. Nothing else about
them is true, and every line says so in its column `invented`. The same seed gives the same bytes.
"""

from __future__ import annotations

import calendar
import sys
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Final, Literal

from msgspec.structs import replace

from streams.scenarios.choice import pick, weighted
from streams.scenarios.facts import Fact, rows, to_csv

SCENARIO: Final = "doha-2020"
#: Deaths in Pakistan by month of 2020 (UCDP GED, best estimate; CC BY 4.0).
MONTHLY_DEATHS: Final = {1: 11, 2: 38, 3: 17, 4: 50, 5: 33, 6: 31}
#: Numbers of invented incidents start here, so that none is taken for a fact.
FIRST_NUMBER: Final = 5001

_SIZES: Final = {1: 36, 2: 26, 3: 14, 4: 8, 5: 5, 6: 4, 7: 3, 9: 2, 12: 1}
_PROVINCES: Final = {"PK-KP": 56, "PK-BA": 30, "PK-SD": 9, "PK-PB": 5}
_SIDES: Final = {
    "PK-KP": {("GOV", "TTP", 1): 80, ("TTP", "CIV", 3): 14, ("IS", "CIV", 3): 6},
    "PK-BA": {("GOV", "BLA", 1): 62, ("GOV", "TTP", 1): 20, ("IS", "CIV", 3): 18},
    "PK-SD": {("GOV", "BLA", 1): 100},
    "PK-PB": {("GOV", "TTP", 1): 100},
}
_DELAYS: Final = {0: 38, 1: 46, 2: 11, 3: 4, 4: 1}
_SOURCES: Final = {1: 66, 2: 24, 3: 10}
_TOWNS: Final = frozenset(
    ["Peshawar", "Quetta", "Karachi", "Turbat", "Chaman", "Mach", "Larkana", "Rawalpindi"]
)


def invent() -> tuple[Fact, ...]:
    """Return the invented incidents ordered by day; the deaths of each month add up exactly."""
    rng = Random(f"{SCENARIO}/pakistan")  # noqa: S311
    found = [
        _incident(month, deaths, rng)
        for month, total in MONTHLY_DEATHS.items()
        for deaths in _split(total, rng)
    ]
    found.sort(key=lambda f: (f.day_start, f.admin1 or "", f.place or "", f.best))
    return tuple(replace(f, incident=n) for n, f in enumerate(found, FIRST_NUMBER))


def _split(total: int, rng: Random) -> list[int]:
    parts: list[int] = []
    while total:
        part = min(weighted(_SIZES, rng), total)
        parts.append(part)
        total -= part
    return parts


def _incident(month: int, deaths: int, rng: Random) -> Fact:
    days = calendar.monthrange(2020, month)[1]
    day = date(2020, month, 1) + timedelta(days=int(rng.random() * days))
    admin1 = weighted(_PROVINCES, rng)
    side_a, side_b, violence = weighted(_SIDES[admin1], rng)
    places = [r["place"] for r in rows(SCENARIO, "places.csv") if r["admin1"] == admin1]
    place = pick(places, rng) if rng.random() < 0.85 else None
    kind: Literal["district", "town"] | None = None
    if place is not None:
        kind = "town" if place in _TOWNS else "district"
    civilians = deaths if side_b == "CIV" else int(rng.random() < 0.12)
    return Fact(
        incident=0, day_start=day, day_end=day, admin1=admin1, place=place,
        place_kind=kind, side_a=side_a, side_b=side_b,
        violence=3 if violence == 3 else 1, low=deaths, best=deaths, high=deaths,
        civilians=min(civilians, deaths), sources=weighted(_SOURCES, rng),
        delay_days=weighted(_DELAYS, rng), invented=True,
    )  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    """Write the invented incidents to the file named, or beside the facts; return the exit code."""
    target = Path(__file__).parent / SCENARIO / "invented_pakistan.csv"
    if arguments:
        target = Path(arguments[0])
    target.write_text(to_csv(invent()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
