"""Foreign rows to reports: which of their fields is which of ours.

A mapping is data (TOML or a dict). Nothing is guessed: a field that is not mapped stays unknown,
a value that a table does not list is refused, and a day alone is never turned into a moment
except by the one rule for replay that `known_at` states.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from detectors.records import Casualties, EventType, IncidentRecord, Interval, Precision, Report
from streams.sources.base import RowError, clip, stable_id, validated

#: A happening that is dated to a longer span says too little about when (UCDP has such rows).
LONGEST_INTERVAL_DAYS: Final = 31

_OFFSET: Final = re.compile(r"([+-])(\d{2}):?(\d{2})")
_ADMIN1: Final = re.compile(r"[A-Z]{2}-[A-Z0-9]{1,3}")
_COUNTRY: Final = re.compile(r"[A-Z]{3}")
_LAST_MOMENT: Final = time(23, 59, 59, tzinfo=UTC)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(_Strict):
    """Where one of our fields is found in a row: a path, or a constant.

    Attributes:
        path: A column's name, or keys and indexes joined by dots (`place.names.0`).
        const: The same value for every row.
        split: Cuts a cell that lists several values; the first that is not blank counts.
        values: Their value to ours; a value that is not listed is refused.
        format: A `strptime` format, where a time is not in ISO 8601.
        timezone: `UTC` or an offset such as `+04:30`, for times that state no zone.
    """

    path: str | None = None
    const: str | int | None = None
    split: str | None = None
    values: dict[str, str] | None = None
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
        value = self.const if self.path is None else _look_up(row, self.path)
        if isinstance(value, (dict, list, bool)):
            raise RowError("bad_value", f"{self.path}: neither a text nor a number")
        text = "" if value is None else str(value).strip()
        if self.split:
            text = next((part.strip() for part in text.split(self.split) if part.strip()), "")
        if not text:
            return None
        if self.values is None:
            return text
        if text not in self.values:
            raise RowError("unmapped_value", f"{self.path}: {text!r}")
        return self.values[text]


def _column(value: object) -> object:
    return {"path": value} if isinstance(value, str) else value


ColumnSpec = Annotated[Column, BeforeValidator(_column)]


class RangeMapping(_Strict):
    """Where a number of people is found; `low` and `high` are `best` where not mapped."""

    best: ColumnSpec
    low: ColumnSpec | None = None
    high: ColumnSpec | None = None


class RecordMapping(_Strict):
    """Where a structured incident's fields are found (`IncidentRecord`)."""

    event: ColumnSpec
    start: ColumnSpec
    end: ColumnSpec | None = None
    country: ColumnSpec | None = None
    admin1: ColumnSpec | None = None
    place: ColumnSpec | None = None
    precision: ColumnSpec | None = None
    actors: tuple[ColumnSpec, ...] = ()
    killed: RangeMapping | None = None
    injured: RangeMapping | None = None
    civilians_killed: RangeMapping | None = None


class FieldMapping(_Strict):
    """Where a report's fields are found. `id` is the row's own id, if it has a stable one."""

    id: ColumnSpec | None = None
    title: ColumnSpec
    text: ColumnSpec | None = None
    url: ColumnSpec | None = None
    publisher: ColumnSpec | None = None
    language: ColumnSpec | None = None
    seen_at: ColumnSpec | None = None
    published_at: ColumnSpec | None = None
    record: RecordMapping | None = None


class Origin(_Strict):
    """What a row's source says of itself, where the row says nothing."""

    source: Annotated[str, Field(min_length=1)]
    publisher: str | None = None
    language: str | None = None


def to_report(
    row: Mapping[str, Any], mapping: FieldMapping, origin: Origin, seen_at: datetime | None
) -> Report:
    """Turn one foreign row into a report.

    Args:
        row: The row, by their names.
        mapping: Where our fields are.
        origin: The source's id, publisher and language.
        seen_at: The moment of a live poll; None in replay, where the row itself must tell.

    Raises:
        RowError: The row cannot become a report, and why.
    """
    record = _record(row, mapping.record) if mapping.record else None
    title = clip(_text(row, mapping.title) or "", "title")
    text = clip(_text(row, mapping.text) or "", "text")
    if not (title or text or record):
        raise RowError("empty_item", "neither a title nor a text nor a record")
    url = _text(row, mapping.url)
    occurred = record.occurred if record else None
    own_id = _text(row, mapping.id) or ""
    return validated(
        Report(
            id=stable_id(origin.source, own_id, url or "", title, text, repr(record)),
            source=origin.source,
            seen_at=seen_at or _replayed(row, mapping, occurred),
            title=title,
            text=text,
            publisher=_text(row, mapping.publisher) or origin.publisher,
            url=url if (url or "").startswith(("http://", "https://")) else None,
            published_at=_instant(row, mapping.published_at),
            language=_text(row, mapping.language) or origin.language,
            record=record,
        )
    )


