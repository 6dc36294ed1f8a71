"""Threads of mails, links in them, and what a mail server answers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from detectors.delivery_records import Subscription
from streams.exposition import serve
from streams.secrets import challenge_text
from streams.sinks import Answer, Delivered, Rejected, Retry, of_alert
from streams.sinks.email import EmailSink
from streams.unsubscribe import SubscriptionPages, confirm_url, unsubscribe_url
from tests.alert_records import alert
from tests.mail_records import (
    CHARTED,
    DESK,
    KEY,
    NOW,
    ONE_OF_EACH,
    context,
    got,
    message,
    picture_of,
    send,
    smtp,
    texts,
)
from tests.mail_server import (
    BANNER,
    mail_server,
    raw_server,
)

# Threads and lists


async def thread(*revisions: int, to: Subscription = DESK) -> list[EmailMessage]:
    async with mail_server() as server:
        for each in revisions:
            assert await send(server.port, of_alert(alert(1, each), to), to) == Delivered()
        return server.mails()


async def test_all_revisions_of_an_alert_are_one_thread() -> None:
    first, second, third = await thread(0, 1, 7)
    assert (first["References"], first["In-Reply-To"]) == (None, None)
    for later in (second, third):
        assert later["References"] == later["In-Reply-To"] == first["Message-ID"]
    assert len({each["Message-ID"] for each in (first, second, third)}) == 3
    assert re.fullmatch(r"<[0-9a-f]{32}@tocsin\.example>", first["Message-ID"])


async def test_who_came_in_later_still_has_one_thread() -> None:
    third, fourth = await thread(3, 4)
    assert third["References"] == fourth["References"]


async def test_two_subscribers_have_threads_of_their_own() -> None:
    (one,) = await thread(0)
    (other,) = await thread(0, to=replace(DESK, id="other"))
    assert one["Message-ID"] != other["Message-ID"]


async def test_another_attempt_is_the_same_mail_but_for_its_date() -> None:
    async with mail_server() as server:
        for hours in (0, 1):
            later = NOW + timedelta(hours=hours)
            told = of_alert(alert(1, 1, **CHARTED), DESK)
            await send(server.port, told, now=lambda at=later: at)
    first, again = (each.original_content or b"" for each in server.envelopes)
    stamp = rb"Date: [^\r]*"
    assert first != again
    assert re.sub(stamp, b"", first) == re.sub(stamp, b"", again)


@pytest.mark.parametrize(
    ("mail", "changes", "expected"),
    [
        pytest.param(
            {},
            {},
            (
                f"<{unsubscribe_url('https://tocsin.example', KEY, 'desk')}>, "
                "<mailto:people@tocsin.example?subject=unsubscribe%20desk>",
                True,
            ),
            id="by a click or by mail",
        ),
        pytest.param(
            {"reply_to": None},
            {},
            (f"<{unsubscribe_url('https://tocsin.example', KEY, 'desk')}>", True),
            id="by a click",
        ),
        pytest.param(
            {},
            {"unsubscribe_url": None},
            ("<mailto:people@tocsin.example?subject=unsubscribe%20desk>", False),
            id="by mail: there is no link",
        ),
        pytest.param(
            {"reply_to": None},
            {"unsubscribe_url": lambda _: "http://intranet.example/x"},
            ("<http://intranet.example/x>", False),
            id="one click needs https",
        ),
        pytest.param(
            {"reply_to": None},
            {"unsubscribe_url": lambda _: "https://tocsin.example/" + "x" * 2_000},
            (None, False),
            id="a link too long for a header is left to the text",
        ),
        pytest.param({"reply_to": None}, {"unsubscribe_url": None}, (None, False), id="no"),
    ],
)
async def test_a_list_header_says_how_to_end_it(
    mail: dict[str, Any], changes: dict[str, Any], expected: tuple[Any, bool]
) -> None:
    sent = await got(ONE_OF_EACH["alert"], mail=mail, **changes)
    ways, one_click = expected
    assert sent["List-Unsubscribe"] == ways
    assert (sent["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click") is one_click
    assert sent["List-Id"] == "Tocsin alerts <tocsin-alerts.tocsin.example>"
    if changes.get("unsubscribe_url"):
        assert changes["unsubscribe_url"]("desk") in texts(sent)[0]


async def test_a_challenge_may_be_the_whole_link() -> None:
    text = challenge_text(KEY, "desk", 1)
    link = confirm_url("https://tocsin.example", "desk", text)
    by_link, by_text = [texts(await got(message("challenge", text=each))) for each in (link, text)]
    assert by_link == by_text
    assert f"\n{link}\n" in by_link[0]


async def test_a_notice_ends_nothing_by_a_click() -> None:
    sent = await got(ONE_OF_EACH["notice"])
    assert (sent["List-Unsubscribe"], sent["List-Unsubscribe-Post"]) == (None, None)
    assert "/unsubscribe/" not in "".join(texts(sent))


async def test_the_links_of_mails_do_what_they_say() -> None:
    book = {"desk": replace(DESK, state="pending")}
    done: list[str] = []

    def act(name: str) -> Callable[[str], bool]:
        return lambda id: not done.append(f"{name} {id}")  # type: ignore[func-returns-value]

    pages = SubscriptionPages(
        key=KEY, find=book.get, unsubscribe=act("end"), confirm=act("confirm")
    )
    asked, told = await got(ONE_OF_EACH["challenge"]), await got(ONE_OF_EACH["alert"])
    (confirm,) = re.findall(r"^https://tocsin\.example(/confirm/\S+)$", texts(asked)[0], re.M)
    end = urlsplit(re.findall(r"<(https://[^>]*)>", told["List-Unsubscribe"])[0]).path
    with serve(CollectorRegistry(), pages=pages) as server:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{server.port}") as session:
            for path in (confirm, end):
                body = {"List-Unsubscribe": "One-Click"}
                async with session.post(path, data=body, allow_redirects=False) as reply:
                    assert reply.status == 200
    assert done == ["confirm desk", "end desk"]


# Answers


@pytest.mark.parametrize(
    ("replies", "expected", "said"),
    [
        pytest.param({"RCPT": "450 4.2.1 x"}, Retry, "450 4.2.1", id="mailbox busy"),
        pytest.param({"RCPT": "451 4.7.1 x"}, Retry, "451 4.7.1", id="greylisted"),
        pytest.param({"DATA": "452 4.3.1 x"}, Retry, "452 4.3.1", id="no room for now"),
        pytest.param({"MAIL": "421 4.3.2 x"}, Retry, "421 4.3.2", id="shutting down"),
        pytest.param({"RCPT": "550 5.1.1 x"}, Rejected, "550 5.1.1", id="no such mailbox"),
        pytest.param({"RCPT": "553 x"}, Rejected, "refused (553)", id="without a longer code"),
        pytest.param({"RCPT": "552 5.2.2 x"}, Retry, "mailbox is full", id="mailbox full"),
        pytest.param({"DATA": "554 5.7.1 x"}, Rejected, "554 5.7.1", id="the mail is refused"),
        pytest.param({"MAIL": "550 5.7.1 x"}, Retry, "delivery.smtp.sender", id="the sender"),
        pytest.param({"RCPT": "530 5.7.0 x"}, Retry, "delivery.smtp.user", id="asks for a login"),
        pytest.param({"DATA": "199 x"}, Retry, "delivery.smtp.host", id="no mail server's reply"),
    ],
)
async def test_a_reply_becomes_an_answer(
    replies: dict[str, str], expected: type[Answer], said: str
) -> None:
    replies = {name: f"{reply[:-1]}{BANNER} 5.1.1" for name, reply in replies.items()}
    async with mail_server(replies) as server:
        answer = await send(server.port)
    assert isinstance(answer, expected)
    assert said in answer.reason
    assert BANNER not in answer.reason
    assert DESK.address not in answer.reason
    assert server.mails() == []
    if isinstance(answer, Retry) and re.search(r"\(4\d\d", answer.reason):
        assert answer.after_seconds >= 60  # mail servers that ask to wait mean minutes


async def test_no_server_means_another_try() -> None:
    async with mail_server() as server:
        pass
    answer = await send(server.port)
    assert answer == Retry(
        0.0, "no connection to the mail server (connect): ConnectionRefusedError"
    )


async def test_a_host_that_cannot_be_means_another_try() -> None:
    answer = await send(25, mail={"host": "a..b"})
    assert isinstance(answer, Retry)


async def test_a_server_that_hangs_up_means_another_try() -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hello\r\n")
        writer.close()

    async with raw_server(hang_up) as port:
        answer = await send(port)
    assert isinstance(answer, Retry)
    assert answer.reason.startswith("no connection to the mail server")


@pytest.mark.parametrize("reply", ["554 go away", "421 too many"])
async def test_a_server_that_refuses_to_talk_means_another_try(reply: str) -> None:
    async def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"{reply}\r\n".encode())
        await writer.drain()

    async with raw_server(refuse) as port:
        answer = await send(port)
    assert isinstance(answer, Retry)
    assert reply[:3] in answer.reason
    assert reply[4:] not in answer.reason


async def test_a_silent_server_costs_no_more_than_the_timeout() -> None:
    async def say_nothing(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    loop = asyncio.get_running_loop()
    async with raw_server(say_nothing) as port:
        began = loop.time()
        answer = await send(port, timeout_seconds=0.3)
    assert isinstance(answer, Retry)
    assert answer.reason == "the mail server has not taken the mail in time (connect)"
    assert loop.time() - began < 3


async def test_a_mail_that_was_taken_is_delivered_whatever_comes_after() -> None:
    async def take_then_fall_silent(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(b"220 hello\r\n")
        while line := await reader.readline():
            if line.startswith(b"DATA"):
                writer.write(b"354 go on\r\n")
                await reader.readuntil(b"\r\n.\r\n")
            if line.startswith(b"QUIT"):
                continue
            writer.write(b"250 fine\r\n")

    async with raw_server(take_then_fall_silent) as port:
        assert await send(port) == Delivered()


async def test_many_mails_at_once_all_arrive() -> None:
    async with mail_server() as server:
        sink = EmailSink(context(smtp(server.port), timeout_seconds=120.0))
        readers = [replace(DESK, id=f"desk-{n}") for n in range(30)]
        told = alert(1, **CHARTED)
        answers = await asyncio.gather(
            *(sink.send(of_alert(told, each), each, None) for each in readers)
        )
        await sink.close()
    assert answers == [Delivered()] * 30
    assert len({each["Message-ID"] for each in server.mails()}) == 30
    assert len({picture_of(each).get_content() for each in server.mails()}) == 1


async def test_without_a_mail_server_or_a_link_the_operator_is_told() -> None:
    sink = EmailSink(context(None))
    answer = await sink.send(ONE_OF_EACH["alert"], DESK, None)
    assert isinstance(answer, Retry)
    assert "delivery.smtp.host" in answer.reason
    answer = await send(25, ONE_OF_EACH["challenge"], mail={"public_url": None})
    assert isinstance(answer, Retry)
    assert "delivery.smtp.public_url" in answer.reason
