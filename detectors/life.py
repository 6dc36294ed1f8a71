"""An alert's life: which state may follow which, and how a revision is written.

`NEXT` is the whole of it: `open -> acknowledged -> resolved | expired | retracted`, `frozen` while
coverage is not ok. Nothing but `revise` writes a revision, so nothing leaves the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from detectors.records import Alert, AlertState, Score
from detectors.signals.counting import REMARKABLE
from detectors.timegrid import DAY, instant, seconds

_ENDS: Final = frozenset[AlertState](("resolved", "expired", "retracted"))
#: Which states may follow a state; it may stay as it is at any time.
NEXT: Final[Mapping[AlertState, frozenset[AlertState]]] = {
    "open": frozenset[AlertState](("acknowledged", "frozen")) | _ENDS,
    "acknowledged": frozenset[AlertState](("open", "frozen")) | _ENDS,
    # In the dark nobody can tell that it is over; an analyst may know that it was none.
    "frozen": frozenset(("open", "acknowledged", "retracted")),
    "resolved": frozenset(),
    "expired": frozenset(),
    "retracted": frozenset(),
}
#: States of an alert that has ended.
ENDED: Final = frozenset(state for state, following in NEXT.items() if not following)
#: States of an alert that lives.
LIVING: Final = frozenset(NEXT) - ENDED
#: Days for which an alert can still be noted or disputed after it ended and its claim was settled.
KEPT_DAYS: Final = 30


class Case(Struct):
    """An alert in its last revision, and when it ended."""

    alert: Alert
    ended: int | None = None  # seconds; None: it lives

    @property
    def lives(self) -> bool:
        """Whether it has not ended."""
        return self.ended is None

    def is_past(self, at: int) -> bool:
        """Return whether nothing more may be said of it at `at`, seconds."""
        if self.ended is None or self.alert.outcome is None:
            return False
        last = max(self.ended, seconds(self.alert.outcome.at))
        return at - last > KEPT_DAYS * DAY


def standing(alert: Alert) -> AlertState:
    """Return the state of an alert that lives and whose coverage is ok."""
    return "acknowledged" if alert.acknowledged_by else "open"


def revise(case: Case, at: int, changed: str, **changes: Any) -> Alert:  # noqa: ANN401
    """Write the next revision of an alert.

    Args:
        case: The alert; it has the revision afterwards.
        at: Stream time, seconds.
        changed: What changes, and why.
        changes: The fields that change.

    Raises:
        RuntimeError: when its state may not be followed by the new one.
    """
    before = case.alert
    state = changes.get("state", before.state)
    if state != before.state and state not in NEXT[before.state]:
        raise RuntimeError(f"{before.id} is {before.state}: it cannot become {state}")
    if before.silence is not None and seconds(before.silence.until) <= at:
        changes = {"silence": None, **changes}  # of one that ended meanwhile
    case.alert = replace(
        before, revision=before.revision + 1, at=instant(at), changed=changed, **changes
    )
    if case.ended is None and state in ENDED:
        case.ended = at
    return case.alert


def lead(score: Score) -> str:
    """Return the signal that an alert is called after: the strongest."""
    return score.parts[0].signal if score.parts else score.signal


def signals_of(alert: Alert) -> frozenset[str]:
    """Return every signal that an alert revision rests on: the one it is called after, its parts.

    A part that adds next to nothing is none. Parts come and go with the revisions: an alert that is
    over has none but the first.
    """
    weighty = (part.signal for part in alert.parts if part.strength >= REMARKABLE)
    return frozenset((alert.signal, *weighty))


def measured(score: Score, *, evidence: bool = True) -> dict[str, Any]:
    """Return what an alert repeats of the score behind it.

    Args:
        score: The score.
        evidence: False keeps what the alert was opened on, where the score has none.
    """
    found: dict[str, Any] = {
        "p": score.p,
        "strength": score.strength,
        "parts": score.parts,
        "observed": score.observed,
        "expected": score.expected,
        "window_days": score.window_days,
        "coverage": score.coverage,
        "coverage_share": score.coverage_share,
        "reason": score.reason,
        "daily": score.daily,
        "series_end": score.series_end,
    }
    if evidence or score.evidence:
        found["evidence"] = score.evidence
    return found
