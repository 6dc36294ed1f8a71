"""UCDP's names of countries and provinces, as they were spelt over the years, to ISO codes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

#: UCDP's country name, in lower case, to ISO 3166-1 alpha-3.
COUNTRIES: Final[Mapping[str, str]] = {"afghanistan": "AFG", "pakistan": "PAK"}

_SPELLINGS: Final[Mapping[str, str]] = {
    "AF-BAL": "balkh",
    "AF-BAM": "bamyan bamiyan bamian",
    "AF-BDG": "badghis badghes",
    "AF-BDS": "badakhshan",
    "AF-BGL": "baghlan",
    "AF-DAY": "daykundi daikundi daikondi daykondi dykundi",
    "AF-FRA": "farah",
    "AF-FYB": "faryab fariab",
    "AF-GHA": "ghazni",
    "AF-GHO": "ghor ghowr",
    "AF-HEL": "helmand hilmand",
    "AF-HER": "herat hirat",
    "AF-JOW": "jowzjan jawzjan jozjan juzjan",
    "AF-KAB": "kabul kabol",
    "AF-KAN": "kandahar qandahar",
    "AF-KAP": "kapisa kapissa",
    "AF-KDZ": "kunduz qunduz konduz kondoz",
    "AF-KHO": "khost khowst khoost",
    "AF-KNR": "kunar konar",
    "AF-LAG": "laghman",
    "AF-LOG": "logar lowgar",
    "AF-NAN": "nangarhar ningarhar",
    "AF-NIM": "nimruz nimroz",
    "AF-NUR": "nuristan nurestan nooristan",
    "AF-PAN": "panjshir panjsher panjshayr",
    "AF-PAR": "parwan parvan",
    "AF-PIA": "paktia paktya paktiya",
    "AF-PKA": "paktika",
    "AF-SAM": "samangan",
    "AF-SAR": "sarepol sarepul saripul saripol sarepol sarpul sarpol",
    "AF-TAK": "takhar",
    "AF-URU": "urozgan uruzgan oruzgan orozgan",
    "AF-WAR": "maidanwardak maydanwardak wardak wardag vardak",
    "AF-ZAB": "zabul zabol",
    "PK-BA": "balochistan baluchistan",
    "PK-GB": "gilgitbaltistan northernareas federallyadministerednorthernareas fana",
    "PK-IS": "islamabad islamabadcapitalterritory federalcapitalterritory ict",
    "PK-JK": "azadkashmir azadjammuandkashmir azadjammukashmir ajk",
    # The tribal areas were merged into Khyber Pakhtunkhwa in 2018.
    "PK-KP": "khyberpakhtunkhwa khyberpakhtunkwa khyberpakhtoonkhwa kpk northwestfrontier nwfp "
    "federallyadministeredtribalareas fata",
    "PK-PB": "punjab panjab",
    "PK-SD": "sindh sind",
}
_CODES: Final[Mapping[str, str]] = {
    spelling: code for code, spellings in _SPELLINGS.items() for spelling in spellings.split()
}
_COUNTRY_PREFIX: Final[Mapping[str, str]] = {"AFG": "AF-", "PAK": "PK-"}


def admin1_of(name: str, country: str) -> str | None:
    """Return the ISO 3166-2 code of a province's name, or None where it is not known.

    Case, accents, punctuation and the word "province" do not matter.

    >>> admin1_of("Khyber Pakhtunkwa province", "PAK"), admin1_of("FATA", "PAK")
    ('PK-KP', 'PK-KP')
    >>> admin1_of("Punjab", "AFG") is None
    True
    """
    plain = unicodedata.normalize("NFKD", name.lower())
    ascii_only = plain.encode("ascii", "ignore").decode("ascii")
    code = _CODES.get(re.sub(r"\bprovince\b|[^a-z]+", "", ascii_only))
    return code if code and code.startswith(_COUNTRY_PREFIX[country]) else None
