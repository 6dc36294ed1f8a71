"""What is wrong with the tables of places and of the border, read as they stand."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, get_args

from msgspec import Struct

from detectors.world.border import LANGUAGES, Certainty, Status, segment_id, table
from detectors.world.problem import Problem
from detectors.world.towns import letters
from detectors.world.units import AREAS

Row = Mapping[str, str]

COLUMNS: Final = {
    "places": ("name", "unit", "country", "precision", "kind"),
    "places_names": (
        "name", "language", "place", "unit", "country", "precision", "kind", "reviewer",
    ),
    "elsewhere_names": ("name", "language", "country", "reviewer"),
    "geonames": (
        "geonameid", "name", "unit", "country", "latitude", "longitude", "population", *LANGUAGES,
    ),
    "geonames_admin1": ("country", "admin1code", "unit"),
    "districts": ("unit", "district", "part", "country", "within", *LANGUAGES),
    "towns": ("unit", "place", "district", "source", "note"),
    "border": (
        "id", "en", "af_unit", "af_district", "pk_unit", "pk_district", "latitude", "longitude",
        "status", "as_of", *LANGUAGES,
    ),
    "segments": ("id", "af_unit", "af_district", "pk_unit", "pk_district", "certainty"),
}  # fmt: skip
_PRECISIONS: Final = ("country", "admin1", "district", "town")
_KINDS: Final = ("name", "weak", "shared", "demonym", "mask")
_REVIEWERS: Final = re.compile(r"none: machine-written|CLDR \d+|GeoNames|[^:,]{2,}")
#: Whence a row of `towns.csv` comes (`towns.py`).
_SOURCES: Final = ("project", "UCDP GED")
_ISO3: Final = re.compile("[A-Z]{3}")
_YEAR: Final = re.compile("(?:19|20)[0-9]{2}")
#: Degrees: least and greatest latitude, then longitude.
_BOXES: Final = {"AFG": (29.3, 38.6, 60.4, 75.0), "PAK": (23.6, 37.2, 60.8, 77.9)}
_DIVIDED: Final = "PK-KP"

_COMMON: Final = frozenset("ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىي" + " \u200c-")
_PERSIAN: Final = _COMMON | frozenset("پچژکگیۀ")
#: The letters each language is written in, with the common typings of yeh, kaf and heh.
ALPHABETS: Final = {
    "fa": _PERSIAN,
    "ps": _PERSIAN | frozenset("ټډړږښڼځڅېۍګ"),
    "ur": _PERSIAN | frozenset("ٹڈڑںےہھۓۂۃ"),
    "ar": _COMMON,
}
_SAME: Final = str.maketrans("يىېۍكگہھۀةۃۂأإآٱؤ\u200c", "ییییکګههههههاااا" + "و ")


class Tables(Struct, frozen=True):
    """The rows as they stand in the files, by the name of the table."""

    places: Sequence[Row] = ()
    places_names: Sequence[Row] = ()
    elsewhere_names: Sequence[Row] = ()
    geonames: Sequence[Row] = ()
    geonames_admin1: Sequence[Row] = ()
    districts: Sequence[Row] = ()
    towns: Sequence[Row] = ()
    border: Sequence[Row] = ()
    segments: Sequence[Row] = ()

    def lines(self, name: str) -> Iterator[tuple[int, Row]]:
        """Return a table's rows with their line in the file, whose header is line 1."""
        return enumerate(getattr(self, name), start=2)


def shipped() -> Tables:
    """Return the tables of the package."""
    return Tables(**{name: table(f"{name}.csv") for name in COLUMNS})


def problems(tables: Tables | None = None) -> list[Problem]:
    """Return what is wrong with the tables, those of the package if none are given."""
    given = tables or shipped()
    # A table without its columns cannot be read further.
    found = list(_columns(given)) or [p for check in _CHECKS for p in check(given)]
    return sorted(set(found))


def spelling(name: str) -> str:
    """Return a name with one letter for all its typings, for comparison.

    >>> spelling("خيبر‌پښتونخوا") == spelling("خیبر پښتونخوا")
    True
    """
    bare = "".join(c for c in name if not unicodedata.combining(c))
    return " ".join(bare.translate(_SAME).split())


def _say(name: str, line: int, text: str) -> Problem:
    return Problem(f"{name}.csv", line, text)


def _columns(tables: Tables) -> Iterator[Problem]:
    for name, columns in COLUMNS.items():
        for line, row in tables.lines(name):
            if tuple(row) != columns or None in row.values():
                yield _say(name, line, f"columns are not {', '.join(columns)}")
                break


