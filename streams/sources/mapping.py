"""Foreign rows to reports: which of their fields is which of ours.

A mapping is data (TOML or a dict). Nothing is guessed: a field that is not mapped stays unknown,
a value that a table does not list is refused, and a day alone is never turned into a moment
except by the one rule for replay that `known_at` states.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Final, Self

from pydantic import Field, model_validator

from detectors.coding.cameo import plover_of
from detectors.coding.contexts import known
from detectors.records import Casualties, EventType, IncidentRecord, Interval, Precision, Report
from streams.sources.base import RowError, clip, stable_id, validated
from streams.sources.columns import Column, ColumnSpec, Strict, look_up, zone_of

#: A happening that is dated to a longer span says too little about when (UCDP has such rows).
LONGEST_INTERVAL_DAYS: Final = 31

_ADMIN1: Final = re.compile(r"[A-Z]{2}-[A-Z0-9]{1,3}")
_COUNTRY: Final = re.compile(r"[A-Z]{3}")
_LAST_MOMENT: Final = time(23, 59, 59, tzinfo=UTC)


class RangeMapping(Strict):
    """Where a number of people is found; `low` and `high` are `best` where not mapped."""

    best: ColumnSpec
    low: ColumnSpec | None = None
    high: ColumnSpec | None = None


class RecordMapping(Strict):
    """Where a structured incident's fields are found (`IncidentRecord`).

    Attributes:
        event: The PLOVER type; or else `cameo`.
        cameo: A CAMEO code, which gives type, mode and contexts. A text: 010 and 10 are two codes.
        mode: The PLOVER mode; before that of a CAMEO code.
        contexts: PLOVER's contexts, beside those of a CAMEO code.
        start: The first day.
        end: The last day; `start` where not mapped.
    """

    event: ColumnSpec | None = None
    cameo: ColumnSpec | None = None
    mode: ColumnSpec | None = None
    contexts: ColumnSpec | None = None
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

    @model_validator(mode="after")
    def _has_one_type(self) -> Self:
        if (self.event is None) == (self.cameo is None):
            raise ValueError("record: give either event or cameo")
        return self


class FieldMapping(Strict):
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


class Origin(Strict):
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
            id=stable_id(origin.source, own_id, url or "", title, text, identity(record)),
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


#: How the text of a record ends that has none of the fields which came later.
_LATER: Final = (", themes=())", ", mode=None, contexts=())")


def identity(record: IncidentRecord | None) -> str:
    """Return a record's content as a text that stays the same when records get new fields."""
    text = repr(record)
    for later in _LATER:  # the newest field is the last
        if not text.endswith(later):
            break
        text = text.removesuffix(later) + ")"
    return text


def known_at(day: date, occurred: Interval | None) -> datetime:
    """Return when a report that gives only a day of publication counts as known, in replay.

    The last second of that day in UTC: by then it was out in every time zone of the region. Some
    listed days come before the happening was over, because the page named was begun earlier and
    extended; such a report counts as known on the day after, which is the median delay between
    an event and its first listed source (UCDP GED 23.1, Afghanistan, January to June 2020).
    """
    if occurred is not None and day < occurred.end:
        try:
            day = occurred.end + timedelta(days=1)
        except OverflowError as error:  # the last day of the calendar
            raise RowError("bad_time", str(occurred.end)) from error
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
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:  # at an end of the calendar
        raise RowError("bad_time", repr(text)) from error


def _record(row: Mapping[str, Any], mapping: RecordMapping) -> IncidentRecord:
    start = day_of(_needed(row, mapping.start, "start"))
    end = _text(row, mapping.end)
    actors = (_text(row, column) for column in mapping.actors)
    event, mode, contexts = _what(row, mapping)
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
        mode=mode,
        contexts=tuple(sorted(contexts)),
    )


def _what(row: Mapping[str, Any], mapping: RecordMapping) -> tuple[EventType, str | None, set[str]]:
    """Return the type, mode and contexts that a row states outright or by its CAMEO code."""
    mode, contexts = _text(row, mapping.mode), _contexts(row, mapping.contexts)
    if mapping.cameo is None:
        event: EventType = _text(row, mapping.event)  # type: ignore[assignment]  # validated with the report
        if event is None:
            raise RowError("missing_value", "event")
        return event, mode, contexts
    code = _needed(row, mapping.cameo, "cameo")
    if mapping.cameo.path and not isinstance(look_up(row, mapping.cameo.path), str):
        raise RowError("bad_value", f"cameo: {code} is a number, whose leading nought may be lost")
    found = plover_of(code)
    if found is None:
        raise RowError("unmapped_value", f"cameo: {code!r} has no type in PLOVER")
    return found.event, mode or found.mode, contexts | {*found.context}


def _contexts(row: Mapping[str, Any], column: Column | None) -> set[str]:
    told = list(column.texts(row)) if column else []
    unknown = [name for name in told if known(name) is None]
    if unknown:
        raise RowError("unmapped_value", f"contexts: {unknown[0]!r} is none of PLOVER's")
    return {context for name in told if (context := known(name))}


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
