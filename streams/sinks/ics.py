"""iCalendar (RFC 5545): each alert as an event, from its opening to the end of its claim's days.

An event takes no time from whoever reads it, and is tentative: a score has observed nothing. A
retracted alert is a cancelled event, so that calendars take it out; one that is resolved or expired
stays, and its title says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import ClassVar, Final

from icalendar import Calendar, Event

from detectors.records import Alert
from detectors.world.units import name_of
from streams.sinks.documents import (
    DocumentInfo,
    DocumentSink,
    Format,
    horizon_end,
    latest,
    uuid_of,
)
from streams.sinks.links import page_of
from streams.wording import DISCLAIMER, details, headline

#: What a text may not have (RFC 5545, 3.1 and 3.3.11); line ends are "\n" here.
_NOT_TEXT: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


def render(alerts: Iterable[Alert], info: DocumentInfo) -> bytes:
    """Write alerts as a calendar, the ones changed last first."""
    calendar = Calendar()
    calendar.add("prodid", "-//Tocsin//Alerts//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("name", _text(info.title))  # RFC 7986
    calendar.add("x-wr-calname", _text(info.title))  # what readers know from before it
    calendar.add("description", DISCLAIMER)
    for alert in latest(alerts):
        calendar.add_component(_event(alert, info))
    document: bytes = calendar.to_ical()
    return document


def _event(alert: Alert, info: DocumentInfo) -> Event:
    event = Event()
    event.add("uid", str(uuid_of(info, "alert", alert.id)))
    event.add("sequence", alert.revision)
    event.add("dtstamp", _second(alert.at))
    event.add("created", _second(alert.opened_at))
    event.add("last-modified", _second(alert.at))
    event.add("dtstart", _second(alert.opened_at))
    if (end := horizon_end(alert)) > alert.opened_at:
        event.add("dtend", end)
    event.add("summary", _text(headline(alert)))
    event.add("description", _text(details(alert)))
    event.add("location", _text(name_of(alert.unit)))
    event.add("categories", [_text(each) for each in (alert.signal, alert.severity, alert.state)])
    event.add("status", "CANCELLED" if alert.state == "retracted" else "TENTATIVE")
    event.add("transp", "TRANSPARENT")
    if page := page_of(alert.id, info.console_url):
        event.add("url", page)
    return event


def _second(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(microsecond=0)


def _text(text: str) -> str:
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return _NOT_TEXT.sub("\N{REPLACEMENT CHARACTER}", lines)


class IcsSink(DocumentSink):
    """Keeps a calendar for each subscription."""

    name: ClassVar[str] = "ics"
    form: ClassVar[Format] = Format(
        extension="ics", content_type="text/calendar; charset=utf-8", render=render
    )
