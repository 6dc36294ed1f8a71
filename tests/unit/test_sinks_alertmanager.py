"""Alerts in a real Alertmanager: one alert stays one, and ends when Tocsin says so."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from detectors.records import Alert
from streams.child import Child, free_ports
from streams.sinks import Answer, Delivered, Message, Rejected, Retry, SinkContext, of_alert
from streams.sinks.alertmanager import EVERY, OUTLIVES, AlertmanagerSink, labels
from streams.wording import DISCLAIMER, headline, summary
from tests.alert_records import alert, subscription
from tests.http_receiver import closed_port, context, receiver, silent, status

DESK = subscription("alertmanager", "ours")
ROUTES = Path(__file__).parents[2] / "deploy" / "alertmanager" / "alertmanager.yml"
CONSOLE = "https://console.example/"


def program() -> str:
    found = shutil.which("prometheus-alertmanager")
    if found is None:
        pytest.fail("prometheus-alertmanager is missing: make servers")
    return found


def started(folder: Path, config: Path) -> tuple[Child, str]:
    (port,) = free_ports(1)
    arguments = [
        f"--config.file={config}",
        f"--storage.path={folder}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    server, url = Child("Alertmanager", [program(), *arguments]), f"http://127.0.0.1:{port}"
    server.start()

    def ready() -> bool:
        try:
            with urllib.request.urlopen(f"{url}/-/ready", timeout=1):
                return True
        except OSError:
            return False

    server.wait_until(ready, 30)
    return server, url


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An Alertmanager with the configuration that is shipped."""
    server, url = started(tmp_path_factory.mktemp("alertmanager"), ROUTES)
    yield url
    server.kill()


async def shown(url: str, **matchers: str) -> list[dict[str, Any]]:
    """Return the alerts that are not over and match, as Alertmanager shows them."""
    query = "&".join(f"filter={name}%3D%22{value}%22" for name, value in matchers.items())

    def ask() -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"{url}/api/v2/alerts?{query}", timeout=5) as reply:
            found: list[dict[str, Any]] = json.load(reply)
            return found

    return await asyncio.to_thread(ask)


def made(url: str, **changes: Any) -> AlertmanagerSink:
    return AlertmanagerSink(context(alertmanagers={"ours": url}, console_url=CONSOLE, **changes))


async def send(url: str, *messages: Message, **changes: Any) -> list[Answer]:
    sink = made(url, **changes)
    try:
        return [await sink.send(each, DESK, None) for each in messages]
    finally:
        await sink.close()


async def tell(url: str, *revisions: Alert, **changes: Any) -> None:
    told = [of_alert(each, DESK) for each in revisions]
    assert await send(url, *told, **changes) == [Delivered()] * len(told)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


# The life of an alert


async def test_an_open_alert_is_active_with_its_labels(shipped: str) -> None:
    opened = alert(1)
    await tell(shipped, opened)
    (found,) = await shown(shipped, unit="AF-KAN", alert=opened.id)
    assert found["labels"] == {
        "alertname": "TocsinAlert",
        "alert": opened.id,
        "unit": "AF-KAN",
        "country": "AFG",
        "signal": "violence-burst",
        "direction": "rise",
        "audience": "analyst",
    }
    assert found["annotations"] == {
        "headline": headline(opened),
        "summary": summary(opened),
        "severity": "warning",
        "state": "open",
        "changed": "opened",
        "probability": "34%",
        "coverage": "ok, 96%",
        "as_of": "2026-03-02T06:00:00Z",
        "disclaimer": DISCLAIMER,
    }
    assert found["status"]["state"] in ("active", "unprocessed")
    assert [each["name"] for each in found["receivers"]] == ["analyst"]
    assert instant(found["startsAt"]) == opened.opened_at
    assert found["generatorURL"].startswith(f"{CONSOLE}alerts/violence-burst%2Frise%2FAF-KAN%2F")


async def test_whatever_changes_it_is_one_alert_until_it_ends(shipped: str) -> None:
    changes: list[dict[str, Any]] = [
        {"severity": "watch"},
        {"severity": "critical", "observed": 40, "claim": alert(9).claim},
        {"severity": "critical", "state": "acknowledged", "acknowledged_by": "desk"},
        {"severity": "critical", "state": "frozen", "coverage": "dark", "p": None},
        {"severity": "warning"},
    ]
    prints = set()
    for revision, change in enumerate(changes):
        told = alert(2, revision, **change)
        await tell(shipped, told)
        (found,) = await shown(shipped, alert=told.id)
        assert found["annotations"]["severity"] == told.severity
        assert found["annotations"]["state"] == told.state
        prints.add(found["fingerprint"])
    assert len(prints) == 1
    await tell(shipped, alert(2, len(changes), state="resolved"))
    assert await shown(shipped, alert=alert(2).id) == []


