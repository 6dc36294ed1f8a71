"""Encryption, login, addresses, headers and settings of mails."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from pydantic import SecretStr, ValidationError

from streams.settings import Smtp
from streams.sinks import Delivered, Rejected, Retry, of_alert
from tests.alert_records import alert
from tests.mail_records import (
    DESK,
    message,
    send,
    smtp,
)
from tests.mail_server import (
    PASSWORD,
    USER,
    Certificate,
    MailServer,
    mail_server,
    make_certificate,
)

# Encryption and login


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("right"), "IP:127.0.0.1")


@pytest.fixture(scope="session")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("foreign"), "elsewhere.example")


LOGIN = {"user": USER, "password": SecretStr(PASSWORD)}


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_an_encrypted_mail_with_a_login_arrives(
    security: str, certificate: Certificate
) -> None:
    offered = {security: certificate.context}
    async with mail_server(login=True, **offered) as server:
        options = {"security": security, "ca_file": certificate.file, **LOGIN}
        assert await send(server.port, mail=options) == Delivered()
    assert server.encrypted == [True]
    assert server.logins == [USER.encode()]
    assert len(server.mails()) == 1


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_certificate_that_is_not_trusted_stops_everything(
    security: str, certificate: Certificate, foreign: Certificate
) -> None:
    for shown, trusted in ((certificate, None), (certificate, foreign), (foreign, foreign)):
        async with mail_server(login=True, **{security: shown.context}) as server:
            options = {"security": security, **LOGIN}
            options |= {"ca_file": trusted.file} if trusted else {}
            answer = await send(server.port, mail=options)
        assert isinstance(answer, Retry)
        assert "not trusted" in answer.reason
        assert "delivery.smtp.security, port and ca_file" in answer.reason
        assert (server.logins, server.mails()) == ([], [])


async def test_without_the_encryption_that_is_set_nothing_is_sent() -> None:
    async with mail_server(login=True) as server:
        answer = await send(server.port, mail={"security": "starttls", **LOGIN})
    assert isinstance(answer, Retry)
    assert "delivery.smtp.security" in answer.reason
    assert (server.logins, server.mails()) == ([], [])


async def test_tls_to_a_server_that_speaks_plainly_names_the_mend() -> None:
    async with mail_server() as server:
        answer = await send(server.port, mail={"security": "tls"})
    assert isinstance(answer, Retry)
    assert "delivery.smtp.security" in answer.reason


async def test_a_wrong_password_names_the_mend_and_not_the_password(
    certificate: Certificate,
) -> None:
    async with mail_server(login=True, starttls=certificate.context) as server:
        options = {"security": "starttls", "ca_file": certificate.file, "user": USER}
        answer = await send(server.port, mail=options | {"password": SecretStr("hunter2")})
    assert isinstance(answer, Retry)
    assert answer.reason.startswith("the mail server refuses the login (535")
    assert "delivery.smtp.user and password" in answer.reason
    assert "hunter2" not in answer.reason
    assert server.mails() == []


async def test_a_server_that_takes_no_login_names_the_mend(certificate: Certificate) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hello\r\n")
        while await reader.readline():
            writer.write(b"250 fine\r\n")

    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=certificate.context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        options = {"security": "tls", "ca_file": certificate.file, **LOGIN}
        answer = await send(port, mail=options)
    assert isinstance(answer, Retry)
    assert "delivery.smtp.user and password" in answer.reason


async def test_a_missing_ca_file_names_the_mend() -> None:
    answer = await send(25, mail={"security": "tls", "ca_file": Path("/nowhere/ca.pem")})
    assert isinstance(answer, Retry)
    assert "ca_file" in answer.reason


# Addresses and injection


@pytest.mark.parametrize(
    "address",
    [
        "",
        "desk",
        "@example.org",
        "desk@",
        "desk@localhost",
        "desk@[127.0.0.1]",
        "desk@127.0.0.1",
        "Desk <desk@example.org>",
        "<desk@example.org>",
        "desk@example.org, other@example.org",
        "desk@example.org;other@example.org",
        "desk@example.org other@example.org",
        "desk@example.org\n",
        "desk@example.org\r\nBcc: other@example.org",
        "desk@example.org\x00",
        " desk@example.org",
        '"de sk"@example.org',
        "desk(comment)@example.org",
        "other%elsewhere.example@example.org",
        "elsewhere!desk@example.org",
        ".desk@example.org",
        "de..sk@example.org",
        "desk@-example.org",
        "desk@example..org",
        "desk@example.org.",
        "désk@example.org",
        "desk@exämple.org",
        "d" * 65 + "@example.org",
        "desk@" + "a." * 130 + "org",
        "desk@" + "a" * 64 + ".org",
        "mailto:desk@example.org",
        "desk@@example.org",
    ],
)
async def test_an_address_that_is_not_one_mailbox_is_rejected(address: str) -> None:
    async with mail_server() as server:
        answer = await send(server.port, to=replace(DESK, address=address))
    assert isinstance(answer, Rejected)
    assert "one plain mailbox" in answer.reason
    assert (server.envelopes, server.hellos) == ([], [])


@pytest.mark.parametrize(
    "address", ["a@b.co", "first.last+tag@mail.example.org", "o'neil_1@xn--exmple-cua.org"]
)
async def test_a_plain_mailbox_gets_the_mail(address: str) -> None:
    async with mail_server() as server:
        assert await send(server.port, to=replace(DESK, address=address)) == Delivered()
    assert [each.rcpt_tos for each in server.envelopes] == [[address]]
    assert [each["To"] for each in server.mails()] == [address]


HEADERS = {
    "Subject", "From", "To", "Reply-To", "Date", "Auto-Submitted", "X-Auto-Response-Suppress",
    "Message-ID", "In-Reply-To", "References", "List-Id", "List-Unsubscribe",
    "List-Unsubscribe-Post", "X-Tocsin-Kind", "X-Tocsin-Severity", "X-Tocsin-State",
    "X-Tocsin-Unit", "MIME-Version", "Content-Type", "Content-Language",
}  # fmt: skip
WILD = st.text(
    st.one_of(st.characters(), st.sampled_from("\r\n\x00\x0b\x85\u2028\u202e:<>@\"'=?")),
    min_size=1,
    max_size=40,
) | st.sampled_from(["\r\nBcc: x@example.org\r\n\r\n", "x\nBcc: x@example.org", "=?utf-8?q?=0A?="])


def _is_encodable(text: str) -> bool:
    """Whether a record can hold it: none on a topic has half of a character."""
    return not any("\ud800" <= each <= "\udfff" for each in text)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(unit=WILD, id=WILD, text=WILD, name=WILD.filter(_is_encodable))
def test_no_text_adds_a_header_or_a_reader(unit: str, id: str, text: str, name: str) -> None:
    to = replace(DESK, id=name)
    told = alert(1, 1, unit=unit, id=id, reason=text, note=text, changed=text)

    async def go() -> MailServer:
        async with mail_server() as server:
            for each in (of_alert(told, to), message("notice", text=text)):
                changes = {"console_url": None}
                assert await send(server.port, each, to, **changes) == Delivered()
            return server

    server = asyncio.run(go())
    for envelope, mail in zip(server.envelopes, server.mails(), strict=True):
        assert envelope.rcpt_tos == [DESK.address]
        assert len(mail.keys()) == len(set(mail.keys()))
        assert set(mail.keys()) <= HEADERS
        assert mail["To"] == DESK.address
        assert mail.defects == []
        assert [each.get_content_type() for each in mail.iter_parts()] == [
            "text/plain",
            "text/html",
        ]


# Settings


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"sender": "Tocsin <a@example.org>"}, "one plain mailbox", id="sender"),
        pytest.param({"reply_to": "a@example.org\n"}, "one plain mailbox", id="reply_to"),
        pytest.param({"public_url": "tocsin.example"}, "https://", id="no scheme"),
        pytest.param({"public_url": "https://a.example/<x>"}, "https://", id="angle brackets"),
        pytest.param({"user": "u"}, "go together", id="a user without a password"),
        pytest.param(LOGIN, "in the clear", id="a password without encryption"),
        pytest.param({"host": ""}, "at least 1 character", id="no host"),
        pytest.param({"tls": True}, "not permitted", id="an unknown key"),
    ],
)
def test_settings_that_cannot_work_are_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(said)) as caught:
        smtp(25, **changes)
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize(("security", "port"), [("none", 25), ("starttls", 587), ("tls", 465)])
def test_the_usual_port_follows_the_encryption(security: str, port: int) -> None:
    assert Smtp(host="h", sender="a@example.org", security=security).port_used() == port
