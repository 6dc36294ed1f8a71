"""Bytes are a record, or are refused with a reason; nothing else can happen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detectors.records import Event, Heartbeat, Record, Report, Tick
from streams.codecs import LARGEST_BYTES, REASONS, TYPES, Rejected, check_time, decoder, encode
from tests.core_records import clock, report
from tests.struct_strategies import records

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
NOW = datetime(2026, 6, 1, tzinfo=UTC)
DECODE = decoder(Report, Heartbeat, Tick)
TEXT = encode(report("wire-1", NOW)).decode()


def _with(**changes: Any) -> bytes:
    """Return a report's JSON with fields changed, or left out where the value is `...`."""
    raw = {**msgspec.json.decode(TEXT), **changes}
    return msgspec.json.encode({k: v for k, v in raw.items() if v is not ...})


REFUSED = [
    pytest.param(b"", "broken_json", id="nothing at all"),
    pytest.param(b"\x00", "broken_json", id="a zero byte"),
    pytest.param(TEXT[:-1].encode(), "broken_json", id="a torn record"),
    pytest.param(TEXT.encode() * 2, "broken_json", id="two records at once"),
    pytest.param(b"<rss></rss>", "broken_json", id="XML"),
    pytest.param(b'{"type": NaN}', "broken_json", id="a number that is none"),
    pytest.param(TEXT.encode("utf-16"), "invalid_utf8", id="UTF-16"),
    pytest.param(
        TEXT.replace("Report", "R\u00e9port").encode("latin-1"), "invalid_utf8", id="Latin-1"
    ),
    pytest.param(TEXT.encode() + b" " * 5_000_000, "too_large", id="five megabytes"),
    pytest.param(_with(text="x" * 5_000_000), "too_large", id="a text of five megabytes"),
    pytest.param(b"[]", "wrong_type", id="a list"),
    pytest.param(b"null", "wrong_type", id="null"),
    pytest.param(b'"report.v1"', "wrong_type", id="a string"),
    pytest.param(_with(type=...), "missing_field", id="no type"),
    pytest.param(_with(type=None), "missing_field", id="a type of null"),
    pytest.param(_with(type="report.v2"), "unknown_schema", id="a version from the future"),
    pytest.param(_with(type="event.v1"), "unknown_schema", id="a record of another topic"),
    pytest.param(_with(type=1), "unknown_schema", id="a type that is a number"),
    pytest.param(_with(type=["report.v1"]), "unknown_schema", id="a type that is a list"),
    pytest.param(_with(type={"a": 1}), "unknown_schema", id="a type that is an object"),
    pytest.param(_with(seen_at=...), "missing_field", id="no time"),
    pytest.param(_with(id=...), "missing_field", id="no id"),
    pytest.param(_with(colour="red"), "unknown_field", id="a field that is not in the schema"),
    pytest.param(_with(id=""), "wrong_type", id="an empty id"),
    pytest.param(_with(id=7), "wrong_type", id="an id that is a number"),
    pytest.param(_with(seen_at="yesterday"), "wrong_type", id="a time in words"),
    pytest.param(_with(seen_at="2026-06-01T00:00:00"), "wrong_type", id="a time without a zone"),
    pytest.param(_with(seen_at="2026-13-01T00:00:00Z"), "wrong_type", id="a thirteenth month"),
    pytest.param(_with(seen_at=1780000000), "wrong_type", id="a time as a number"),
    pytest.param(_with(title="x" * 2_001), "wrong_type", id="a title that is too long"),
    pytest.param(_with(text="x" * 200_001), "wrong_type", id="a text that is too long"),
    pytest.param(
        _with(id="X").replace(b"X", rb"\ud800"), "broken_json", id="half of a surrogate pair"
    ),
    pytest.param(
        _with(record={"event": "ASSAULT"}), "missing_field", id="a part with a field missing"
    ),
    pytest.param(_with(record={"event": "LOVE"}), "wrong_type", id="an event type that is unknown"),
]


@pytest.mark.parametrize(("value", "reason"), REFUSED)
def test_what_is_no_record_is_refused_with_its_reason(value: bytes, reason: str) -> None:
    with pytest.raises(Rejected) as refused:
        DECODE(value)
    assert refused.value.reason == reason
    assert refused.value.detail
    assert str(refused.value).startswith(reason)


