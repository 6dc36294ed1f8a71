"""JSON Feed 1.1 (jsonfeed.org): what the Atom feed has, and the figures as numbers.

The ids are those of the Atom feed, so a reader that takes both knows an alert again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Final

import msgspec

from detectors.records import Alert
from streams.sinks.documents import (
    DocumentInfo,
    DocumentSink,
    Format,
    latest,
    uuid_of,
)
from streams.sinks.links import page_of
from streams.sinks.markup import rfc3339
from streams.wording import DISCLAIMER, details, headline, summary

VERSION: Final = "https://jsonfeed.org/version/1.1"


def render(alerts: Iterable[Alert], info: DocumentInfo) -> bytes:
    """Write alerts as a JSON Feed, the ones changed last first."""
    feed: dict[str, Any] = {
        "version": VERSION,
        "title": info.title,
        "home_page_url": info.console_url,
        "feed_url": info.self_url,
        "description": DISCLAIMER,
        "authors": [{"name": "Tocsin"}],
        "language": "en",
        "items": [_item(alert, info) for alert in latest(alerts)],
    }
    return msgspec.json.format(msgspec.json.encode(_known(feed)), indent=2)


def _item(alert: Alert, info: DocumentInfo) -> dict[str, Any]:
    return _known(
        {
            "id": uuid_of(info, "alert", alert.id).urn,
            "url": page_of(alert.id, info.console_url),
            "title": headline(alert),
            "summary": summary(alert),
            "content_text": details(alert),
            "date_published": rfc3339(alert.opened_at),
            "date_modified": rfc3339(alert.at),
            "tags": [alert.unit, alert.signal, alert.severity, alert.state],
            "_tocsin": _figures(alert),
        }
    )


def _figures(alert: Alert) -> dict[str, Any]:
    """Return the extension of an item; a null is unknown, never zero."""
    return {
        "alert": alert.id,
        "revision": alert.revision,
        "unit": alert.unit,
        "signal": alert.signal,
        "direction": alert.direction,
        "severity": alert.severity,
        "state": alert.state,
        "probability": alert.claim.probability,
        "base_rate": alert.claim.base_rate,
        "horizon_days": alert.claim.horizon_days,
        "observed": alert.observed,
        "expected": alert.expected,
        "coverage": alert.coverage,
        "coverage_share": alert.coverage_share,
        "verdict": alert.outcome.verdict if alert.outcome else None,
    }


def _known(members: dict[str, Any]) -> dict[str, Any]:
    """Leave out what there is not: a member of JSON Feed is never null."""
    return {name: value for name, value in members.items() if value is not None}


class JsonFeedSink(DocumentSink):
    """Keeps a JSON Feed for each subscription."""

    name: ClassVar[str] = "jsonfeed"
    form: ClassVar[Format] = Format(
        extension="json",
        content_type="application/feed+json; charset=utf-8",
        render=render,
    )