@pytest.mark.parametrize("state", ["resolved", "expired", "retracted"])
async def test_every_end_ends_it(shipped: str, state: Any) -> None:
    other = alert(3, unit="AF-HEL")
    await tell(shipped, alert(3), other, alert(3, 1, state=state))
    assert await shown(shipped, alert=alert(3).id, unit="AF-KAN") == []
    assert len(await shown(shipped, alert=alert(3).id, unit="AF-HEL")) == 1


async def test_an_end_that_is_told_first_does_not_fail(shipped: str) -> None:
    at_once = alert(4, 0, state="retracted")
    assert at_once.at == at_once.opened_at
    await tell(shipped, at_once)
    assert await shown(shipped, alert=at_once.id) == []


@pytest.mark.parametrize("state", ["open", "acknowledged", "frozen"])
@pytest.mark.parametrize(
    ("silence", "stands"),
    [(timedelta(0), 1), (OUTLIVES - timedelta(hours=1), 1), (OUTLIVES + timedelta(hours=1), 0)],
)
async def test_silence_does_not_end_it_within_a_month(
    shipped: str, state: Any, silence: timedelta, stands: int
) -> None:
    told = alert(5, state=state, signal=f"{state}-{silence.days}-{silence.seconds}")
    last_word = datetime.now(UTC) - silence
    await tell(shipped, told, now=lambda: last_word)
    assert len(await shown(shipped, signal=told.signal)) == stands


async def test_reminding_moves_the_end_and_nothing_else(shipped: str) -> None:
    earlier = datetime.now(UTC) - timedelta(days=10)
    await tell(shipped, alert(6), now=lambda: earlier)
    (before,) = await shown(shipped, alert=alert(6).id)
    await tell(shipped, alert(6))
    (after,) = await shown(shipped, alert=alert(6).id)
    assert instant(after["endsAt"]) - instant(before["endsAt"]) > timedelta(days=9)
    varying = ("endsAt", "updatedAt", "status")
    assert {k: v for k, v in after.items() if k not in varying} == {
        k: v for k, v in before.items() if k not in varying
    }


def test_reminders_come_long_before_the_end() -> None:
    assert 24 * EVERY < OUTLIVES / 7


@pytest.mark.parametrize(
    ("unit", "country"),
    [("AF-NAN~PK-KP", "AFG"), ("IND~PAK", "IND"), ("PAK", "PAK"), ("unplaced", "")],
)
def test_the_country_is_the_units(unit: str, country: str) -> None:
    assert labels(alert(1, unit=unit))["country"] == country


# What a team gets that is called by Alertmanager


@asynccontextmanager
async def calling(folder: Path) -> AsyncIterator[tuple[str, asyncio.Queue[dict[str, Any]]]]:
    """An Alertmanager that calls a team at once; and the calls."""
    calls: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def note(request: web.Request) -> web.StreamResponse:
        calls.put_nowait(json.loads(await request.read()))
        return web.Response()

    async with receiver(note) as team:
        config = folder / "alertmanager.yml"
        config.write_text(
            "route: {receiver: team, group_by: ['...'], group_wait: 0s, group_interval: 1s}\n"
            f"receivers: [{{name: team, webhook_configs: [{{url: '{team.url}'}}]}}]\n"
        )
        server, url = await asyncio.to_thread(started, folder, config)
        try:
            yield url, calls
        finally:
            await asyncio.to_thread(server.kill)


async def test_a_team_is_called_when_it_opens_and_when_it_ends(tmp_path: Path) -> None:
    async with calling(tmp_path) as (url, calls):
        await tell(url, alert(1, severity="watch"))
        first = await asyncio.wait_for(calls.get(), 20)
        await tell(url, alert(1, 1, severity="critical"), alert(1, 2, state="resolved"))
        last = await asyncio.wait_for(calls.get(), 20)
    assert [each["status"] for each in (first, last)] == ["firing", "resolved"]
    (opened,), (ended,) = first["alerts"], last["alerts"]
    assert opened["fingerprint"] == ended["fingerprint"]
    assert opened["annotations"]["severity"] == "watch"
    assert ended["annotations"]["state"] == "resolved"
    assert instant(ended["endsAt"]) == alert(1, 2).at