def known_at(day: date, occurred: Interval | None) -> datetime:
    """Return when a report that gives only a day of publication counts as known, in replay.

    The last second of that day in UTC: by then it was out in every time zone of the region. Some
    listed days come before the happening was over, because the page named was begun earlier and
    extended; such a report counts as known on the day after, which is the median delay between
    an event and its first listed source (UCDP GED 23.1, Afghanistan, January to June 2020).
    """
    if occurred is not None and day < occurred.end:
        day = occurred.end + timedelta(days=1)
    return datetime.combine(day, _LAST_MOMENT)


def interval(start: date, end: date) -> Interval:
    """Return the days from `start` to `end`.

    Raises:
        RowError: They are in the wrong order (`bad_interval`) or too many (`interval_too_long`).
    """
    days = (end - start).days + 1
    if days < 1:
        raise RowError("bad_interval", f"{start} to {end}")
    if days > LONGEST_INTERVAL_DAYS:
        raise RowError("interval_too_long", f"{days} days from {start}")
    return Interval(start, end)


def casualties(low: int, best: int, high: int) -> Casualties:
    """Return a range that holds all three numbers, in whatever order the source gave them.

    >>> casualties(low=2, best=6, high=5)
    Casualties(low=2, best=6, high=6)
    """
    return Casualties(min(low, best, high), best, max(low, best, high))


def day_of(text: str) -> date:
    """Return the day of an ISO 8601 date, or of a date and time, whose time is dropped.

    Raises:
        RowError: It is neither (`bad_time`).
    """
    try:
        return datetime.fromisoformat(text).date()
    except ValueError as error:
        raise RowError("bad_time", repr(text)) from error


def count_of(text: str, name: str) -> int:
    """Return a number of people.

    Raises:
        RowError: It is not a whole number of at least nought (`bad_value`).
    """
    try:
        number = float(text)
    except ValueError as error:
        raise RowError("bad_value", f"{name}: {text!r}") from error
    if not (0 <= number < 10_000_000) or number != int(number):
        raise RowError("bad_value", f"{name}: {text!r}")
    return int(number)


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


def _look_up(row: Mapping[str, Any], path: str) -> object:
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


def _text(row: Mapping[str, Any], column: Column | None) -> str | None:
    return column.text(row) if column else None


def _needed(row: Mapping[str, Any], column: Column, name: str) -> str:
    text = column.text(row)
    if text is None:
        raise RowError("missing_value", name)
    return text


def _replayed(row: Mapping[str, Any], mapping: FieldMapping, occurred: Interval | None) -> datetime:
    for column in (mapping.seen_at, mapping.published_at):
        text = _text(row, column)
        if column and text:
            moment = _moment(text, column)
            return moment if isinstance(moment, datetime) else known_at(moment, occurred)
    raise RowError("missing_time", "no column says when the row was first seen")


def _instant(row: Mapping[str, Any], column: Column | None) -> datetime | None:
    text = _text(row, column)
    if column is None or text is None:
        return None
    moment = _moment(text, column)
    return moment if isinstance(moment, datetime) else None


def _moment(text: str, column: Column) -> datetime | date:
    """Read a moment with its zone, or a day where no time of day is given."""
    try:
        if column.format:
            moment = datetime.strptime(text, column.format)  # noqa: DTZ007 - the zone is asked for below
            is_day = not any(mark in column.format for mark in ("%H", "%I", "%c", "%X", "%s"))
        else:
            moment = datetime.fromisoformat(text)
            is_day = ":" not in text and "T" not in text
    except ValueError as error:
        raise RowError("bad_time", repr(text)) from error
    if is_day:
        return moment.date()
    if moment.tzinfo is None and column.timezone is None:
        raise RowError("bad_time", f"{text!r} states no zone")
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone_of(str(column.timezone)))
    return moment.astimezone(UTC)


def _record(row: Mapping[str, Any], mapping: RecordMapping) -> IncidentRecord:
    start = day_of(_needed(row, mapping.start, "start"))
    end = _text(row, mapping.end)
    actors = (_text(row, column) for column in mapping.actors)
    event: EventType = _needed(row, mapping.event, "event")  # type: ignore[assignment]  # validated with the report
    precision: Precision | None = _text(row, mapping.precision)  # type: ignore[assignment]  # likewise
    return IncidentRecord(
        event=event,
        occurred=interval(start, day_of(end) if end else start),
        country=_code(_text(row, mapping.country), _COUNTRY, "country"),
        admin1=_code(_text(row, mapping.admin1), _ADMIN1, "admin1"),
        place=_text(row, mapping.place),
        precision=precision,
        actors=tuple(actor for actor in actors if actor),
        killed=_range(row, mapping.killed, "killed"),
        injured=_range(row, mapping.injured, "injured"),
        civilians_killed=_range(row, mapping.civilians_killed, "civilians_killed"),
    )


def _code(text: str | None, pattern: re.Pattern[str], name: str) -> str | None:
    if text is not None and not pattern.fullmatch(text):
        raise RowError("bad_value", f"{name}: {text!r}")
    return text


def _range(row: Mapping[str, Any], mapping: RangeMapping | None, name: str) -> Casualties | None:
    best = _text(row, mapping.best) if mapping else None
    if mapping is None or best is None:
        return None
    low = _text(row, mapping.low) or best
    high = _text(row, mapping.high) or best
    return casualties(count_of(low, name), count_of(best, name), count_of(high, name))
