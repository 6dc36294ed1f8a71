"""CAMEO codes in PLOVER's words: what sources coded by the older scheme say happened.

The table `cameo.csv` carries over the facts of the conversion table of the PLOVER manual (draft
0.8, 17 September 2021; edited by Philip Schrodt, Open Event Data Alliance, CC BY-SA 4.0): code,
type, mode and contexts, without its descriptions. Four readings of it are ours. Root 08 is given
there for both CONCEDE and RETREAT; as a bare root it is CONCEDE here, as its 080 is. 175
(repression) has a context in the place of its mode; it is a context here. 163 (embargo, boycott or
sanctions) is given as COERCE with mode restrict; here it is SANCTION with mode discontinue, because
the manual of the same draft defines SANCTION as every reduction of relations, formal sanctions
among them, and COERCE as restrictions of rights; PLOVER's gold record of sanctions has it so too.
Contexts have the names of `contexts.csv` (the table's `democracy` is `pro_democracy`). A code the
table leaves out takes its nearest parent's; roots 01 (statements) and 02 (appeals) have none, so
they are not coded.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from msgspec import Struct

from detectors.records import EventType
from detectors.tables import rows

_ROOT: Final = 2  # digits
_LONGEST: Final = 4


class Coding(Struct, frozen=True):
    """A PLOVER type with its mode and contexts, and the CAMEO code that was found in the table."""

    event: EventType
    mode: str | None
    context: tuple[str, ...]
    code: str


@cache
def _table() -> dict[str, Coding]:
    table: dict[str, Coding] = {}
    for row in rows("detectors.coding", "cameo.csv"):
        event: EventType = row["event"]  # type: ignore[assignment]
        context = tuple(part for part in row["context"].split(";") if part)
        table[row["code"]] = Coding(event, row["mode"] or None, context, row["code"])
    return table


def plover_of(cameo: str) -> Coding | None:
    """Return what a CAMEO code says in PLOVER, by the code itself or by its nearest parent.

    Args:
        cameo: A code of two to four digits as a text: "0311" with its leading zero.

    Returns:
        The coding, or None where neither the code nor a parent is in the table, or where the text
        is not a CAMEO code.

    >>> plover_of("1831").mode
    'suicide-attack'
    >>> plover_of("0879").code, plover_of("020")
    ('087', None)
    """
    if not (_ROOT <= len(cameo) <= _LONGEST and cameo.isascii() and cameo.isdigit()):
        return None
    table = _table()
    for digits in range(len(cameo), _ROOT - 1, -1):
        if coding := table.get(cameo[:digits]):
            return coding
    return None