# Other messages


async def test_a_digest_brings_each_of_its_alerts(shipped: str) -> None:
    told = tuple(alert(number, signal="of-a-digest") for number in (1, 2, 3))
    assert await send(shipped, Message("d", "digest", told[0].at, told)) == [Delivered()]
    assert len(await shown(shipped, signal="of-a-digest")) == 3


async def test_a_test_is_seen_and_touches_no_alert(shipped: str) -> None:
    real = alert(7)
    await tell(shipped, real)
    sample = alert(7, 0, state="resolved")
    assert await send(shipped, Message("t", "test", real.at, (sample,))) == [Delivered()]
    (found,) = await shown(shipped, alertname="TocsinTest")
    assert found["labels"]["subscription"] == "desk"
    assert headline(sample) in found["annotations"]["summary"]
    assert instant(found["endsAt"]) - datetime.now(UTC) < timedelta(minutes=11)
    (still,) = await shown(shipped, alert=real.id)
    assert still["annotations"]["state"] == "open"


async def test_a_notice_is_seen(shipped: str) -> None:
    notice = Message("n", "notice", alert(1).at, text="It was paused: HTTP 404.")
    assert await send(shipped, notice) == [Delivered()]
    (found,) = await shown(shipped, alertname="TocsinNotice")
    assert found["annotations"]["summary"] == "It was paused: HTTP 404."


async def test_a_challenge_needs_no_answer() -> None:
    async with receiver(status(500)) as seen:
        asked = Message("c", "challenge", alert(1).at, text="x")
        assert await send(seen.url, asked) == [Delivered()]
    assert seen.requests == []


# How it answers


@pytest.mark.parametrize(
    ("code", "headers", "expected"),
    [
        (200, {}, Delivered()),
        (503, {"Retry_After": "7"}, Retry(7.0, "HTTP 503")),
        (401, {}, Rejected("HTTP 401")),
        (307, {"Location": "/elsewhere"}, Rejected("HTTP 307: redirects are not followed")),
    ],
)
async def test_the_status_is_the_answer(
    code: int, headers: dict[str, str], expected: Answer
) -> None:
    async with receiver(status(code, **headers)) as seen:
        assert await send(seen.url, of_alert(alert(1), DESK)) == [expected]
    assert len(seen.requests) == 1


async def test_a_prefix_and_a_password_are_used_and_never_told() -> None:
    paths = []

    async def handle(request: web.Request) -> web.StreamResponse:
        paths.append(request.path)
        return web.Response(status=500, text="secret")

    async with receiver(handle) as seen:
        address = f"http://tocsin:secret@localhost:{seen.port}/prefix/"
        (answer,) = await send(address, of_alert(alert(1), DESK))
    ((headers, _),) = seen.requests
    assert paths == ["/prefix/api/v2/alerts"]
    assert base64.b64decode(headers["Authorization"].removeprefix("Basic ")) == b"tocsin:secret"
    assert answer == Retry(0.0, "HTTP 500")
    held: SinkContext = context(
        alertmanagers={"ours": address}, chats={"room": "json://u:secret@h"}
    )
    assert "secret" not in repr(held)


async def test_what_does_not_answer_is_tried_again(shipped: str) -> None:
    (answer,) = await send(f"http://127.0.0.1:{closed_port()}", of_alert(alert(1), DESK))
    assert answer == Retry(0.0, "no connection: ClientConnectorError")
    async with receiver(silent) as seen:
        (answer,) = await send(seen.url, of_alert(alert(1), DESK), timeout_seconds=0.2)
    assert answer == Retry(0.0, "no reply within 0.2 s")
    (answer,) = await send(f"{shipped}/nowhere", of_alert(alert(1), DESK))
    assert answer == Rejected("HTTP 404")


async def test_a_name_that_is_not_set_is_rejected() -> None:
    sink = made("http://127.0.0.1:9")
    other = subscription("alertmanager", "http://127.0.0.1:9")
    answer = await sink.send(of_alert(alert(1), other), other, None)
    assert answer == Rejected("no Alertmanager of this name is set")
    await sink.close()
