"""Webhooks against real receivers on loopback: what they get, and what their answers mean."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from aiohttp import web
from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from detectors.records import Alert
from streams.sinks import Answer, Delivered, Message, Rejected, Retry, of_alert
from streams.sinks.webhook import WebhookSink
from streams.wording import DISCLAIMER, headline, summary
from tests.alert_records import alert, subscription
from tests.http_receiver import (
    Flood,
    Handler,
    closed_port,
    context,
    drip,
    receiver,
    silent,
    status,
)

SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER_SECRET = "whsec_" + "C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
AT = datetime(2026, 3, 9, 7, tzinfo=UTC)
CHALLENGE = "dGhpcyBpcyBhIGNoYWxsZW5nZSBvZiAzMmNo"


async def send(
    url: str, message: Message | None = None, *, secret: str | None = SECRET, **changes: Any
) -> Answer:
    sink = WebhookSink(context(**changes))
    desk = subscription(address=url)
    try:
        return await sink.send(message or of_alert(alert(1, 2), desk), desk, secret)
    finally:
        await sink.close()


def message(kind: Any, *alerts: Alert, text: str = "") -> Message:
    return Message(f"{kind}/1/desk", kind, AT, alerts, text)


# What is sent


async def test_the_receiver_gets_a_signed_cloud_event() -> None:
    async with receiver(status(204)) as seen:
        assert await send(seen.url) == Delivered()
    ((headers, body),) = seen.requests
    sent = alert(1, 2)
    event = Webhook(SECRET).verify(body, headers)
    assert headers["Content-Type"] == "application/cloudevents+json; charset=utf-8"
    assert {name: event[name] for name in ("specversion", "type", "source", "subject")} == {
        "specversion": "1.0",
        "type": "tocsin.alert.v1",
        "source": "https://tocsin.example/",
        "subject": "AF-KAN",
    }
    assert event["id"] == headers["webhook-id"] == f"{sent.id}/2/desk"
    assert datetime.fromisoformat(event["time"]) == sent.at
    assert event["datacontenttype"] == "application/json"
    assert (event["headline"], event["disclaimer"]) == (headline(sent), DISCLAIMER)
    assert msgspec.json.decode(json.dumps(event["data"]), type=Alert) == sent


async def test_a_receiver_with_another_secret_does_not_believe_it() -> None:
    async with receiver(status(204)) as seen:
        await send(seen.url)
    ((headers, body),) = seen.requests
    with pytest.raises(WebhookVerificationError):
        Webhook(OTHER_SECRET).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body + b" ", headers)


async def test_during_a_change_of_secret_both_verify() -> None:
    async with receiver(status(204)) as seen:
        await send(seen.url, secret=f"{SECRET} {OTHER_SECRET}")
    ((headers, body),) = seen.requests
    assert Webhook(SECRET).verify(body, headers) == Webhook(OTHER_SECRET).verify(body, headers)


async def test_another_attempt_is_the_same_message_at_another_time() -> None:
    at = datetime(2026, 3, 9, tzinfo=UTC)
    async with receiver(status(204)) as seen:
        await send(seen.url, now=lambda: at)
        await send(seen.url, now=lambda: at + timedelta(days=1))
    (first, body), (second, again) = seen.requests
    assert (first["webhook-id"], body) == (second["webhook-id"], again)
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 86_400


async def test_a_key_with_a_full_stop_or_a_line_break_cannot_break_the_header() -> None:
    sink = WebhookSink(context())
    async with receiver(status(204)) as seen:
        odd = subscription(address=seen.url, id="a.b\r\nx: y \N{SNOWMAN}")
        assert await sink.send(of_alert(alert(1), odd), odd, SECRET) == Delivered()
    await sink.close()
    ((headers, body),) = seen.requests
    assert headers["webhook-id"].endswith("/0/a%2Eb%0D%0Ax:%20y%20%E2%98%83")
    assert Webhook(SECRET).verify(body, headers)["id"] == headers["webhook-id"]


@pytest.mark.parametrize(
    ("secret", "reason"),
    [
        pytest.param(None, "no signing secret", id="none"),
        pytest.param("", "no signing secret", id="empty"),
        pytest.param("  ", "no signing secret", id="blank"),
        pytest.param("whsec_", "not whsec_ and base64", id="only its prefix"),
        pytest.param("whsec_a", "not whsec_ and base64", id="not base64"),
        pytest.param("whsec_\N{SNOWMAN}", "not whsec_ and base64", id="not ASCII"),
    ],
)
async def test_nothing_is_sent_without_a_usable_secret(secret: str | None, reason: str) -> None:
    async with receiver(status(204)) as seen:
        answer = await send(seen.url, secret=secret)
    assert isinstance(answer, Rejected)
    assert reason in answer.reason
    assert seen.requests == []


# Kinds of messages


KINDS = [
    pytest.param(
        of_alert(alert(1, 2), subscription()), "AF-KAN", headline(alert(1, 2)), id="alert"
    ),
    pytest.param(message("test", alert(3)), "AF-KAN", headline(alert(3)), id="test"),
    pytest.param(message("test", text="a test"), None, "a test", id="test without an alert"),
    pytest.param(
        message("digest", alert(1), alert(2, 1)), None, "Warning, Kandahar: 2 alerts", id="digest"
    ),
    pytest.param(
        message("digest", alert(1)), None, "Warning, Kandahar: 1 alert", id="digest of one"
    ),
    pytest.param(message("digest"), None, "No alerts", id="digest of none"),
    pytest.param(message("challenge", text=CHALLENGE), None, CHALLENGE, id="challenge"),
    pytest.param(message("notice", text="paused: ☃"), None, "paused: ☃", id="notice"),
    pytest.param(message("notice"), None, None, id="notice without words"),
]


@pytest.mark.parametrize(("sent", "subject", "title"), KINDS)
async def test_every_kind_is_a_cloud_event_to_the_sdk(
    sent: Message, subject: str | None, title: str | None
) -> None:
    async with receiver(status(200, body=CHALLENGE)) as seen:
        assert await send(seen.url, sent) == Delivered()
    ((headers, body),) = seen.requests
    Webhook(SECRET).verify(body, headers)
    event = from_http_event(HTTPMessage(headers, body))
    assert event.get_type() == f"tocsin.{sent.kind}.v1"
    assert event.get_source() == "https://tocsin.example/"
    assert event.get_id() == headers["webhook-id"]
    assert event.get_time() == sent.at
    assert event.get_subject() == subject
    assert event.get_extension("headline") == title
    assert event.get_extension("disclaimer") == DISCLAIMER


async def test_a_digest_carries_each_alert_with_its_words() -> None:
    told = (alert(1), alert(2, 1, severity="critical"))
    async with receiver(status(204)) as seen:
        await send(seen.url, message("digest", *told))
    ((_, body),) = seen.requests
    listed = json.loads(body)["data"]["alerts"]
    assert [(each["headline"], each["summary"]) for each in listed] == [
        (headline(each), summary(each)) for each in told
    ]
    records = [msgspec.convert(each["alert"], Alert) for each in listed]
    assert records == list(told)


async def test_a_notice_says_what_happened() -> None:
    async with receiver(status(204)) as seen:
        await send(seen.url, message("notice", text="Deliveries fail: HTTP 404."))
    ((_, body),) = seen.requests
    assert json.loads(body)["data"] == {"notice": "Deliveries fail: HTTP 404."}


# Whether an address wants alerts


def challenge(text: str = CHALLENGE) -> Message:
    return message("challenge", text=text)


async def echo(request: web.Request) -> web.StreamResponse:
    event = json.loads(await request.read())
    return web.json_response({"challenge": event["data"]["challenge"]})


async def in_pieces(request: web.Request) -> web.StreamResponse:
    """Answer with the challenge, a byte in each chunk, and never end."""
    reply = web.StreamResponse()
    await reply.prepare(request)
    for byte in CHALLENGE.encode():
        await reply.write(bytes([byte]))
    await asyncio.Event().wait()
    return reply


@pytest.mark.parametrize(
    "handler",
    [
        pytest.param(echo, id="in JSON"),
        pytest.param(status(200, body=CHALLENGE), id="as it is"),
        pytest.param(status(202, body=f"  {CHALLENGE}\n"), id="with space around it"),
        pytest.param(in_pieces, id="in pieces, by a body that never ends"),
    ],
)
async def test_who_repeats_the_challenge_wants_alerts(handler: Handler) -> None:
    async with receiver(handler) as seen:
        assert await send(seen.url, challenge()) == Delivered()


async def test_the_answer_is_asked_for_uncompressed() -> None:
    async def packed(request: web.Request) -> web.StreamResponse:
        reply = web.Response(text=CHALLENGE)
        reply.enable_compression()  # what the client accepts, if anything
        return reply

    async with receiver(packed) as seen:
        assert await send(seen.url, challenge()) == Delivered()


@pytest.mark.parametrize(
    ("handler", "text"),
    [
        pytest.param(status(200, body="ok"), CHALLENGE, id="another text"),
        pytest.param(status(204, body=""), CHALLENGE, id="no text"),
        pytest.param(status(200, body=CHALLENGE[:-1]), CHALLENGE, id="a part of it"),
        pytest.param(status(200, body="x" * 5_000 + CHALLENGE), CHALLENGE, id="too late in it"),
        pytest.param(status(200, body="anything"), "", id="there was nothing to repeat"),
    ],
)
async def test_who_does_not_repeat_it_gets_none(handler: Handler, text: str) -> None:
    async with receiver(handler) as seen:
        answer = await send(seen.url, challenge(text))
    assert answer == Rejected("the answer does not repeat the challenge")


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (404, Rejected("HTTP 404")),
        (302, Rejected("HTTP 302: redirects are not followed")),
        (503, Retry(0.0, "HTTP 503")),
    ],
)
async def test_a_challenge_counts_only_with_a_good_status(code: int, expected: Answer) -> None:
    async with receiver(status(code, body=CHALLENGE, Location="/elsewhere")) as seen:
        assert await send(seen.url, challenge()) == expected
    assert len(seen.requests) == 1


async def test_a_challenge_is_not_sought_for_ever() -> None:
    flood = Flood(256 * 2**20)
    async with receiver(flood) as seen:
        answer = await send(seen.url, challenge())
        await asyncio.wait_for(flood.stopped.wait(), 5)
    assert answer == Rejected("the answer does not repeat the challenge")
    assert flood.written < 32 * 2**20
    async with receiver(drip) as seen:
        answer = await send(seen.url, challenge(), timeout_seconds=0.3)
    assert answer == Retry(0.0, "no reply within 0.3 s")


async def test_a_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(b"x" * 2**26)

    async def handle(_: web.Request) -> web.StreamResponse:
        return web.Response(body=bomb, headers={"Content-Encoding": "gzip"})

    async with receiver(handle) as seen:
        answer = await send(seen.url, challenge())
    assert answer == Rejected("the answer does not repeat the challenge")


# How receivers answer


@pytest.mark.parametrize(
    ("code", "headers", "expected"),
    [
        pytest.param(200, {}, Delivered(), id="200 is delivered"),
        pytest.param(202, {}, Delivered(), id="202 is delivered"),
        pytest.param(500, {}, Retry(0.0, "HTTP 500"), id="500 is tried again"),
        pytest.param(503, {"Retry_After": "7"}, Retry(7.0, "HTTP 503"), id="503 says when"),
        pytest.param(429, {"Retry_After": "90"}, Retry(90.0, "HTTP 429"), id="429 says when"),
        pytest.param(
            429,
            {"Retry_After": "Mon, 09 Mar 2026 00:02:00 GMT"},
            Retry(120.0, "HTTP 429"),
            id="429 says when as a date",
        ),
        pytest.param(
            429, {"Retry_After": "9" * 30}, Retry(86_400.0, "HTTP 429"), id="429 says never"
        ),
        pytest.param(429, {"Retry_After": "soon"}, Retry(0.0, "HTTP 429"), id="429 says nonsense"),
        pytest.param(408, {}, Retry(0.0, "HTTP 408"), id="408 is tried again"),
        pytest.param(425, {}, Retry(0.0, "HTTP 425"), id="425 is tried again"),
        pytest.param(
            410, {}, Rejected("HTTP 410: the receiver wants no more"), id="410 is the end"
        ),
        pytest.param(400, {}, Rejected("HTTP 400"), id="400 is the end"),
        pytest.param(404, {}, Rejected("HTTP 404"), id="404 is the end"),
    ],
)
async def test_the_status_is_the_answer(
    code: int, headers: dict[str, str], expected: Answer
) -> None:
    async with receiver(status(code, **headers)) as seen:
        now = datetime(2026, 3, 9, tzinfo=UTC)
        assert await send(seen.url, now=lambda: now) == expected
    assert len(seen.requests) == 1


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(code: int) -> None:
    async with receiver(status(code, Location="/elsewhere")) as seen:
        answer = await send(seen.url)
    assert answer == Rejected(f"HTTP {code}: redirects are not followed")
    assert len(seen.requests) == 1


async def test_a_huge_reply_is_not_read() -> None:
    flood = Flood(256 * 2**20)
    async with receiver(flood) as seen:
        assert await send(seen.url) == Delivered()
        await asyncio.wait_for(flood.stopped.wait(), 5)
    assert flood.written < 32 * 2**20  # what the kernel's buffers took


async def test_a_body_that_never_ends_does_not_hold_up_the_answer() -> None:
    async with receiver(drip) as seen:
        assert await asyncio.wait_for(send(seen.url), 4) == Delivered()


async def test_a_receiver_that_does_not_answer_in_time_is_tried_again() -> None:
    async with receiver(silent) as seen:
        answer = await send(seen.url, timeout_seconds=0.2)
    assert answer == Retry(0.0, "no reply within 0.2 s")


async def test_a_receiver_that_is_down_is_tried_again() -> None:
    answer = await send(f"http://localhost:{closed_port()}/")
    assert answer == Retry(0.0, "no connection: ClientConnectorError")


@pytest.mark.parametrize(
    "reply",
    [b"", b"220 mail.example ESMTP\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n"],
    ids=["hangs up", "does not speak HTTP", "sends endless headers"],
)
async def test_a_receiver_that_is_no_web_server_is_tried_again(reply: bytes) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply)
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        answer = await send(f"http://localhost:{port}/")
    assert isinstance(answer, Retry)
    assert answer.reason.startswith("no connection: ")


async def test_a_name_that_does_not_resolve_is_tried_again() -> None:
    async def nowhere(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    answer = await send("https://hook.example/", resolve=nowhere)
    assert answer == Retry(0.0, "no connection: ClientConnectorDNSError")


@pytest.mark.parametrize(
    "endless",
    [b"HTTP/1.1 100 Continue\r\n\r\n", b"X-More: headers\r\n"],
    ids=["interim", "headers"],
)
async def test_a_head_that_never_ends_is_given_up(endless: bytes) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n" if endless.startswith(b"X") else b"")
        try:
            while True:
                writer.write(endless * 1_000)
                await writer.drain()
        except ConnectionError:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        answer = await send(f"http://localhost:{port}/", timeout_seconds=1.0)
    assert isinstance(answer, Retry)
