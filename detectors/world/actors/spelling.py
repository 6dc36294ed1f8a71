"""When two spellings are one name."""

from __future__ import annotations

import unicodedata
from typing import Final

#: Letters that keyboards of the region type for one another, by the one they become here.
_SAME: Final = str.maketrans(
    dict.fromkeys("يىېۍےێ", "ی")
    | dict.fromkeys("كڪ", "ک")
    | dict.fromkeys("ہھةۃە", "ه")
    | {"ګ": "گ", "\u200c": " ", "\u0640": ""}
)


def spelling(name: str) -> str:
    """Return what all typings of a name have in common, as bare words in lower case.

    >>> spelling("Jaish-e-Mohammed"), spelling("كابل") == spelling("کابل")
    ('jaish e mohammed', True)
    """
    parts = unicodedata.normalize("NFKD", name.casefold().translate(_SAME))
    bare = "".join(char for char in parts if not unicodedata.combining(char)).translate(_SAME)
    return " ".join("".join(char if char.isalnum() else " " for char in bare).split())