def _units(tables: Tables) -> Iterator[Problem]:
    for name in ("places", "places_names", "geonames", "geonames_admin1", "districts"):
        for line, row in tables.lines(name):
            if row.get("kind") == "mask":
                continue
            unit = AREAS.get(row["unit"])
            if unit is None:
                yield _say(name, line, f"no unit {row['unit']!r}")
            elif unit.country != row["country"]:
                yield _say(name, line, f"{row['unit']} is not in {row['country']!r}")


def _kinds(tables: Tables) -> Iterator[Problem]:
    for name in ("places", "places_names"):
        for line, row in tables.lines(name):
            if row["kind"] not in _KINDS:
                yield _say(name, line, f"no kind {row['kind']!r}")
            elif row["kind"] == "mask":
                if row["unit"] or row["country"] or row["precision"]:
                    yield _say(name, line, "a mask names no place")
            elif row["precision"] not in _PRECISIONS:
                yield _say(name, line, f"no precision {row['precision']!r}")


def _twice(tables: Tables) -> Iterator[Problem]:
    keys: dict[str, Callable[[Row], tuple[str, ...]]] = {
        "places": lambda r: (r["name"], r["unit"]),
        "places_names": lambda r: (spelling(r["name"]), r["language"], r["unit"]),
        "elsewhere_names": lambda r: (spelling(r["name"]), r["language"]),
        "geonames": lambda r: (r["geonameid"],),
        "geonames_admin1": lambda r: (r["country"], r["admin1code"]),
        "districts": lambda r: (r["unit"], r["district"]),
        "towns": lambda r: (r["place"].casefold(), r["unit"]),
        "border": lambda r: (r["id"],),
        "segments": lambda r: (r["id"],),
    }
    for name, key in keys.items():
        seen: dict[tuple[str, ...], int] = {}
        for line, row in tables.lines(name):
            first = seen.setdefault(key(row), line)
            if first != line:
                yield _say(name, line, f"{key(row)[0]!r} stands in line {first} already")


def _script(tables: Tables) -> Iterator[Problem]:
    for name in ("places_names", "elsewhere_names"):
        for line, row in tables.lines(name):
            if row["language"] not in ALPHABETS:
                yield _say(name, line, f"no language {row['language']!r}")
            else:
                yield from _letters(name, line, row["name"], row["language"])
            if not _REVIEWERS.fullmatch(row["reviewer"]):
                yield _say(name, line, f"no reviewer {row['reviewer']!r}")
    for name in ("geonames", "districts", "border"):
        for line, row in tables.lines(name):
            for code in LANGUAGES:
                for written in filter(None, row[code].split("|")):
                    yield from _letters(name, line, written, code)


def _letters(name: str, line: int, written: str, code: str) -> Iterator[Problem]:
    letters = {c for c in written if not unicodedata.combining(c)}
    foreign = "".join(sorted(letters - ALPHABETS[code]))
    if foreign:
        yield _say(name, line, f"{written!r} has letters foreign to {code}: {foreign}")
    elif not spelling(written):
        yield _say(name, line, "no name")


def _labels(tables: Tables) -> Iterator[Problem]:
    known = {(r["unit"], r["name"]) for r in tables.places}
    known |= {(unit.code, unit.name) for unit in AREAS.values()}
    for line, row in tables.lines("places_names"):
        if row["kind"] != "mask" and (row["unit"], row["place"]) not in known:
            yield _say("places_names", line, f"places.csv has no {row['place']!r} in {row['unit']}")
    for line, row in tables.lines("districts"):
        if (row["unit"], row["district"]) not in known:
            yield _say("districts", line, f"places.csv has no {row['district']!r} in {row['unit']}")


def _ambiguous(tables: Tables) -> Iterator[Problem]:
    """Of the units that share a name one at most may have it without need of context."""
    sure: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for line, row in tables.lines("places_names"):
        if row["kind"] == "name":
            units = sure[row["language"], spelling(row["name"])]
            units.setdefault(row["unit"], line)
            if len(units) > 1 and units[row["unit"]] == line:
                other = next(iter(units))
                yield _say(
                    "places_names", line, f"{row['name']!r} means {other} too: weak in one of them"
                )


def _elsewhere(tables: Tables) -> Iterator[Problem]:
    ours = {(r["language"], spelling(r["name"])) for r in tables.places_names}
    for line, row in tables.lines("elsewhere_names"):
        if not _ISO3.fullmatch(row["country"]) or row["country"] in _BOXES:
            yield _say("elsewhere_names", line, f"not elsewhere: {row['country']!r}")
        if (row["language"], spelling(row["name"])) in ours:
            yield _say("elsewhere_names", line, f"{row['name']!r} stands in places_names.csv")


