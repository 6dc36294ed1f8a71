"""Copies of alerts in a Prometheus Alertmanager, for teams that live there (its API, version 2).

Alertmanager takes two alerts for one if their labels are the same, so labels are what never
changes in an alert's life. Severity does, and is an annotation: as a label a raised alert would be
a second one, and the first would "resolve". The price: Alertmanager calls nobody anew for a raised
severity before its `repeat_interval`. Who wants to route by severity makes one subscription for
each, with a `minimum_severity`, to Alertmanagers of different names.

An alert that Alertmanager hears no more of is taken for resolved at `endsAt`. Silence is not calm:
the end of an alert that lives is set `OUTLIVES` ahead each time it is sent, which is done anew
after `EVERY`. The price of a long span: where Tocsin is taken down for good, or
the last word never arrives, an alert stands in Alertmanager for so long; `as_of` tells how old it
is. The price of a short one would be a false all-clear, which is worse.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Final

import aiohttp
import msgspec
from yarl import URL

from detectors.delivery_records import Subscription
from detectors.life import ENDED
from detectors.records import Alert
from detectors.world.units import UNITS
from streams.sinks.base import Answer, Delivered, Message, Rejected, SinkContext
from streams.sinks.links import page_of
from streams.sinks.replies import TROUBLE, HttpSink, answer_of, answer_of_trouble
from streams.wording import DISCLAIMER, headline, percent, summary

#: For so long an alert stands in Alertmanager if nothing more is heard of it.
OUTLIVES: Final = timedelta(days=30)
#: So often a living alert is to be sent again: Alertmanager forgets its alerts when it restarts.
EVERY: Final = timedelta(hours=1)
#: For so long a test, and a notice about the subscription, are shown.
_TEST: Final = timedelta(minutes=10)
_NOTICE: Final = timedelta(days=1)
#: `audience` keeps them apart from operators' alerts (`deploy/alertmanager/alertmanager.yml`).
_AUDIENCE: Final = {"audience": "analyst"}


class AlertmanagerSink(HttpSink):
    """Posts alerts to the Alertmanager of a subscription."""

    name: ClassVar[str] = "alertmanager"

    async def send(
        self, message: Message, subscription: Subscription, secret: str | None
    ) -> Answer:
        """Post the alerts of one message.

        Args:
            message: What to send. A challenge is not posted: the operator has vouched for it.
            subscription: Its `address` is the name of an Alertmanager in the settings.
            secret: Not used.

        Returns:
            Delivered on 2xx. Retry on 408, 425, 429, 5xx, a timeout, or where no connection was to
            be had. Rejected on any other reply, and where there is no such Alertmanager.
        """
        address = self._context.alertmanagers.get(subscription.address)
        if address is None:
            return Rejected("no Alertmanager of this name is set")
        if message.kind == "challenge":
            return Delivered()
        alerts = _posted(message, subscription, self._context)
        try:
            async with self._client().post(
                URL(address) / "api/v2/alerts",
                data=msgspec.json.encode(alerts),
                headers={"content-type": "application/json", "user-agent": "tocsin/1"},
                allow_redirects=False,
            ) as reply:
                return answer_of(reply, self._context.now())
        except TROUBLE as error:
            return answer_of_trouble(error, self._context.timeout_seconds)

    def _connector(self) -> aiohttp.TCPConnector:
        return aiohttp.TCPConnector(limit=8)


def labels(alert: Alert) -> dict[str, str]:
    """Return what names an alert: the same in all of its revisions, for all subscriptions."""
    unit = UNITS.get(alert.unit)
    return {
        "alertname": "TocsinAlert",
        "alert": alert.id,
        "unit": alert.unit,
        "country": unit.country if unit else "",  # Alertmanager drops an empty label
        "signal": alert.signal,
        "direction": alert.direction,
        **_AUDIENCE,
    }


def as_posted(alert: Alert, now: datetime, console_url: str | None = None) -> dict[str, Any]:
    """Return an alert as Alertmanager takes it.

    Args:
        alert: The revision.
        now: The wall clock, from which the end of a living alert is counted.
        console_url: Where the console is, for the link.
    """
    ends_at = now + OUTLIVES
    if alert.state in ENDED:  # it takes an end that is not over for one that is to come
        ends_at = max(min(alert.at, now), alert.opened_at)
    annotations = {
        "headline": headline(alert),
        "summary": summary(alert),
        "severity": alert.severity,
        "state": alert.state,
        "changed": alert.changed,
        "probability": percent(alert.claim.probability),
        "coverage": f"{alert.coverage}, {percent(alert.coverage_share)}",
        "as_of": _rfc3339(alert.at),
        "disclaimer": DISCLAIMER,
    }
    return _entry(labels(alert), annotations, alert.opened_at, ends_at) | _link(alert, console_url)


def _posted(
    message: Message, subscription: Subscription, context: SinkContext
) -> list[dict[str, Any]]:
    now = context.now()
    if message.kind in ("alert", "digest"):
        return [as_posted(each, now, context.console_url) for each in message.alerts]
    # Not under the labels of an alert, which a test must not open, change or end.
    is_test = message.kind == "test"
    named = {
        "alertname": "TocsinTest" if is_test else "TocsinNotice",
        "subscription": subscription.id,
        **_AUDIENCE,
    }
    told = [f"{headline(each)}. {summary(each)}" for each in message.alerts]
    text = "\n".join([*([message.text] if message.text else []), *told])
    annotations = {"summary": text, "disclaimer": DISCLAIMER}
    return [_entry(named, annotations, now, now + (_TEST if is_test else _NOTICE))]


def _entry(
    named: dict[str, str], annotations: dict[str, str], starts_at: datetime, ends_at: datetime
) -> dict[str, Any]:
    return {
        "labels": named,
        "annotations": annotations,
        "startsAt": _rfc3339(starts_at),
        "endsAt": _rfc3339(ends_at),
    }


def _link(alert: Alert, console_url: str | None) -> dict[str, Any]:
    page = page_of(alert.id, console_url)
    return {"generatorURL": page} if page else {}


def _rfc3339(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
