"""From what was typed to a subscription: names to codes, texts to hours and days."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal, TypeVar, cast, get_args

from msgspec import Struct

from detectors.delivery_records import Digest, Escalation, Quiet, Subscription
from detectors.records import Direction, Severity
from detectors.world.units import UNITS, Kind, Unit
from streams.commands import times
from streams.commands.base import Problem, near

if TYPE_CHECKING:
    from streams.subscribing import Invalid

T = TypeVar("T", bound=str)

_DAYS: Final = (
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
)  # fmt: skip
_EVERY: Final[dict[str, Literal["day", "week"]]] = {"daily": "day", "weekly": "week"}
_CLOCK: Final = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_LIST: Final[dict[Kind, str]] = {
    "country": "tocsin world units --kind country", "admin1": "tocsin world units",
    "border": "tocsin world units --kind border", "dyad": "tocsin world units --kind dyad",
    "actor": "tocsin world units --kind actor",
}  # fmt: skip


class Filters(Struct, frozen=True):
    """Which alerts are asked for, as typed; several of one kind ask for any of them."""

    countries: Sequence[str] = ()
    units: Sequence[str] = ()
    borders: Sequence[str] = ()
    actors: Sequence[str] = ()
    signals: Sequence[str] = ()
    directions: Sequence[str] = ()
    minimum_severity: str = "watch"
    minimum_probability: float = 0.0
    unplaced: bool = False


class Timing(Struct, frozen=True):
    """When, and how much, as typed."""

    digest: str | None = None
    at: str | None = None
    weekday: str | None = None
    quiet: str | None = None
    quiet_override: str | None = None
    time_zone: str = "UTC"
    most_per_week: int | None = None
    escalate_after: float | None = None
    escalate_to: str | None = None


def with_filters(base: Subscription, given: Filters) -> Subscription:
    """Return a subscription that asks for just these alerts.

    Raises:
        Problem: A name is unknown; the text says what may be meant.
    """
    from msgspec.structs import replace

    from detectors.signals import SIGNALS

    units = {
        *(unit_named(each, "--country", ("country",)) for each in given.countries),
        *(unit_named(each, "--unit", get_args(Kind)) for each in given.units),
        *(unit_named(each, "--border", ("border",)) for each in given.borders),
        *(unit_named(each, "--actor", ("actor",)) for each in given.actors),
    }
    return replace(
        base,
        units=tuple(sorted(units)),
        signals=tuple(dict.fromkeys(one_of(s, SIGNALS, "--signal") for s in given.signals)),
        directions=tuple(
            dict.fromkeys(one_of(d, get_args(Direction), "--direction") for d in given.directions)
        ),
        minimum_severity=one_of(given.minimum_severity, _severities(), "--minimum-severity"),
        minimum_probability=given.minimum_probability,
        unplaced=given.unplaced,
    )


def with_timing(base: Subscription, given: Timing) -> Subscription:
    """Return a subscription that is told at these times only.

    Raises:
        Problem: A value is none, or two of them do not go together.
    """
    from msgspec.structs import replace

    return replace(
        base,
        digest=_digest(given),
        quiet=_quiet(given),
        time_zone=given.time_zone,
        most_per_week=given.most_per_week,
        escalation=_escalation(given),
    )


def unit_named(given: str, option: str, kinds: Sequence[Kind]) -> str:
    """Return the code of the unit of some kinds that has this code or English name.

    Raises:
        Problem: There is none, or it is of another kind.
    """
    wanted = _folded(given)
    found = [u for u in UNITS.values() if wanted in (_folded(u.code), _folded(u.name))]
    for unit in found:
        if unit.kind in kinds:
            return unit.code
    if found:
        raise Problem(f"{option} {given!r} is a unit of the kind {found[0].kind}: use --unit")
    known = [name for unit in UNITS.values() if unit.kind in kinds for name in _names(unit)]
    mend = near(given, known) or f"; {_LIST[kinds[0]]} lists them"
    raise Problem(f"{option}: no watched unit is called {given!r}{mend}")


def _names(unit: Unit) -> tuple[str, str]:
    return unit.code, unit.name


def _folded(text: str) -> str:
    """Fold case, and dashes, which few keyboards have."""
    return text.casefold().replace("\N{EN DASH}", "-").strip()


def one_of(given: str, known: Iterable[T], option: str) -> T:
    """Return the known value that was meant, whatever its case.

    Raises:
        Problem: There is none.
    """
    every = list(known)
    for each in every:
        if given.casefold() == each.casefold():
            return each
    mend = near(given, every) or f"; there are {', '.join(every)}"
    raise Problem(f"{option}: {given!r} is unknown{mend}")


def _severities() -> tuple[Severity, ...]:
    return cast(tuple[Severity, ...], get_args(Severity))


def _digest(given: Timing) -> Digest | None:
    if given.digest is None:
        if given.at is not None or given.weekday is not None:
            raise Problem("--at and --weekday say when a digest comes: add --digest daily")
        return None
    every = _EVERY[one_of(given.digest, _EVERY, "--digest")]
    if every == "day" and given.weekday is not None:
        raise Problem("--weekday is for --digest weekly")
    day = one_of(given.weekday or _DAYS[0], _DAYS, "--weekday")
    return Digest(every, clock(given.at or "07:00", "--at"), _DAYS.index(day))


def _quiet(given: Timing) -> Quiet | None:
    if given.quiet is None:
        if given.quiet_override is not None:
            raise Problem("--quiet-override says what breaks --quiet: add it")
        return None
    first, dash, until = given.quiet.replace("\N{EN DASH}", "-").partition("-")
    if not dash:
        raise Problem(f"--quiet {given.quiet!r}: write two times, for example 22:00-07:00")
    override = one_of(given.quiet_override or "critical", _severities(), "--quiet-override")
    return Quiet(clock(first, "--quiet"), clock(until, "--quiet"), override)


def _escalation(given: Timing) -> Escalation | None:
    if (given.escalate_after is None) != (given.escalate_to is None):
        raise Problem("--escalate-after HOURS and --escalate-to ID go together")
    if given.escalate_after is None or given.escalate_to is None:
        return None
    if not given.escalate_after > 0:
        raise Problem("--escalate-after: hours above 0")
    return Escalation(given.escalate_after, given.escalate_to)


def clock(given: str, option: str) -> str:
    """Return a time of day as it is written down.

    >>> clock("7:05", "--at")
    '07:05'

    Raises:
        Problem: It is none.
    """
    found = _CLOCK.fullmatch(given.strip())
    if found is None:
        raise Problem(f"{option} {given!r} is no time of day: write 07:00")
    return f"{int(found[1]):02d}:{found[2]}"


def since(given: str | None, now: datetime) -> datetime | None:
    """Return the instant that `--since` names: a day, an instant, or 7d or 12h before now.

    Raises:
        Problem: It names none.
    """
    if given is None:
        return None
    ago = times.length(given)
    if ago is not None:
        return now - ago
    return times.instant(given, "--since", "2026-03-01, 2026-03-01T06:00Z, 7d or 12h")


#: The options that fields of a subscription are set with.
_OPTIONS: Final = {
    "id": "ID", "sink": "SINK", "address": "ADDRESS", "units": "--unit", "signals": "--signal",
    "directions": "--direction", "minimum_severity": "--minimum-severity",
    "language": "--language", "time_zone": "--time-zone", "most_per_week": "--most-per-week",
    "quiet": "--quiet", "owner": "--owner", "escalation": "--escalate-to",
}  # fmt: skip


def problem_of(invalid: Invalid) -> Problem:
    """Return what is wrong with a subscription in the words of the command line."""
    mend = near(invalid.given, invalid.known)
    if not mend and 0 < len(invalid.known) <= 30:
        mend = f"; there are {', '.join(invalid.known)}"
    return Problem(f"{_OPTIONS.get(invalid.field, invalid.field)}: {invalid}{mend}")
