"""What an event is about: PLOVER's contexts, by the phrases that name them.

A type says what was done, a context in which field of life: a protest about girls' schools, talks
about trade. The names in `contexts.csv` are those of the data that PLOVER's authors publish
(37 contexts), with `humanitarian`, which the manual (draft 0.8, 2021; Open Event Data Alliance, CC
BY-SA 4.0) and its conversion table have besides; `also` lists what drafts of the manual call the
same. The phrases of each language are tables (`contexts_<language>.csv`). A context of an event is
named in the sentences that tell it; that an attack has the context `election` means that elections
are spoken of, not why it was made.

The phrases have a matcher of their own, which reads only sentences that gave an event: it costs
other news nothing, and a phrase such as "court in Kabul" can hide no place and no term.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from detectors.coding.phrases import LANGUAGES as LANGUAGES
from detectors.coding.phrases import MASK as MASK
from detectors.coding.phrases import Phrases
from detectors.tables import rows

_HERE: Final = "detectors.coding"


@cache
def vocabulary() -> dict[str, str]:
    """Return every context with its meaning."""
    return {row["context"]: row["meaning"] for row in rows(_HERE, "contexts.csv")}


@cache
def _names() -> dict[str, str]:
    table = rows(_HERE, "contexts.csv")
    older = {name: row["context"] for row in table for name in row["also"].split(";") if name}
    return older | {row["context"]: row["context"] for row in table}


def known(name: str) -> str | None:
    """Return the context of a name as data sets write it, or None.

    >>> known("pro-democracy"), known("disease"), known("sport")
    ('pro_democracy', 'health', None)
    """
    return _names().get(name.strip().lower().replace("-", "_").replace(" ", "_"))


def named(text: str, language: str) -> tuple[str, ...]:
    """Return the contexts that a text names, sorted.

    Args:
        text: One sentence or some, in the plain form that the dictionaries read
            (`detectors.coding.tongue.Text.plain`).
        language: One of `LANGUAGES`.

    >>> named("traders protest at the closure of the border", "en")
    ('economic', 'migration')
    """
    found = _phrases(language).find(f" {' '.join(text.split())} ")
    return tuple(sorted({context for match in found for context in match.meanings}))


@cache
def _phrases(language: str) -> Phrases:
    table = rows(_HERE, f"contexts_{language}.csv")
    return Phrases(((row["phrase"], row["context"]) for row in table), language)
