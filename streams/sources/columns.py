"""Where one field is found in a foreign row, and how its cell is read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, timedelta, timezone, tzinfo
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from streams.sources import fips
from streams.sources.base import RowError

_OFFSET: Final = re.compile(r"([+-])(\d{2}):?(\d{2})")


class Strict(BaseModel):
    """A part of a configuration: an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(Strict):
    """Where one of our fields is found in a row: a path, or a constant.

    Attributes:
        path: A column's name, or keys and indexes joined by dots (`place.names.0`).
        const: The same value for every row.
        split: Cuts a cell that lists several values; the first that is not blank counts (of
            contexts all do).
        values: Their value to ours; a value that is not listed is refused.
        codes: A list of codes that is built in, for values that `values` does not list: `fips`,
            of provinces.
        format: A `strptime` format, where a time is not in ISO 8601.
        timezone: `UTC` or an offset such as `+04:30`, for times that state no zone.
    """

    path: str | None = None
    const: str | int | None = None
    split: str | None = None
    values: dict[str, str] | None = None
    codes: Literal["fips"] | None = None
    format: str | None = None
    timezone: str | None = None

    @model_validator(mode="after")
    def _is_one_of_the_two(self) -> Self:
        if (self.path is None) == (self.const is None):
            raise ValueError("give either path or const")
        if self.timezone is not None:
            zone_of(self.timezone)
        return self

    def text(self, row: Mapping[str, Any]) -> str | None:
        """Return the row's value as text; None where it is missing or blank.

        Raises:
            RowError: It is a list or an object (`bad_value`), or not listed (`unmapped_value`).
        """
        return next(iter(self.texts(row)), None)

    def texts(self, row: Mapping[str, Any]) -> Iterator[str]:
        """Yield the row's values as texts: several where `split` cuts the cell.

        Raises:
            RowError: As `text` does, where it comes to the value.
        """
        value = self.const if self.path is None else look_up(row, self.path)
        if isinstance(value, (dict, list, bool)):
            raise RowError("bad_value", f"{self.path}: neither a text nor a number")
        text = "" if value is None else str(value)
        for part in text.split(self.split) if self.split else (text,):
            if part.strip() and (ours := self._ours(part.strip())):
                yield ours

    def _ours(self, text: str) -> str:
        """Return our value of theirs; a code that says that nothing is known gives ""."""
        if self.values is not None and text in self.values:
            return self.values[text]
        if self.codes is not None:
            unit = fips.unit_of(text)
            if unit is not None:
                return unit
        elif self.values is None:
            return text
        raise RowError("unmapped_value", f"{self.path}: {text!r}")


def _column(value: object) -> object:
    return {"path": value} if isinstance(value, str) else value


ColumnSpec = Annotated[Column, BeforeValidator(_column)]


def zone_of(text: str) -> tzinfo:
    """Return the zone of `UTC` or of an offset such as `+04:30`.

    Raises:
        ValueError: It is neither.
    """
    if text == "UTC":
        return UTC
    match = _OFFSET.fullmatch(text)
    if match is None:
        raise ValueError(f"timezone: {text!r} is neither UTC nor an offset such as +04:30")
    sign, hours, minutes = match.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-offset if sign == "-" else offset)


def look_up(row: Mapping[str, Any], path: str) -> object:
    """Return what stands at a path of a row: a column, or keys and indexes joined by dots."""
    if path in row:  # a name may hold dots itself
        return row[path]
    value: Any = row
    for key in path.split("."):
        if isinstance(value, Mapping):
            value = value.get(key)
        elif isinstance(value, list) and key.isdecimal() and int(key) < len(value):
            value = value[int(key)]
        else:
            return None
    return value
