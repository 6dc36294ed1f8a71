"""CAP 1.2 (OASIS, July 2010; ITU-T X.1303 bis): one message for each revision of an alert.

What an aggregator of CAP expects is an Atom index whose entries lead to the messages: the index
names the last message of each alert, the folder beside it holds all of them, so that what a
message refers to can be found.

A message is the same in every document and is never altered: its identifier is made from the
alert, the revision and the status.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import ClassVar, Final
from urllib.parse import quote

from lxml import etree

from detectors.records import Alert, AlertState, Severity
from detectors.world.units import name_of
from streams.sinks import feed
from streams.sinks.documents import (
    DocumentInfo,
    DocumentSink,
    Format,
    Part,
    areas_of,
    horizon_end,
    latest,
    uuid_of,
)
from streams.sinks.links import page_of
from streams.sinks.markup import add, root, written
from streams.wording import details, headline

NAMESPACE: Final = "urn:oasis:names:tc:emergency:cap:1.2"
CONTENT_TYPE: Final = "application/cap+xml; charset=utf-8"
FOLDER: Final = "cap"
_UUID: Final = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"

#: A score is of what is unusual: how grave an alert is never reaches CAP's "Extreme".
_SEVERITY: Final[dict[Severity, str]] = {
    "watch": "Minor",
    "warning": "Moderate",
    "critical": "Severe",
}
#: States in which nothing can be said now, or no more.
_URGENCY: Final[dict[AlertState, str]] = {
    "frozen": "Unknown",
    "resolved": "Past",
    "expired": "Past",
    "retracted": "Past",
}
#: These take back what was said; "resolved" says how it went on, which is no cancellation.
_CANCELLED: Final[tuple[AlertState, ...]] = ("expired", "retracted")


def render(alerts: Iterable[Alert], info: DocumentInfo) -> bytes:
    """Write the index: an Atom feed of the last message of each alert.

    The addresses of the messages are relative to the index, so that both can be served anywhere.

    Raises:
        ValueError: There is no alert and `info.empty_since` is None.
    """

    def message_of(alert: Alert) -> feed.Link:
        id = identifier(alert, info)
        return feed.Link(f"urn:uuid:{id}", f"{info.name}.{FOLDER}/{id}.xml", "application/cap+xml")

    return feed.index(alerts, info, "cap", message_of)


def messages(alerts: Iterable[Alert], info: DocumentInfo) -> Iterator[Part]:
    """Yield the message of every revision of the alerts that the index names."""
    for last in latest(alerts):
        # Two at once, or one that the store forgot, would be told all the same.
        known = {each.revision: each for each in (*info.revisions(last.id), last)}
        told = [known[number] for number in sorted(known) if number <= last.revision]
        for count, revision in enumerate(told):
            render_it = partial(message, revision, told[:count], info)
            yield Part(f"{identifier(revision, info)}.xml", render_it)


def message(alert: Alert, earlier: Sequence[Alert], info: DocumentInfo) -> bytes:
    """Write the CAP message of one revision.

    Args:
        alert: The revision.
        earlier: The revisions before it, which the message replaces or takes back.
        info: What the document says of itself.
    """
    top = root(NAMESPACE, "alert")
    add(top, "identifier", identifier(alert, info))
    add(top, "sender", _sender(info))
    add(top, "sent", _time(alert.at))
    add(top, "status", info.cap_status)
    add(top, "msgType", _type(alert, earlier))
    add(top, "scope", "Public")
    note = [f"Exercise of {info.source}"] if info.cap_status == "Exercise" else []
    note += [alert.changed] if alert.state in _CANCELLED and alert.changed else []
    if note:
        add(top, "note", ": ".join(note))
    if earlier:
        names = (f"{_sender(info)},{identifier(e, info)},{_time(e.at)}" for e in earlier)
        add(top, "references", " ".join(names))
    _info(top, alert, info)
    return written(top)


def identifier(alert: Alert, info: DocumentInfo) -> str:
    """Return a message's identifier: the same for ever, and another for another status."""
    return str(uuid_of(info, "cap", f"{info.cap_status}/{alert.revision}/{alert.id}"))


