"""Silences: which alerts subscribers are not told of for now, until when, and why.

A silence is about all alerts of a scope, those that live and those that open while it lasts. An
alert carries the one that lasts longest. It changes nothing else of the alert's life.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from typing import Final

from msgspec import Struct

from detectors.acts import CannotBeDone, reason_of
from detectors.life import signals_of
from detectors.records import Alert, Command, Scope, Silence
from detectors.timegrid import DAY, Grid, seconds
from detectors.world.units import inside_any

#: Days that a silence may last: what is silenced for longer is forgotten.
LONGEST_DAYS: Final = 90


class Silenced(Struct, frozen=True):
    """A scope that is silent."""

    scope: Scope
    silence: Silence


def is_about(scope: Scope, alert: Alert) -> bool:
    """Return whether an alert is in a scope; a country stands for all in it, as it does for all."""
    if scope.units and alert.unit not in inside_any(scope.units):
        return False
    if scope.signals and signals_of(alert).isdisjoint(scope.signals):
        return False
    return not scope.directions or alert.direction in scope.directions


def set_silence(known: MutableMapping[str, Silenced], command: Command, end: int) -> Silenced:
    """Enter a silence under its name, in place of one of that name; return it.

    Raises:
        CannotBeDone: It lacks its scope, its end or its reason, or does not end in time.
    """
    reason = reason_of(command)
    if command.scope is None or command.until is None:
        raise CannotBeDone("to silence takes a scope and an end")
    until = seconds(command.until)
    if until <= end:
        raise CannotBeDone("the silence would be over already")
    if until - end > LONGEST_DAYS * DAY:
        raise CannotBeDone(f"a silence lasts {LONGEST_DAYS} days at most")
    silenced = Silenced(command.scope, Silence(command.by, command.until, reason))
    known[command.alert] = silenced
    return silenced


def lift(known: MutableMapping[str, Silenced], command: Command) -> None:
    """Take a silence back.

    Raises:
        CannotBeDone: There is none of that name.
    """
    if known.pop(command.alert, None) is None:
        raise CannotBeDone(f"no silence is called {command.alert!r}")


def covering(known: Mapping[str, Silenced], alert: Alert) -> Silence | None:
    """Return the silence that an alert is under: of several the one that lasts longest."""
    found = [
        (each.silence.until, name) for name, each in known.items() if is_about(each.scope, alert)
    ]
    return known[max(found)[1]].silence if found else None


def expire(known: MutableMapping[str, Silenced], end: int) -> bool:
    """Drop the silences that are over at `end`, seconds; return whether there were any."""
    over = [name for name, each in known.items() if seconds(each.silence.until) <= end]
    for name in over:
        del known[name]
    return bool(over)


def next_end(known: Iterable[Silenced], grid: Grid) -> int | None:
    """Return the first fine boundary at which a silence is over, seconds; None: there is none."""
    ends = [-(-seconds(each.silence.until) // grid.fine) * grid.fine for each in known]
    return min(ends, default=None)


def change(before: Silence | None, now: Silence | None) -> str:
    """Say how an alert's silence changed."""
    if now is not None:
        return f"silenced by {now.by} until {now.until:%Y-%m-%d %H:%M} UTC: {now.reason}"
    return f"no longer silenced (by {before.by}: {before.reason})" if before else "not silenced"