TIMES = [
    pytest.param(datetime(1970, 1, 1, tzinfo=UTC), "time_too_old", id="1970"),
    pytest.param(datetime(1999, 12, 31, 23, tzinfo=UTC), "time_too_old", id="before 2000"),
    pytest.param(datetime(2100, 1, 1, tzinfo=UTC), "time_in_future", id="2100"),
    pytest.param(NOW + timedelta(days=1, seconds=1), "time_in_future", id="more than a day ahead"),
    pytest.param(NOW + timedelta(hours=23), None, id="a clock that runs ahead"),
    pytest.param(datetime(2000, 1, 1, tzinfo=UTC), None, id="2000"),
    pytest.param(NOW, None, id="now"),
]


@pytest.mark.parametrize(("at", "reason"), TIMES)
@pytest.mark.parametrize("kind", ["report", "heartbeat", "tick"])
def test_a_time_that_cannot_be_is_refused(at: datetime, reason: str | None, kind: str) -> None:
    kinds: dict[str, Report | Heartbeat | Tick] = {
        "report": report("a", at),
        "heartbeat": Heartbeat("wire", at),
        "tick": Tick(0, 1, at),
    }
    record = kinds[kind]
    assert DECODE(encode(record)) == record
    if reason is None:
        check_time(record, NOW)
        return
    with pytest.raises(Rejected) as refused:
        check_time(record, NOW)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        pytest.param("0001-01-01T00:00:00+23:59", "time_too_old", id="before the calendar"),
        pytest.param("9999-12-31T23:59:59-23:59", "time_in_future", id="after the calendar"),
    ],
)
def test_a_time_at_the_end_of_the_calendar_is_refused_like_any_other(at: str, reason: str) -> None:
    record = DECODE(_with(seen_at=at))
    with pytest.raises(Rejected) as refused:
        check_time(record, NOW)
    assert refused.value.reason == reason


def test_every_reason_is_reached_and_says_what_to_do() -> None:
    reached = {str(case.values[1]) for case in (*REFUSED, *TIMES) if case.values[1]}
    # Of records that were read: `test_coding_bad_input.py`, `test_alert_agent.py`, deliveries.
    later = {"coding_failed", "act_refused", "undelivered"}
    assert reached | later == set(REASONS)
    assert all(": " in advice for advice in REASONS.values())


def test_the_largest_record_is_read_and_one_byte_more_is_not() -> None:
    value = TEXT.encode()
    padded = value + b" " * (LARGEST_BYTES - len(value))
    assert DECODE(padded) == DECODE(value)
    with pytest.raises(Rejected, match="too_large"):
        DECODE(padded + b" ")


def _decodes_or_is_refused(value: bytes) -> None:
    try:
        found = DECODE(value)
    except Rejected as refused:
        found = refused
    assert isinstance(found, Report | Heartbeat | Tick) or found.reason in REASONS


@unhurried
@given(st.binary(max_size=300))
def test_any_bytes_decode_or_are_refused(value: bytes) -> None:
    _decodes_or_is_refused(value)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)


@unhurried
@given(st.dictionaries(st.sampled_from(["type", *Report.__struct_fields__, "x"]), anything))
def test_any_object_decodes_or_is_refused(raw: dict[str, Any]) -> None:
    _decodes_or_is_refused(msgspec.json.encode(raw))
    _decodes_or_is_refused(msgspec.json.encode({**msgspec.json.decode(TEXT), **raw}))


@unhurried
@given(st.integers(0, len(TEXT) - 1), st.binary(min_size=0, max_size=3))
def test_a_record_with_a_few_bytes_changed_decodes_or_is_refused(at: int, put: bytes) -> None:
    value = TEXT.encode()
    _decodes_or_is_refused(value[:at] + put + value[at + 1 :])


@pytest.mark.parametrize("depth", [500, 5_000, 100_000])
def test_deep_nesting_is_refused(depth: int) -> None:
    with pytest.raises(Rejected):
        DECODE(b"[" * depth + b"]" * depth)
    with pytest.raises(Rejected):
        DECODE(b'{"type":' * depth + b"1" + b"}" * depth)


@pytest.mark.parametrize("type_", TYPES, ids=lambda t: str(t.__name__))
def test_records_survive_the_wire(type_: type[Record]) -> None:
    decode = decoder(type_)

    @given(records(type_))
    @settings(max_examples=25, deadline=None)
    def survives(record: Record) -> None:
        value = encode(record)
        again = decode(value)
        assert again == record
        assert encode(again) == value

    survives()


def test_a_missing_value_is_not_written_and_zero_is() -> None:
    raw = msgspec.json.decode(encode(report("a", clock())))
    assert "url" not in raw
    known = Event("e", "AFG", "r", "s", "p", clock(), "ASSAULT", None, None)
    assert msgspec.json.decode(encode(known))["occurred"] is None
