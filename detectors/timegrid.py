"""Stream time in steps: whole seconds since 1970, on a grid of fine and coarse steps.

Inside the core, stream time is an integer: comparing and dividing it is exact and cheap. Records
carry datetimes; they are turned at the border.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final

from msgspec import Struct

DAY: Final = 86_400
HALF_DAY: Final = 43_200
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
#: Offset of local civil time from UTC, seconds. Neither country keeps daylight saving time.
LOCAL_OFFSET: Final = {"AFG": 4 * 3600 + 1800, "PAK": 5 * 3600}


class Grid(Struct, frozen=True):
    """The steps in which stream time advances, in seconds. Coarse is a multiple of fine."""

    fine: int = 60
    coarse: int = 3_600

    def __post_init__(self) -> None:
        """Refuse a grid that does not nest.

        Raises:
            ValueError: when the steps are not positive, or coarse is no multiple of fine, or a
                half day is no multiple of coarse.
        """
        if self.fine < 1 or self.coarse % self.fine or HALF_DAY % self.coarse:
            raise ValueError(
                f"steps must nest: fine {self.fine} s in coarse {self.coarse} s in half a day; "
                "use for example 60 and 3600"
            )

    def boundary_after(self, seconds: int) -> int:
        """Return the end of the fine step that contains `seconds`."""
        return (seconds // self.fine + 1) * self.fine

    def floor(self, seconds: int) -> int:
        """Return the last fine boundary at or before `seconds`."""
        return seconds - seconds % self.fine


def seconds(at: datetime) -> int:
    """Return whole seconds since 1970 of an aware datetime, rounded down."""
    passed = at - _EPOCH
    return passed.days * DAY + passed.seconds


def instant(at: int) -> datetime:
    """Return the UTC datetime of whole seconds since 1970."""
    return _EPOCH + timedelta(seconds=at)


def day_number(day: date) -> int:
    """Return days since 1970-01-01."""
    return day.toordinal() - _EPOCH_DAY


def day_of(number: int) -> date:
    """Return the date of a day number."""
    return date.fromordinal(number + _EPOCH_DAY)


def local_half_days(at: int, country: str) -> int:
    """Return how many half days of local civil time have passed since 1970 at `at`."""
    return (at + LOCAL_OFFSET.get(country, 0)) // HALF_DAY
