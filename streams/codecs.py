"""Records to bytes and back, and what is wrong with bytes that are no record.

A topic's values are JSON, tagged with the record's type and version. What does not decode is
rejected with one of `REASONS`, never guessed at.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from detectors.delivery_records import Delivery, Parcel, Subscription
from detectors.records import (
    Alert,
    Command,
    Event,
    Heartbeat,
    Record,
    Report,
    Score,
    SourceHealth,
    Tick,
)

#: Why a record is refused, and what to do about it.
REASONS: Final[dict[str, str]] = {
    "too_large": "the record is larger than a report may be: send less text",
    "invalid_utf8": "the bytes are not UTF-8: send UTF-8",
    "broken_json": "the bytes are not one JSON value: mend the producer",
    "unknown_schema": "no record has this type and version: upgrade, or send a known one",
    "missing_field": "a required field is missing: see the topic's schema",
    "unknown_field": "a field is not in the schema: remove it, or raise the version",
    "wrong_type": "a field has the wrong type or is out of bounds: see the topic's schema",
    "time_too_old": "the time is before 2000: send when the report was first seen, in UTC",
    "time_in_future": "the time is more than a day ahead of the clock: set the source's clock",
    "undelivered": "no attempt to deliver it succeeded: mend the channel, then send it again",
    "act_refused": "what an analyst asked for cannot be done: see the detail, then ask anew",
    "coding_failed": "reading the report met with a defect: report it, upgrade, then replay",
}
LARGEST_BYTES: Final = 1_000_000
EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_AHEAD: Final = timedelta(days=1)

_encoder: Final = msgspec.json.Encoder()
encode: Final[Callable[[Record], bytes]] = _encoder.encode

TYPES: Final[tuple[type[Record], ...]] = (
    Report, Heartbeat, Tick, Event, Score, Alert, Command, SourceHealth, Subscription, Parcel,
    Delivery,
)  # fmt: skip
_TAGS: Final = {record.__struct_config__.tag: record for record in TYPES}


def tag_of(record: type[Any]) -> str:
    """Return the type and version that a record carries on the wire."""
    return str(record.__struct_config__.tag)


class Rejected(Exception):
    """Bytes that are no record, with a reason of `REASONS` and the detail."""

    def __init__(self, reason: str, detail: str) -> None:
        """Take the reason code and what exactly was wrong."""
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def decoder(*types: type[Record]) -> Callable[[bytes], Any]:
    """Return a function that decodes a value of one of `types`.

    It raises `Rejected` for anything else.
    """
    fast = msgspec.json.Decoder(_union(types)).decode

    def decode(value: bytes) -> Any:  # noqa: ANN401 - one of `types`
        if len(value) > LARGEST_BYTES:
            raise Rejected("too_large", f"{len(value)} bytes, at most {LARGEST_BYTES}")
        try:
            return fast(value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise _explain(value, types, error) from error

    return decode


def _union(types: tuple[type[Record], ...]) -> Any:  # noqa: ANN401 - a typing special form
    union: Any = types[0]
    for record in types[1:]:
        union = union | record
    return union


def _explain(  # noqa: PLR0911 - one return for each reason
    value: bytes, types: tuple[type[Record], ...], error: Exception
) -> Rejected:
    """Find out what is wrong with bytes that did not decode; slow, and rarely needed."""
    try:
        value.decode("utf-8")
    except UnicodeDecodeError as bad:
        return Rejected("invalid_utf8", str(bad))
    try:
        raw = msgspec.json.decode(value)
    except RecursionError:
        return Rejected("wrong_type", "nested too deeply")
    except msgspec.DecodeError as bad:
        return Rejected("broken_json", str(bad))
    if not isinstance(raw, dict):
        return Rejected("wrong_type", f"expected an object, got {type(raw).__name__}")
    tag = raw.get("type")
    if tag is None:
        return Rejected("missing_field", "type")
    if not isinstance(tag, str) or _TAGS.get(tag) not in types:
        known = ", ".join(sorted(str(t.__struct_config__.tag) for t in types))
        return Rejected("unknown_schema", f"{tag!r}; this topic carries {known}")
    text = str(error)
    if "missing required field" in text:
        return Rejected("missing_field", text)
    if "unknown field" in text:
        return Rejected("unknown_field", text)
    return Rejected("wrong_type", text)


def check_time(record: Report | Heartbeat | Tick, now: datetime) -> None:
    """Refuse a record whose stream time cannot be.

    One such time would carry the watermark away with it, for all sources.

    Raises:
        Rejected: `time_too_old` before 2000, `time_in_future` more than a day after `now`.
    """
    at = record.time if isinstance(record, Tick) else record.seen_at
    if at < EARLIEST:
        raise Rejected("time_too_old", at.isoformat())
    if at > now + _AHEAD:
        raise Rejected("time_in_future", at.isoformat())


def schema(record: type[Record]) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a record."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **msgspec.json.schema(record),
    }
