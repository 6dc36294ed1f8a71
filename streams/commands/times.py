"""Times as people write them on the command line: instants, and lengths such as 7d or 12h."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from streams.commands.base import Problem

_LENGTH: Final = re.compile(r"(\d{1,5})([dh])")


def length(given: str) -> timedelta | None:
    """Return a length of time, None where it is none.

    >>> length("12h"), length("7d"), length("2026-03-01")
    (datetime.timedelta(seconds=43200), datetime.timedelta(days=7), None)
    """
    found = _LENGTH.fullmatch(given)
    if found is None:
        return None
    return timedelta(**{"days" if found[2] == "d" else "hours": int(found[1])})


def instant(given: str, option: str, examples: str) -> datetime:
    """Return an instant; it is in UTC unless it has an offset.

    Args:
        given: A day or an instant (ISO 8601).
        option: For which it was given.
        examples: What may be written.

    Raises:
        Problem: It is none.
    """
    try:
        at = datetime.fromisoformat(given)
    except ValueError as error:
        raise Problem(f"{option} {given!r} is no time: write {examples}") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)
