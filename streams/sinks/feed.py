"""Atom feeds (RFC 4287): every alert once, as it stands now.

`render` is the one writer, for the sink and for the console. The same alerts give the same bytes
in whatever order they come, so the content's hash is a sound ETag.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar, Final, NamedTuple

from lxml import etree

from detectors.records import Alert
from detectors.world.units import name_of
from streams.sinks.documents import (
    DocumentInfo,
    DocumentSink,
    Format,
    latest,
    uuid_of,
)
from streams.sinks.links import page_of
from streams.sinks.markup import add, rfc3339, root, written
from streams.wording import DISCLAIMER, details, headline, summary

ATOM: Final = "http://www.w3.org/2005/Atom"
CONTENT_TYPE: Final = "application/atom+xml; charset=utf-8"


class Link(NamedTuple):
    """What an entry is about, where that is a document of its own."""

    id: str
    href: str
    type: str


def render(alerts: Iterable[Alert], info: DocumentInfo) -> bytes:
    """Write alerts as an Atom document in UTF-8, the ones changed last first.

    Of several revisions of one alert the last is shown. `updated` is that revision's time, for
    an entry, and the newest entry's, for the feed.

    Raises:
        ValueError: There is no alert and `info.empty_since` is None: Atom wants a time, and none
            may be invented.
    """
    return index(alerts, info)


def index(
    alerts: Iterable[Alert],
    info: DocumentInfo,
    kind: str = "feed",
    link_of: Callable[[Alert], Link] | None = None,
) -> bytes:
    """Write alerts as an Atom document, with a document for each entry if `link_of` is given.

    Args:
        alerts: Any revisions, in any order.
        info: What the feed says of itself.
        kind: Part of the feed's id, which tells feeds of one name apart.
        link_of: Returns the document of an alert; the entry then has the document's id.

    Raises:
        ValueError: As `render`.
    """
    shown = latest(alerts)
    updated = shown[0].at if shown else info.empty_since
    if updated is None:
        raise ValueError("a feed without alerts needs `empty_since`")

    feed = root(ATOM, "feed")
    add(feed, "id", uuid_of(info, kind, info.name).urn)
    add(feed, "title", info.title)
    add(feed, "subtitle", DISCLAIMER)
    add(feed, "updated", rfc3339(updated))
    add(add(feed, "author"), "name", "Tocsin")
    if info.self_url:
        add(feed, "link", rel="self", type="application/atom+xml", href=info.self_url)
    for alert in shown:
        _entry(feed, alert, info, link_of(alert) if link_of else None)
    return written(feed)


def _entry(feed: etree._Element, alert: Alert, info: DocumentInfo, link: Link | None) -> None:
    entry = add(feed, "entry")
    add(entry, "id", link.id if link else uuid_of(info, "alert", alert.id).urn)
    add(entry, "title", headline(alert))
    add(entry, "published", rfc3339(alert.opened_at))
    add(entry, "updated", rfc3339(alert.at))
    if link:
        add(entry, "link", rel="alternate", type=link.type, href=link.href)
    page = page_of(alert.id, info.console_url)
    if page:
        add(entry, "link", rel="alternate", type="text/html", href=page)
    terms = {
        "unit": (alert.unit, name_of(alert.unit)),
        "signal": (alert.signal, alert.signal),
        "severity": (alert.severity, alert.severity),
        "state": (alert.state, alert.state),
    }
    for scheme, (term, label) in terms.items():
        add(entry, "category", term=term, scheme=f"{info.source}#{scheme}", label=label)
    add(entry, "summary", summary(alert), type="text")
    add(entry, "content", details(alert), type="text")


class AtomSink(DocumentSink):
    """Keeps an Atom feed for each subscription."""

    name: ClassVar[str] = "atom"
    form: ClassVar[Format] = Format(extension="atom", content_type=CONTENT_TYPE, render=render)
