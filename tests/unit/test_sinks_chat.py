"""Chats through Apprise, to real receivers on loopback; and what may not be set as a chat."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import time
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from apprise import Apprise

from detectors.records import Alert
from streams.chat_urls import CHATS, SCHEMES, ForbiddenChat, check_chat_url
from streams.settings import SettingsError, load
from streams.sinks import Answer, Delivered, Message, Rejected, Retry, of_alert
from streams.sinks.chat import ChatSink, words
from streams.wording import DISCLAIMER, headline, summary
from tests.alert_records import alert, subscription
from tests.http_receiver import (
    Flood,
    Handler,
    Receiver,
    closed_port,
    context,
    drip,
    receiver,
    silent,
    status,
)

DESK = subscription("chat", "room")
PASSWORD = "hunter-two"


def url_of(seen: Receiver, query: str = "") -> str:
    return f"json://user:{PASSWORD}@127.0.0.1:{seen.port}/room{query}"


async def send(url: str, message: Message | None = None, **changes: Any) -> Answer:
    sink = ChatSink(context(chats={"room": url}, **({"timeout_seconds": 20.0} | changes)))
    try:
        return await sink.send(message or of_alert(alert(1, 2), DESK), DESK, None)
    finally:
        await sink.close()


def message(kind: Any, *alerts: Alert, text: str = "") -> Message:
    return Message(f"{kind}/1", kind, alert(1).at, alerts, text)


# What is sent


async def test_the_chat_gets_the_alert_in_words() -> None:
    sent = alert(1, 2)
    async with receiver(status(200)) as seen:
        answer = await send(
            url_of(seen), of_alert(sent, DESK), console_url="https://console.example"
        )
    assert answer == Delivered()
    ((headers, body),) = seen.requests
    posted = json.loads(body)
    assert posted["title"] == headline(sent)
    page = (
        "https://console.example/alerts/violence-burst%2Frise%2FAF-KAN%2F2026-03-02T06%3A00%3A00Z"
    )
    assert posted["message"] == f"{summary(sent)}\n{page}\n\n{DISCLAIMER}"
    assert headers["User-Agent"] == "Tocsin"


@pytest.mark.parametrize(
    ("sent", "title", "parts"),
    [
        pytest.param(message("test", alert(1)), headline(alert(1)), [summary(alert(1))], id="test"),
        pytest.param(message("test", text="It works."), "Tocsin", ["It works."], id="plain test"),
        pytest.param(
            message("digest", alert(1), alert(2, unit="AF-HEL")),
            "Warning, Kandahar, Helmand: 2 alerts",
            [headline(alert(1)), summary(alert(1)), headline(alert(2, unit="AF-HEL")), DISCLAIMER],
            id="digest",
        ),
        pytest.param(
            message("digest", alert(1)),
            "Warning, Kandahar: 1 alert",
            [DISCLAIMER],
            id="digest of 1",
        ),
        pytest.param(message("notice", text="Paused."), "Tocsin", ["Paused."], id="notice"),
    ],
)
def test_every_kind_has_words(sent: Message, title: str, parts: list[str]) -> None:
    said, body = words(sent, None)
    assert said == title
    at = [body.index(part) for part in parts]
    assert at == sorted(at)


async def test_a_long_digest_arrives_whole_in_pieces() -> None:
    told = tuple(alert(number) for number in range(1, 90))
    async with receiver(status(200)) as seen:
        assert await send(url_of(seen), message("digest", *told)) == Delivered()
    text = "".join(json.loads(body)["message"] for _, body in seen.requests)
    assert len(seen.requests) > 1
    assert text.count("Probability 34%") == len(told)


async def test_a_challenge_needs_no_answer() -> None:
    async with receiver(status(500)) as seen:
        assert await send(url_of(seen), message("challenge", text="x")) == Delivered()
    assert seen.requests == []


# How chats answer


async def failing(request: web.Request) -> web.StreamResponse:
    return web.Response(status=500, text=f"{PASSWORD} is wrong")


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        pytest.param(status(204), Delivered(), id="204 is delivered"),
        pytest.param(failing, Retry(0.0, "HTTP 500"), id="500 is tried again"),
        pytest.param(status(429), Retry(0.0, "HTTP 429"), id="429 is tried again"),
        pytest.param(status(401), Rejected("HTTP 401"), id="401 is the end"),
        pytest.param(status(404), Rejected("HTTP 404"), id="404 is the end"),
        pytest.param(
            status(302, Location="/elsewhere"),
            Rejected("HTTP 302: redirects are not followed"),
            id="a redirect is not followed",
        ),
    ],
)
async def test_the_logged_status_is_the_answer(
    handler: Handler, expected: Answer, caplog: pytest.LogCaptureFixture, capfd: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    async with receiver(handler) as seen:
        answer = await send(url_of(seen))
    assert answer == expected
    assert len(seen.requests) == 1
    told = (repr(answer), caplog.text, *capfd.readouterr())
    assert not any(PASSWORD in each or "json://" in each for each in told)


async def test_a_chat_that_is_down_is_tried_again() -> None:
    answer = await send(f"json://user:{PASSWORD}@127.0.0.1:{closed_port()}/")
    assert answer == Retry(0.0, "the chat did not take it")


@pytest.mark.parametrize("handler", [silent, drip], ids=["is silent", "never ends its answer"])
async def test_a_chat_that_hangs_is_ended(handler: Handler) -> None:
    came = asyncio.Event()

    async def handle(request: web.Request) -> web.StreamResponse:
        came.set()
        return await handler(request)

    began = time.monotonic()
    async with receiver(handle) as seen:
        answer = await send(url_of(seen), timeout_seconds=6.0)
    assert came.is_set()
    assert answer == Retry(0.0, "the chat did not take it within 6 s")
    assert time.monotonic() - began < 10
    assert children() == []


async def test_a_flood_fills_no_memory_of_ours() -> None:
    flood = Flood(2**40)
    async with receiver(flood) as seen:
        answer = await send(url_of(seen))
        await asyncio.wait_for(flood.stopped.wait(), 10)
    assert isinstance(answer, Retry)
    assert flood.written < 2**30
    assert children() == []


async def test_who_stops_waiting_leaves_no_process() -> None:
    came = asyncio.Event()

    async def handle(_: web.Request) -> web.StreamResponse:
        came.set()
        return await silent(_)

    async with receiver(handle) as seen:
        task = asyncio.create_task(send(url_of(seen)))
        await asyncio.wait_for(came.wait(), 15)
        assert len(children()) == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert children() == []


async def test_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither a proxy nor the passwords of a file."""
    async with receiver(status(200)) as seen, receiver(status(502)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("HOME", str(tmp_path))
        (tmp_path / ".netrc").write_text("machine 127.0.0.1 login other password leaked\n")
        assert await send(f"json://127.0.0.1:{seen.port}/") == Delivered()
    ((headers, _),) = seen.requests
    assert "Authorization" not in headers
    assert proxy.requests == []


def children() -> list[str]:
    """The processes of ours that send to chats."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
                command = (entry / "cmdline").read_text()
            except OSError:
                continue
            if int(parent) == os.getpid() and "chat_child" in command:
                found.append(command)
    return found


async def test_a_name_that_is_not_set_is_rejected() -> None:
    sink = ChatSink(context(chats={"room": "json://127.0.0.1:9/"}))
    typed = subscription("chat", "json://127.0.0.1:9/")
    assert await sink.send(of_alert(alert(1), typed), typed, None) == Rejected(
        "no chat of this name is set"
    )


async def test_a_url_that_apprise_cannot_read_is_rejected() -> None:
    assert await send("slack://x") == Rejected("Apprise cannot make sense of the chat's URL")


# What may be set


@pytest.mark.parametrize(
    "url",
    [
        "json://127.0.0.1:8080/room",
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/%23alerts",
        "matrixs://user:password@matrix.example/%23alerts?mode=off&verify=no",
        "tgram://123456789:abcdefg_hijklmnop/12315544/",
        "NTFYS://ntfy.example/topic?priority=high",
    ],
)
def test_a_chat_may_be_set(url: str) -> None:
    check_chat_url(url)


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("", id="nothing"),
        pytest.param("slack", id="no URL"),
        pytest.param("slack://", id="nothing after the scheme"),
        pytest.param("file:///etc/passwd", id="a file"),
        pytest.param("https://hooks.slack.com/services/T/B/x", id="not Apprise's form"),
        pytest.param("syslog://", id="the log of the system"),
        pytest.param("dbus://", id="the desktop"),
        pytest.param("macosx://x", id="runs a program"),
        pytest.param("blink1://x", id="opens a device"),
        pytest.param("mailto://user:p@mail.example?smtp=127.0.0.1", id="mail"),
        pytest.param("apprise://127.0.0.1/token", id="forwards to another Apprise"),
        pytest.param("form://127.0.0.1/?attach-as=x", id="a form"),
        pytest.param("slack://a/b/c?template=/etc/passwd", id="reads a file"),
        pytest.param("slack://a/b/c?x=1;template=/etc/passwd", id="reads a file, semicolon"),
        pytest.param("slack://a/b/c?x=1&%54emplate=/etc/passwd", id="reads a file, escaped"),
        pytest.param("ntfys://h/t?attach=http://169.254.169.254/", id="has a URL fetched"),
        pytest.param("json://h/?redirect=yes", id="follows redirects"),
        pytest.param("json://h/?optional=yes", id="hides failures"),
        pytest.param("json://h/, file:///etc/passwd", id="two in one"),
        pytest.param("json://h/ file:///etc/passwd", id="two in one, by a space"),
        pytest.param("json:\\\\h\\x", id="backslashes"),
        pytest.param("json://h/\nx", id="a line break"),
        pytest.param("json://" + "h" * 3_000, id="endless"),
    ],
)
def test_what_is_no_chat_is_refused(url: str) -> None:
    with pytest.raises(ForbiddenChat) as refused:
        check_chat_url(url)
    assert "passwd" not in str(refused.value)


def test_every_chat_that_may_be_set_is_known_to_apprise() -> None:
    known: set[str] = set()
    for each in Apprise().details()["schemas"]:
        known |= {*(each["protocols"] or ()), *(each["secure_protocols"] or ())}
    assert known >= SCHEMES
    assert len(SCHEMES) == sum(map(len, CHATS.values()))


def settings(tmp_path: Path, text: str) -> Any:
    file = tmp_path / "tocsin.toml"
    file.write_text(text)
    return load(file)


def test_the_settings_take_chats_and_alertmanagers(tmp_path: Path) -> None:
    delivery = settings(
        tmp_path,
        f'[[delivery.chats]]\nname = "room"\nurl = "json://user:{PASSWORD}@127.0.0.1/"\n'
        f'[[delivery.alertmanagers]]\nname = "ours"\nurl = "https://u:{PASSWORD}@am.example/x"\n',
    ).delivery
    assert PASSWORD not in repr(delivery)
    assert PASSWORD not in delivery.model_dump_json()
    assert delivery.chats[0].url.get_secret_value() == f"json://user:{PASSWORD}@127.0.0.1/"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('[[delivery.chats]]\nname="a"\nurl="file:///hunter-two"', "no chat that Tocsin sends to"),
        (
            '[[delivery.chats]]\nname="a"\nurl="slack://hunter-two?template=x"',
            "'template' is refused",
        ),
        ('[[delivery.chats]]\nname=""\nurl="json://hunter-two"', "name"),
        (
            '[[delivery.chats]]\nname="a"\nurl="json://hunter-two"\n' * 2,
            "a name is given twice: a",
        ),
        ('[[delivery.alertmanagers]]\nname="a"\nurl="gopher://hunter-two/"', "http(s)://host"),
        ('[[delivery.alertmanagers]]\nname="a"\nurl="http://hunter-two:99999/"', "http(s)://host"),
        ('[[delivery.alertmanagers]]\nname="a"\nurl="http:///hunter-two"', "http(s)://host"),
    ],
)
def test_the_settings_refuse_at_the_start_and_say_why(
    tmp_path: Path, text: str, reason: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        settings(tmp_path, text)
    assert reason in str(refused.value)
    assert PASSWORD not in str(refused.value)