def _coordinates(tables: Tables) -> Iterator[Problem]:
    for line, row in tables.lines("geonames"):
        if not _inside(row, row["country"]):
            yield _say("geonames", line, f"{row['name']} lies outside {row['country']}")
    for line, row in tables.lines("border"):
        if not all(_inside(row, country) for country in _BOXES):
            yield _say("border", line, f"{row['id']} does not lie where the countries meet")


def _inside(row: Row, country: str) -> bool:
    try:
        latitude, longitude = float(row["latitude"]), float(row["longitude"])
    except ValueError:
        return False
    south, north, west, east = _BOXES.get(country, (0.0, 0.0, 0.0, 0.0))
    return south <= latitude <= north and west <= longitude <= east


def _crosswalk(tables: Tables) -> Iterator[Problem]:
    if not tables.geonames_admin1:
        return
    reached = {row["unit"] for row in tables.geonames_admin1}
    for unit in AREAS.values():
        if not unit.is_country and unit.code not in reached:
            yield _say("geonames_admin1", 1, f"no code leads to {unit.code}")


def _parts(tables: Tables) -> Iterator[Problem]:
    known = {(r["unit"], r["district"]) for r in tables.districts}
    for line, row in tables.lines("districts"):
        fits = ("settled", "merged") if row["unit"] == _DIVIDED else ("",)
        if row["part"] not in fits:
            yield _say("districts", line, f"{row['unit']} has no part {row['part']!r}")
        if row["within"] and (row["unit"], row["within"]) not in known:
            yield _say("districts", line, f"no district {row['within']!r} in {row['unit']}")


def _towns(tables: Tables) -> Iterator[Problem]:
    known = {(r["unit"], r["district"]) for r in tables.districts}
    places = {(r["unit"], r["name"]) for r in tables.places}
    for line, row in tables.lines("towns"):
        if (row["unit"], row["place"]) not in places:
            yield _say("towns", line, f"places.csv has no {row['place']!r} in {row['unit']}")
        if row["source"] not in _SOURCES:
            yield _say("towns", line, f"no source {row['source']!r}")
        for district in row["district"].split("|"):
            if (row["unit"], district) not in known:
                yield _say("towns", line, f"no district {district!r} in {row['unit']}")


def _one_meaning(tables: Tables) -> Iterator[Problem]:
    """A name means one thing in all its typings, and it takes one step to the district."""
    stated = {(r["unit"], r["place"]): r["district"].split("|") for r in tables.towns}
    typed: dict[tuple[str, str], list[str]] = {}
    for line, row in tables.lines("towns"):
        unit, place, among = row["unit"], row["place"], row["district"].split("|")
        if typed.setdefault((unit, letters(place)), among) != among:
            yield _say("towns", line, f"{place!r} means {typed[unit, letters(place)]} too")
        if among == [place] or len(set(among)) < len(among):
            yield _say("towns", line, f"{place!r} says nothing new")
        for district in among:
            if district not in stated.get((unit, district), among):
                yield _say("towns", line, f"{district!r} is itself another name: give the district")


def _sides(tables: Tables) -> Iterator[Problem]:
    known = {(r["unit"], r["district"]) for r in tables.districts}
    for name in ("border", "segments"):
        for line, row in tables.lines(name):
            for side, prefix in (("af", "AF-"), ("pk", "PK-")):
                unit, district = row[f"{side}_unit"], row[f"{side}_district"]
                if (unit, district) not in known or not unit.startswith(prefix):
                    yield _say(name, line, f"no district {district!r} in {unit} on side {prefix}")


def _border(tables: Tables) -> Iterator[Problem]:
    joined = {segment_id(dict(row)) for row in tables.segments}
    for line, row in tables.lines("segments"):
        if row["id"] != segment_id(dict(row)):
            yield _say("segments", line, f"{row['id']!r} is not the id of its districts")
        if row["certainty"] not in get_args(Certainty):
            yield _say("segments", line, f"no certainty {row['certainty']!r}")
    for line, row in tables.lines("border"):
        if segment_id(dict(row)) not in joined:
            yield _say("border", line, f"no segment {segment_id(dict(row))!r}")
        if row["status"] not in get_args(Status) or not _YEAR.fullmatch(row["as_of"]):
            yield _say("border", line, f"no status {row['status']!r} as of {row['as_of']!r}")


_CHECKS: Final[tuple[Callable[[Tables], Iterator[Problem]], ...]] = (
    _units, _kinds, _twice, _script, _labels, _ambiguous, _elsewhere, _coordinates, _crosswalk,
    _parts, _towns, _one_meaning, _sides, _border,
)  # fmt: skip
