"""Which signals an alert is about: what subscriptions, lists and the store look for it by."""

from __future__ import annotations

from detectors.records import Alert
from detectors.signals.counting import REMARKABLE


def signals_of(alert: Alert) -> frozenset[str]:
    """Return every signal that an alert revision rests on: the one it is called after, its parts.

    A part that adds next to nothing is none. Parts come and go with the revisions: an alert that is
    over has none but the first.
    """
    weighty = (part.signal for part in alert.parts if part.strength >= REMARKABLE)
    return frozenset((alert.signal, *weighty))
