"""In which district a town lies, and which names are one district.

Reports of one incident name its place at different grain: the town, its district, an older name of
the district, or a wider area. `towns.csv` says which district such a name stands for. Where it
gives several, the name is that of a city or an area that spans them ("Karachi"), or of a district
with the one it was cut from some years ago. A name that no table knows keeps its own name: two
places are never taken for one on a guess.

`source` says whence a row comes: `project` was written for this project from general knowledge,
`UCDP GED` follows the towns and districts of the UCDP Georeferenced Event Dataset (CC BY 4.0).
A frontier region of Khyber Pakhtunkhwa counts as the settled district it is now `within`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from typing import Final

from msgspec import Struct

from detectors.world.border import districts, table
from detectors.world.sound import sound_of

#: Consonants a name must have for its sound alone to tell it: two fit too many names.
_TELLING: Final = 3
#: Units whose names have no settled English spelling. In Pakistan, where English is official, they
#: have, and names that sound alike are different towns: Bannu and Buni, Kandiaro and Kandiari.
_MANY_SPELLINGS: Final = "AF-"


class Meaning(Struct, frozen=True):
    """What a name of a place stands for."""

    district: str  # the district it is or lies in, or "" where it spans several
    reach: frozenset[str]  # every district in which a report may place what happened there


def district_of(place: str, unit: str) -> str:
    """Return the district that a town, an area or another name of it stands for.

    Args:
        place: An English name, in any common spelling.
        unit: The admin1 unit it lies in, ISO 3166-2.

    Returns:
        The name of one district as `districts.csv` has it; the place itself where it is not known
        or spans several.

    >>> district_of("Gereshk", "AF-HEL"), district_of("Nahr-i-Saraj", "AF-HEL")
    ('Nahr-e Saraj', 'Nahr-e Saraj')
    >>> district_of("Karachi", "PK-SD"), district_of("Gereshk", "AF-KAB")
    ('Karachi', 'Gereshk')
    """
    return meaning(place, unit).district or place


def districts_of(place: str, unit: str) -> frozenset[str]:
    """Return every district that a name may stand for; none where it is not known.

    Two names may tell of one place where these have a district in common.

    >>> sorted(districts_of("Dara-i-Suf", "AF-SAM"))
    ['Dara-e Suf Bala', 'Dara-e Suf Payin']
    >>> districts_of("Lyari", "PK-SD") <= districts_of("Karachi", "PK-SD")
    True
    """
    return meaning(place, unit).reach


@lru_cache(maxsize=16_384)
def meaning(place: str, unit: str) -> Meaning:
    """Return what a name stands for in a unit: by its letters, or else by its sound."""
    by_letters, by_sound = _index(unit)
    return by_letters.get(letters(place)) or by_sound.get(sound_of(place)) or _UNKNOWN


_UNKNOWN: Final = Meaning("", frozenset())


def letters(name: str) -> str:
    """Return the Latin letters and digits of a name, in lower case.

    >>> letters("Dera Ismāʿīl Khān")
    'deraismailkhan'
    """
    return re.sub(r"[^a-z0-9]", "", unicodedata.normalize("NFKD", name.lower()))


@cache
def _index(unit: str) -> tuple[Mapping[str, Meaning], Mapping[str, Meaning]]:
    """Return what the names of a unit stand for: by their letters, and by their sounds."""
    stated = {name: frozenset({name}) for code, name in districts() if code == unit}
    stated |= {
        row["place"]: frozenset(row["district"].split("|"))
        for row in table("towns.csv")
        if row["unit"] == unit
    }
    meant = {name: _meaning(name, unit, stated) for name in stated}
    by_letters = _certain((letters(name), found) for name, found in meant.items())
    if not unit.startswith(_MANY_SPELLINGS):
        return by_letters, {}
    by_sound = _certain((sound_of(name), found) for name, found in meant.items())
    return by_letters, {key: found for key, found in by_sound.items() if len(key) >= _TELLING}


def _meaning(name: str, unit: str, stated: Mapping[str, frozenset[str]]) -> Meaning:
    own = {districts()[unit, district].within or district for district in stated[name]}
    reach = frozenset(own).union(*(stated[district] for district in own))
    if len(own) == 1:
        return Meaning(next(iter(own)), reach)
    return Meaning(name if name in own else "", reach)


def _certain(pairs: Iterable[tuple[str, Meaning]]) -> dict[str, Meaning]:
    """Return what each key stands for, without the keys that stand for different districts."""
    found: dict[str, Meaning] = {}
    unsure: set[str] = set()
    for key, meant in pairs:
        if found.setdefault(key, meant) != meant:
            unsure.add(key)
    return {key: meant for key, meant in found.items() if key not in unsure}
