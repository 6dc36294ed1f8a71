"""The instability index of a unit as the store has it, and the words in which it is told.

The index is on the last score that sums up the rises of an area (`detectors/index.py`). Where there
is none, the score says why: the unit is dark, or what is usual there is still being learned.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final, Literal

from msgspec import Struct

from detectors.evidence import NAME
from detectors.index import KINDS
from detectors.model import UNTRAINED
from detectors.records import Coverage, Factor, Index, Score
from detectors.signals import SIGNALS
from detectors.world.units import UNITS

#: What a factor of the index means, for people: the features of `detectors/index.py`, and what
#: `detectors/model.py` adds to them.
FEATURES: Final[dict[str, str]] = {
    "pace": "the odds of an escalation were all to go on as in the last fortnight",
    "week": "the last 7 days beside the usual",
    "fortnight": "the last 14 days beside the usual",
    "month": "the last 28 days beside the usual",
    "bar": "how far above a usual fortnight an escalation lies",
    "usual": "how much is usual there",
    "bursty": "whether incidents come in bursts there",
    "since": "how long ago the last escalation was",
    "season": "what the calendar makes of the next fortnight",
    "coverage": "how much of the usual reporting can be had",
    "strength": "the evidence of all signals together",
    "rarity": "how rare such evidence is",
    "the usual": "what is so where nothing is out of the ordinary",
    "calibration": "what experience corrects",
}
_RARITY: Final = " rarity"


class Instability(Struct, frozen=True):
    """A unit's index as of its last score; None where it is not known."""

    unit: str
    at: datetime
    state: Literal["scored", "learning", "unknown"]
    coverage: Coverage
    index: Index | None


def instabilities(scores: Iterable[Score]) -> dict[str, Instability]:
    """Return what is known of the index of each area that was scored, by unit."""
    return {
        score.unit: Instability(score.unit, score.at, score.state, score.coverage, score.index)
        for score in scores
        if (score.signal, score.direction) == (NAME, "rise") and is_area(score.unit)
    }


def is_area(code: str) -> bool:
    """Whether an index is given of a unit at all."""
    return code in UNITS and UNITS[code].kind in KINDS


def brief(found: Instability | None) -> str:
    """Write an index as it stands in a table: of 100, with its 90 % interval; or why there is none.

    >>> from datetime import UTC
    >>> at, index = datetime(2026, 1, 1, tzinfo=UTC), Index(0.34, 0.21, 0.49, 14, "untrained", ())
    >>> brief(Instability("AF-KAN", at, "scored", "ok", index))
    '34 (21 to 49)'
    >>> brief(Instability("AF-KAN", at, "unknown", "dark", None)), brief(None)
    ('unknown: dark', 'unknown: not scored yet')
    """
    if found is None:
        return "unknown: not scored yet"
    if found.index is None:
        return f"unknown: {_why(found)}"
    index = found.index
    parts = (100 * each for each in (index.probability, index.low, index.high))
    return "{:.0f} ({:.0f} to {:.0f})".format(*parts)


def _why(found: Instability) -> str:
    if found.coverage == "dark" or found.state == "unknown":
        return "dark"
    return "learning" if found.state == "learning" else "what is usual is being learned"


def lead(found: Instability | None) -> str:
    """Name the factor that weighs most in an index, with what it adds; "" where there is none."""
    if found is None or found.index is None or not found.index.factors:
        return ""
    factor = found.index.factors[0]
    return f"{factor.log_odds:+.1f} {factor.name}"


def factor_line(factor: Factor) -> str:
    """Tell one factor: what it adds, in log odds, its name and value, and what that means."""
    told = f"{factor.log_odds:+.2f} from {factor.name} (value {factor.value:.2f})"
    meaning = meaning_of(factor.name)
    return f"{told}: {meaning}" if meaning else told


def meaning_of(feature: str) -> str:
    """Say what a feature means, "" where it is not known.

    >>> meaning_of("S1"), meaning_of("S1 rarity")
    ('the evidence of S1 Violence surge', 'how rare such evidence of S1 Violence surge is')
    """
    name = feature.removesuffix(_RARITY)
    if name in SIGNALS:
        title = f"{name} {SIGNALS[name].title}"
        rare = feature.endswith(_RARITY)
        return f"how rare such evidence of {title} is" if rare else f"the evidence of {title}"
    return FEATURES.get(feature, "")


def models(found: Iterable[Instability]) -> Iterator[str]:
    """Say of each model that made an index what it is, once."""
    for model in sorted({each.index.model for each in found if each.index is not None}):
        if model == UNTRAINED:
            yield (
                "The index is untrained: its model was learned on simulated worlds, not on the "
                "history of these places (tocsin train)"
            )
        else:
            yield f"The index is of the trained model {model}"
