"""Derive `doha-2020/facts.csv` from an extract of the UCDP Georeferenced Event Dataset.

Usage: `python -m streams.scenarios.derive_facts PATH_TO_CSV [PATH_OF_FACTS]`.

The input has the columns of UCDP GED (CC BY 4.0; Sundberg & Melander 2013; Davies, Pettersson &
Öberg 2023) and an `admin1_iso` column. Only facts are carried over: no identifier, headline or
name of an office. `doha-2020/README.md` states every mend and its count.
"""

from __future__ import annotations

import csv
import re
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Final, Literal

from msgspec.structs import replace

from streams.scenarios.facts import Fact, rows, to_csv

SCENARIO: Final = "doha-2020"
#: An event that lasts longer than this is an accumulation, not an incident.
LONGEST_DAYS: Final = 14
#: A first source later than this is told as if it came on this day.
LATEST_DELAY_DAYS: Final = 21
#: Places whose province the source gives wrongly or not at all.
ADMIN1_OF_PLACE: Final = {
    "Qarqin town": "AF-JOW",  # without a province; other rows place Qarqin in Jowzjan
    "Denar village": "AF-JOW",  # without a province; 7 km from Qarqin
    "Mahmudi Raqi town": "AF-KAP",  # the capital of Kapisa, just across its border with Parwan
}
SIDES: Final = {
    "Government of Afghanistan": "GOV",
    "Taleban": "TB",
    "IS": "IS",
    "Civilians": "CIV",
    "High Council of Afghanistan Islamic Emirate": "HC",
}
_PLACE: Final = re.compile(
    r"^(?P<name>.+?)(?: \([^)]*\))? (?P<kind>district|sub-district|town|city)(?: \([^)]*\))?$"
)
_VAGUE: Final = frozenset({"Afghanistan", "Kabul and Parwan region"})


def derive(source: Iterable[dict[str, str]]) -> tuple[tuple[Fact, ...], Counter[str]]:
    """Return the facts of the rows, ordered by day and numbered, and how often each mend was made.

    Raises:
        KeyError: A row names a party that `SIDES` does not know.
    """
    mends: Counter[str] = Counter()
    names = {(r["ged"], r["admin1"]): r["place"] for r in rows(SCENARIO, "places.csv")}
    found = [fact for row in source if (fact := _fact(row, names, mends)) is not None]
    found.sort(key=_order)
    return tuple(replace(f, incident=n) for n, f in enumerate(found, 1)), mends


def _order(fact: Fact) -> tuple[object, ...]:
    """Order by day, then by what is known: nothing of the source's own order remains."""
    values = (fact.day_start, fact.day_end, fact.admin1 or "", fact.place or "")
    sides = (fact.side_a, fact.side_b, fact.place_kind or "", fact.violence)
    delay = -1 if fact.delay_days is None else fact.delay_days
    return (
        *values, *sides, fact.best, fact.low, fact.high, fact.civilians, fact.sources, delay,
    )  # fmt: skip


def _fact(
    row: dict[str, str], names: dict[tuple[str, str], str], mends: Counter[str]
) -> Fact | None:
    start, end = date.fromisoformat(row["date_start"]), date.fromisoformat(row["date_end"])
    if (end - start).days > LONGEST_DAYS:
        mends["dropped: lasts months"] += 1
        return None
    low, best, high = (int(row[c]) for c in ("low", "best", "high"))
    if low > best:
        mends["low above best"] += 1
    if high < best:
        mends["high below best"] += 1
    admin1 = _admin1(row, mends)
    place, kind = _place(row["where_coordinates"], admin1, names)
    mends["place kept" if place else "place left out"] += 1
    return Fact(
        incident=0, day_start=start, day_end=end, admin1=admin1, place=place,
        place_kind=kind, side_a=SIDES[row["side_a"]], side_b=SIDES[row["side_b"]],
        violence=1 if row["type_of_violence"] == "1" else 3, low=min(low, best), best=best,
        high=max(high, best), civilians=int(row["deaths_civilians"]),
        sources=int(row["number_of_sources"]), delay_days=_delay(row, start, mends), invented=False,
    )  # fmt: skip


def _admin1(row: dict[str, str], mends: Counter[str]) -> str | None:
    where = row["where_coordinates"]
    if where in _VAGUE:
        mends["province removed: the row is about a wider area"] += 1
        return None
    if where in ADMIN1_OF_PLACE:
        mends["province mended"] += 1
        return ADMIN1_OF_PLACE[where]
    return row["admin1_iso"] or None


def _place(
    where: str, admin1: str | None, names: dict[tuple[str, str], str]
) -> tuple[str | None, Literal["district", "town"] | None]:
    match = _PLACE.match(where)
    if match is None or admin1 is None:
        return None, None
    place = names.get((match["name"], admin1))
    if place is None:
        return None, None
    return place, "district" if match["kind"].endswith("district") else "town"


def _delay(row: dict[str, str], start: date, mends: Counter[str]) -> int | None:
    days = [
        (date.fromisoformat(day.strip()) - start).days
        for day in row["source_date"].split(";")
        if day.strip()
    ]
    known = [d for d in days if d >= 0]
    if not known:
        mends["delay unknown: sources dated before the event"] += 1
        return None
    if min(known) > LATEST_DELAY_DAYS:
        mends["delay clipped"] += 1
    return min(*known, LATEST_DELAY_DAYS)


def main(arguments: Sequence[str]) -> int:
    """Write the facts of the file named first to the file named second; return the exit code."""
    if not 1 <= len(arguments) <= 2:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    target = Path(__file__).parent / SCENARIO / "facts.csv"
    if len(arguments) == 2:
        target = Path(arguments[1])
    with Path(arguments[0]).open(encoding="utf-8", newline="") as source:
        facts, mends = derive(csv.DictReader(source))
    target.write_text(to_csv(facts), encoding="utf-8")
    sys.stdout.write(f"{len(facts)} incidents written\n")
    for mend, count in sorted(mends.items()):
        sys.stdout.write(f"{count:6} {mend}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
