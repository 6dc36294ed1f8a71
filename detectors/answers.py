"""How long warnings stand before anybody answers them: the other half of the record.

A warning is an alert that reached severity `warning`. It stands from then until an analyst first
acknowledges it, or retracts it; until it ends; or until now. The median time to an answer is that
of Kaplan & Meier (1958, JASA 53), where one that ended or stands unanswered counts for as long as
it stood and no longer. Signal M2 cannot tell this: it is about others' warnings in the reports, and
no signal knows of analysts' acts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, Literal

from msgspec import Struct

from detectors.life import LIVING
from detectors.records import Alert
from detectors.signals.warning_gap import median_time

_HOUR: Final = 3_600.0
Ending = Literal["answered", "waiting", "ended"]


class Stood(Struct, frozen=True):
    """How long a warning stood without an answer, and what ended that."""

    hours: float
    ending: Ending


class Answers(Struct, frozen=True):
    """What became of some warnings."""

    warnings: int
    answered: int  # acknowledged, or retracted
    waiting: int  # they live, and nobody has answered
    ended: int  # without an answer
    median_hours: int | None  # to an answer; None: it is not reached
    longest_hours: float | None  # that one stood, or stands; None: there were no warnings


def stood(revisions: Sequence[Alert], now: datetime) -> Stood | None:
    """Return how long an alert stood unanswered; None: it never was a warning.

    Args:
        revisions: All of the alert, the first first.
        now: Stream time.
    """
    since = next((each.at for each in revisions if each.severity != "watch"), None)
    if since is None:
        return None
    for each in revisions:
        if each.acknowledged_at is not None or each.state == "retracted":
            return Stood(_hours(since, each.acknowledged_at or each.at), "answered")
        if each.state not in LIVING and each.at >= since:
            return Stood(_hours(since, each.at), "ended")
    return Stood(_hours(since, now), "waiting")


def answers(known: Iterable[Stood]) -> Answers:
    """Sum up what became of warnings."""
    every = list(known)
    count = {ending: sum(each.ending == ending for each in every) for ending in _ENDINGS}
    times = [(int(each.hours), each.ending == "answered") for each in every]
    return Answers(
        warnings=len(every),
        answered=count["answered"],
        waiting=count["waiting"],
        ended=count["ended"],
        median_hours=median_time(times),
        longest_hours=max((round(each.hours, 1) for each in every), default=None),
    )


_ENDINGS: Final[tuple[Ending, ...]] = ("answered", "waiting", "ended")


def _hours(since: datetime, until: datetime) -> float:
    # It may have been acknowledged while it was a watch: then it never stood unanswered.
    return max(0.0, (until - since).total_seconds() / _HOUR)
