"""Scores that would be said again: found once, until anything but the time has changed.

What is kept of a state is no part of what is remembered: after a restart it is found again.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from detectors.records import Score
from detectors.signals.base import Observation
from detectors.timegrid import instant


def keep(state: Any, seen: Observation, score: Score) -> None:  # noqa: ANN401
    """Keep a score that would be said again at the next step, or for as long as nothing happens.

    Args:
        state: What is remembered of a unit (a `Struct` with `dict=True`).
        seen: What the score was made of. The half day, the coverage and its share are compared;
            whether anything else has changed is for the signal to know.
        score: The score.
    """
    state.__dict__["kept"] = (seen.half_day, seen.coverage, seen.share, score)


def forget(state: Any) -> None:  # noqa: ANN401
    """Forget the score that was kept."""
    state.__dict__.pop("kept", None)


def again(state: Any, seen: Observation) -> Score | None:  # noqa: ANN401
    """Return the score that was kept, as of now; None where there is none, or it may differ."""
    kept = state.__dict__.get("kept")
    if kept is None or kept[:3] != (seen.half_day, seen.coverage, seen.share):
        return None
    score: Score = kept[3]
    id = f"{score.signal}/{score.direction}/{seen.unit}/{seen.at}"
    return replace(score, id=id, at=instant(seen.at))
