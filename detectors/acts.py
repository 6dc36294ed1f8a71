"""What analysts do with alerts: acknowledge, assign, note, dispute, retract.

Each act is a pure function of an alert and a command. It changes fields of the alert, or it cannot
be carried out, with the reason: an act is never lost silently. Silences are in `silencing.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Literal, TypeAlias

import msgspec
from msgspec import Struct

from detectors.life import ENDED, LIVING
from detectors.records import Action, Alert, AlertState, Command, Remark
from detectors.timegrid import DAY, instant, seconds

#: In which states of an alert an act on it may be done.
ALLOWED: Final[Mapping[Action, frozenset[AlertState]]] = {
    "acknowledge": LIVING,
    "unacknowledge": LIVING,
    "assign": LIVING,
    "retract": LIVING,
    "note": LIVING | ENDED,
    "dispute": LIVING | ENDED,
}
#: Seconds for which an act is remembered; one that was made before that is refused.
MEMORY: Final = 30 * DAY
#: Characters of a note or reason, and remarks on one alert: a revision must fit in a message.
LONGEST_TEXT: Final = 1_000
MOST_REMARKS: Final = 100
_LONGEST_NAME: Final = 200
#: How the remark begins that keeps the reason of a retraction.
RETRACTED: Final = "retracted: "

#: What changed, in words, and the fields that changed.
Effect: TypeAlias = tuple[str, dict[str, Any]]


class CannotBeDone(Exception):
    """An act that cannot be carried out; the text says why."""


class Refused(Struct, frozen=True):
    """An act that was not carried out, why, and the offset at which it came."""

    command: Command
    reason: str
    offset: int


def remembered_until(command: Command, end: int) -> int:
    """Return until when the id of an act must be known, that was done at `end`: seconds.

    After that it is older than `MEMORY`, and refused for that: it can never be done twice.
    """
    return max(end, seconds(command.at)) + MEMORY


def check(command: Command, end: int) -> None:
    """Refuse an act that is wrong whatever it is about.

    Raises:
        CannotBeDone: It was made too long ago, or its text is too long.
    """
    if end - seconds(command.at) > MEMORY:
        raise CannotBeDone(
            "it was made more than 30 days ago: it is done already, or came too late"
        )
    if command.note is not None and len(command.note) > LONGEST_TEXT:
        raise CannotBeDone(f"its text has more than {LONGEST_TEXT:,} characters")


def in_order(due: Iterable[tuple[int, object]]) -> list[tuple[int, Command]]:
    """Return the commands among records with offsets, in an order that no delivery changes."""
    commands = [(offset, record) for offset, record in due if isinstance(record, Command)]
    return sorted(commands, key=lambda c: (c[1].at, c[1].id, msgspec.json.encode(c[1]), c[0]))


def perform(alert: Alert, command: Command, end: int) -> Effect:
    """Return what an act changes of an alert.

    Args:
        alert: The last revision.
        command: The act.
        end: Stream time, seconds.

    Raises:
        CannotBeDone: The alert's state does not allow it, it would change nothing, or it lacks
            something.
    """
    act = _ACTS.get(command.action)
    if act is None:
        raise CannotBeDone(f"{command.action} is nothing that is done to one alert")
    if alert.state not in ALLOWED[command.action]:
        allowed = " or ".join(a for a in ("note", "dispute") if alert.state in ALLOWED[a])
        raise CannotBeDone(f"the alert is {alert.state}: it can only take a {allowed}")
    return act(alert, command, end)


def reason_of(command: Command) -> str:
    """Return the reason that an act gives.

    Raises:
        CannotBeDone: It gives none.
    """
    text = (command.note or "").strip()
    if not text:
        raise CannotBeDone(f"to {command.action} takes a reason")
    return text


def _acknowledge(alert: Alert, command: Command, end: int) -> Effect:
    if alert.acknowledged_by is not None:
        raise CannotBeDone(f"it was acknowledged before, by {alert.acknowledged_by}")
    return f"acknowledged by {command.by}", {
        "state": alert.state if alert.state == "frozen" else "acknowledged",
        "acknowledged_by": command.by,
        "acknowledged_at": alert.acknowledged_at or instant(end),
        "note": command.note,
    }


def _unacknowledge(alert: Alert, command: Command, end: int) -> Effect:
    if alert.acknowledged_by is None:
        raise CannotBeDone("nobody has acknowledged it")
    return f"acknowledgement by {alert.acknowledged_by} taken back by {command.by}", {
        "state": alert.state if alert.state == "frozen" else "open",
        "acknowledged_by": None,
        "note": None,
        **_noted(alert, command, end),
    }


def _assign(alert: Alert, command: Command, end: int) -> Effect:
    to = (command.to or "").strip()
    if not 0 < len(to) <= _LONGEST_NAME:
        raise CannotBeDone(f"to assign takes to whom, in 1 to {_LONGEST_NAME} characters")
    if to == alert.assigned_to:
        raise CannotBeDone(f"it is assigned to {to} already")
    noted = _noted(alert, command, end)
    return f"assigned to {to} by {command.by}", {"assigned_to": to, **noted}


def _note(alert: Alert, command: Command, end: int) -> Effect:
    return f"noted by {command.by}", _remarked(alert, command, "note", reason_of(command), end)


def _dispute(alert: Alert, command: Command, end: int) -> Effect:
    reason = reason_of(command)
    changes = _remarked(alert, command, "dispute", reason, end)
    return f"disputed by {command.by}: {reason}", changes


def _retract(alert: Alert, command: Command, end: int) -> Effect:
    reason = reason_of(command)
    changes = _remarked(alert, command, "note", f"{RETRACTED}{reason}", end)
    return f"retracted by {command.by}: {reason}", {"state": "retracted", **changes}


_ACTS: Final[Mapping[Action, Callable[[Alert, Command, int], Effect]]] = {
    "acknowledge": _acknowledge,
    "unacknowledge": _unacknowledge,
    "assign": _assign,
    "note": _note,
    "dispute": _dispute,
    "retract": _retract,
}


def _noted(alert: Alert, command: Command, end: int) -> dict[str, Any]:
    """Return the change by a note that goes with an act, if there is one."""
    text = (command.note or "").strip()
    return _remarked(alert, command, "note", text, end) if text else {}


def _remarked(
    alert: Alert, command: Command, kind: Literal["note", "dispute"], text: str, end: int
) -> dict[str, Any]:
    if len(alert.remarks) >= MOST_REMARKS:
        raise CannotBeDone(f"it has {MOST_REMARKS} remarks already")
    return {"remarks": (*alert.remarks, Remark(command.by, instant(end), kind, text))}
