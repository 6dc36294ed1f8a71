"""A sketch of a text, by which a reprint is known without keeping the text.

MinHash (Broder 1997) over shingles of three words, cut to the lowest byte of each hash (b-bit
minwise hashing, Li & König 2010): `HASHES` bytes estimate the Jaccard similarity of two texts with
a standard error of at most .06.
"""

from __future__ import annotations

import struct
from base64 import b64decode, b64encode
from functools import lru_cache
from math import ceil
from typing import Final

from rensa import RMinHash

HASHES: Final = 64
SHINGLE: Final = 3  # words
FEWEST: Final = 4  # shingles: a shorter text is like too many others
_MOST: Final = 400  # words read
_SEED: Final = 1_997
#: The hashes with their lowest byte first, and the bytes of each.
_WORDS: Final = struct.Struct(f"<{HASHES}I")
_BYTES: Final = 4
_CHANCE: Final = 1 / 256  # that two hashes of unlike texts share their lowest byte


def sketch(plain: str) -> str:
    """Return the sketch of a text given as its words with spaces between, "" where it is short.

    >>> sketch("too short")
    ''
    """
    words = plain.split(maxsplit=_MOST)[:_MOST]
    if len(words) < FEWEST + SHINGLE - 1:
        return ""
    hashes = RMinHash(num_perm=HASHES, seed=_SEED)
    hashes.update(list(map(" ".join, zip(words, words[1:], words[2:], strict=False))))
    return b64encode(_WORDS.pack(*hashes.digest())[::_BYTES]).decode()


@lru_cache(maxsize=8_192)
def bits(sketch: str) -> int:
    """Return a sketch, which is not "", as a number that `alike` takes."""
    return int.from_bytes(b64decode(sketch), "big")


def alike(one: int, other: int) -> int:
    """Return how many of the hashes of two texts agree, from 0 to `HASHES`."""
    return (one ^ other).to_bytes(HASHES, "big").count(0)


def similarity(one: str, other: str) -> float | None:
    """Return the estimated Jaccard similarity of two texts by their sketches, from 0 to 1.

    None where either has no sketch.
    """
    if not one or not other:
        return None
    return max(0.0, (alike(bits(one), bits(other)) / HASHES - _CHANCE) / (1 - _CHANCE))


def hashes_of(similarity: float) -> int:
    """Return how many agreeing hashes a similarity comes to."""
    return ceil(HASHES * (similarity * (1 - _CHANCE) + _CHANCE))
