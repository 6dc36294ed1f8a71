"""On whose soil an armed group is said to shelter: not who says so, though that is named first."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from detectors.coding import script
from detectors.coding.places import Mention, is_located

if TYPE_CHECKING:
    from detectors.coding.story import Told

_NEVER: Final = re.compile("\0")
_LONGEST: Final = 12  # characters, of a word for soil before a name


def _any(words: str) -> str:
    return "|".join(map(script.key, words.split()))


#: Words for the ground of a state just after its name or nationality.
_AFTER: Final = {
    "en": re.compile(r"(?: s)? (?:soil|territory|territories|land)(?![^ ])"),
    "ps": re.compile(rf" (?:له )?(?:{_any('خاوره خاورې')})(?![^ ])"),
    "ur": re.compile(rf" (?:(?:کی|کے) )?(?:{_any('سرزمین علاقے علاقوں')})(?![^ ])"),
}
#: The same just before it.
_BEFORE: Final = {
    "fa": re.compile(rf"(?<![^ ])(?:{_any('خاک قلمرو')}) $"),
    "ar": re.compile(rf"(?<![^ ])(?:{_any('أراضي الأراضي')}) $"),
}


def soil_of(telling: Iterable[Told]) -> str | None:
    """Return the country that some sentences place something in, ISO 3166-1 alpha-3, if any.

    Its soil, where that is named, goes before what only locates.
    """
    located: str | None = None
    for told in telling:
        plain, where = told.sentence.text.plain, told.tongue.where
        for mention in told.places:
            country = _country(mention)
            if _is_soil(mention, plain, told.tongue.code):
                return country
            if located is None and not _is_nationality(mention):
                located = country if is_located(mention, plain, where) else None
    return located


def _country(mention: Mention) -> str | None:
    return mention.candidates[0].country if mention.candidates else mention.elsewhere


def _is_nationality(mention: Mention) -> bool:
    return bool(mention.candidates) and mention.candidates[0].kind == "demonym"


def _is_soil(mention: Mention, plain: str, language: str) -> bool:
    if _AFTER.get(language, _NEVER).match(plain, mention.end):
        return True
    before = plain[max(0, mention.start - _LONGEST) : mention.start]
    return bool(_BEFORE.get(language, _NEVER).search(before))
