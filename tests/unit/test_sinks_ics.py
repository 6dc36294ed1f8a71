"""iCalendar: what a calendar reads back of each alert."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar, Event
from msgspec.structs import replace

from detectors.records import Alert
from streams.sinks.documents import horizon_end
from streams.sinks.ics import render
from streams.wording import DISCLAIMER, details, headline
from tests.alert_records import alert
from tests.documents import LIFE, STORY, any_alerts, golden, info, last

INFO = info()


def parse(document: bytes) -> list[Event]:
    """Return the events, once the calendar keeps to the rules of RFC 5545."""
    assert document.endswith(b"\r\n")
    assert all(len(line) <= 75 for line in document.split(b"\r\n"))  # 3.1
    assert b"\n" not in document.replace(b"\r\n", b"")
    calendar = Calendar.from_ical(document)
    assert (calendar["VERSION"], calendar["METHOD"]) == ("2.0", "PUBLISH")
    assert calendar["PRODID"]
    assert calendar.errors == []
    events = list(calendar.walk("VEVENT"))
    assert all(each.errors == [] for each in events)
    assert len({str(each["UID"]) for each in events}) == len(events)
    return events


def test_the_calendar_is_as_it_was() -> None:
    document = render(STORY, INFO)
    assert document == golden("feed.ics", document)


@settings(max_examples=50, deadline=None)
@given(alerts=any_alerts())
def test_any_alerts_are_read_back(alerts: list[Alert]) -> None:
    events = parse(render(alerts, INFO))
    assert len(events) == len(last(alerts))
    for event in events:
        start = event.decoded("DTSTART")
        assert event.decoded("DTEND", None) is None or event.decoded("DTEND") > start
        assert str(event["DESCRIPTION"]).endswith(DISCLAIMER)
        assert event["SEQUENCE"] >= 0


@settings(max_examples=30, deadline=None)
@given(order=st.permutations(STORY + STORY[:2]))
def test_the_order_and_repeats_of_alerts_do_not_matter(order: list[Alert]) -> None:
    assert render(order, INFO) == render(STORY, INFO)


@pytest.mark.parametrize("told", LIFE, ids=lambda told: f"{told.revision}-{told.state}")
def test_an_alert_is_one_event_from_opening_to_the_end_of_its_claim(told: Alert) -> None:
    (event,) = parse(render([told], INFO))
    (first,) = parse(render(LIFE[:1], INFO))
    assert (event["UID"], event["SEQUENCE"]) == (first["UID"], told.revision)
    assert event.decoded("DTSTART") == datetime(2026, 3, 2, 6, tzinfo=UTC)
    assert event.decoded("DTEND") == datetime(2026, 3, 16, 19, 30, tzinfo=UTC) == horizon_end(told)
    assert event.decoded("DTSTAMP") == event.decoded("LAST-MODIFIED") == told.at
    assert str(event["SUMMARY"]) == headline(told)
    assert str(event["DESCRIPTION"]) == details(told)
    assert str(event["LOCATION"]) == "Kandahar"
    assert event["STATUS"] == ("CANCELLED" if told.state == "retracted" else "TENTATIVE")
    assert event["TRANSP"] == "TRANSPARENT"
    assert str(event["URL"]).startswith("https://tocsin.example/alerts/violence-burst%2F")


def test_a_claim_that_ended_before_the_alert_opened_gives_no_end() -> None:
    claim = alert(1).claim
    past = replace(claim.resolver, first_day=date(2026, 2, 1), last_day=date(2026, 2, 2))
    (event,) = parse(render([alert(1, claim=replace(claim, resolver=past))], INFO))
    assert "DTEND" not in event


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("a, b; c \\ d", "a, b; c \\ d"),
        ("one\r\ntwo\rthree\nfour", "one\ntwo\nthree\nfour"),
        ("bell \x07, null \x00", "bell �, null �"),
        ("END:VEVENT\nBEGIN:VALARM", "END:VEVENT\nBEGIN:VALARM"),
        ("حمله در قندهار " * 20, ("حمله در قندهار " * 20).strip()),
    ],
)
def test_a_text_comes_back_as_it_was(reason: str, expected: str) -> None:
    (event,) = parse(render([alert(1, reason=reason)], INFO))
    assert f"Reason: {expected}" in str(event["DESCRIPTION"])
    assert [each.name for each in event.walk()] == ["VEVENT"]


def test_a_calendar_without_alerts_is_one() -> None:
    document = render([], info(console_url=None))
    assert parse(document) == []
    (event,) = parse(render([alert(1)], info(console_url=None)))
    assert "URL" not in event


def test_categories_let_a_reader_sort() -> None:
    (event,) = parse(render([alert(1, signal="a, b")], INFO))
    found: Any = event["CATEGORIES"]
    assert [str(each) for each in found.cats] == ["a, b", "warning", "open"]