def _info(top: etree._Element, alert: Alert, info: DocumentInfo) -> None:
    block = add(top, "info")
    add(block, "language", "en")
    add(block, "category", "Security")
    indicator = alert.claim.resolver.indicator.replace("_", " ")
    add(block, "event", f"{alert.direction} of {indicator}")
    urgency = _URGENCY.get(alert.state, "Future")
    add(block, "responseType", "None" if urgency == "Past" else "Monitor")
    add(block, "urgency", urgency)
    add(block, "severity", _SEVERITY[alert.severity])
    add(block, "certainty", _certainty(alert))
    # Of a claim whose days are over by now there is no end still to come.
    if (end := horizon_end(alert)) > alert.at:
        add(block, "expires", _time(end))
    add(block, "senderName", "Tocsin")
    add(block, "headline", headline(alert))
    add(block, "description", details(alert))
    if page := page_of(alert.id, info.console_url):
        add(block, "web", page)
    for name, value in _parameters(alert):
        _named(block, "parameter", name, value)
    _area(block, alert)


def _area(block: etree._Element, alert: Alert) -> None:
    """Name the areas; CAP has no word for an unknown one, so then there is none."""
    areas = areas_of(alert.unit)
    if areas:
        area = add(block, "area")
        add(area, "areaDesc", name_of(alert.unit))
        for code in areas:
            _named(area, "geocode", "ISO3166-2" if "-" in code else "ISO3166-1", code)


def _parameters(alert: Alert) -> Iterator[tuple[str, str]]:
    claim = alert.claim
    yield "alert", alert.id
    yield "revision", str(alert.revision)
    yield "state", alert.state
    yield "signal", alert.signal
    yield "probability", f"{claim.probability:g}"
    yield "baseRate", f"{claim.base_rate:g}"
    yield "horizonDays", str(claim.horizon_days)
    yield "observed", "unknown" if alert.observed is None else str(alert.observed)
    yield "expected", "unknown" if alert.expected is None else f"{alert.expected:g}"
    yield "coverage", alert.coverage
    yield "coverageShare", f"{alert.coverage_share:g}"
    if alert.outcome:
        yield "verdict", alert.outcome.verdict


def _type(alert: Alert, earlier: Sequence[Alert]) -> str:
    if alert.state in _CANCELLED:
        return "Cancel"
    return "Update" if earlier else "Alert"


def _certainty(alert: Alert) -> str:
    """Return how sure the claim is in CAP's words; a score has observed nothing."""
    probability = alert.claim.probability
    if alert.state in ("frozen", "retracted") or alert.coverage == "dark":
        return "Unknown"
    if probability > 0.5:
        return "Likely"
    return "Possible" if probability >= 0.01 else "Unlikely"


def _named(parent: etree._Element, kind: str, name: str, value: str) -> None:
    pair = add(parent, kind)
    add(pair, "valueName", name)
    add(pair, "value", value)


def _sender(info: DocumentInfo) -> str:
    """Return the installation without what separates the parts of a reference."""
    return quote(info.source, safe=":/?#[]@!$'()*+;=%~")


def _time(at: datetime) -> str:
    """Write an instant to the second. CAP 1.2 (3.2.1) has UTC as -00:00, and never as "Z"."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}-00:00"


class CapSink(DocumentSink):
    """Keeps an index of CAP messages, and the messages, for each subscription."""

    name: ClassVar[str] = "cap"
    form: ClassVar[Format] = Format(
        extension="cap.atom",
        content_type=feed.CONTENT_TYPE,
        render=render,
        parts=messages,
        parts_folder=FOLDER,
        parts_name=rf"{_UUID}\.xml",
        parts_type=CONTENT_TYPE,
    )
