"""A real SMTP server on loopback that keeps what it is sent, and can be told what to answer."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "tocsin", "correct horse battery"
#: What the server says besides its codes: nothing of it may get into a reason.
BANNER = "internal-host-17 says"


@dataclass
class MailServer:
    """What a server got, and where it is."""

    port: int = 0
    #: Replies in place of the usual ones, by the command.
    replies: Mapping[str, str] = field(default_factory=dict)
    envelopes: list[Envelope] = field(default_factory=list)
    hellos: list[str] = field(default_factory=list)
    logins: list[bytes] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)

    def mails(self) -> list[EmailMessage]:
        """Return the mails, parsed."""
        parsed = [
            message_from_bytes(each.original_content or b"", policy=policy.default)
            for each in self.envelopes
        ]
        return [each for each in parsed if isinstance(each, EmailMessage)]

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, said: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self.hellos.append(hostname)
        return said

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if "MAIL" in self.replies:
            return self.replies["MAIL"]
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if "RCPT" in self.replies:
            return self.replies["RCPT"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if "DATA" in self.replies:
            return self.replies["DATA"]
        self.envelopes.append(envelope)
        self.encrypted.append(server.transport.get_extra_info("ssl_object") is not None)
        return "250 OK"

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append(data.login)
        right = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=right, handled=right)


@asynccontextmanager
async def mail_server(
    replies: Mapping[str, str] | None = None,
    *,
    starttls: ssl.SSLContext | None = None,
    tls: ssl.SSLContext | None = None,
    login: bool = False,
) -> AsyncIterator[MailServer]:
    """Run a server on a free port of 127.0.0.1.

    Args:
        replies: What it answers to MAIL, RCPT or DATA, in place of 250.
        starttls: The certificate with which it offers STARTTLS, and asks for it.
        tls: The certificate with which it is encrypted from the beginning.
        login: Whether it takes no mail without a login.
    """
    box = MailServer(replies=replies or {})
    loop = asyncio.get_running_loop()
    options: dict[str, Any] = {"auth_required": login, "authenticator": box.authenticate}
    if starttls is not None:
        options |= {"tls_context": starttls, "require_starttls": True}
    else:
        options |= {"auth_require_tls": False}

    def serve() -> SMTP:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about a login without STARTTLS: meant so
            return SMTP(box, hostname="mail.example", ident=BANNER, loop=loop, **options)

    server = await loop.create_server(serve, "127.0.0.1", 0, ssl=tls)
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        server.close()


@asynccontextmanager
async def raw_server(
    talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[int]:
    """Run a server that does with a connection what `talk` does; yield its port."""
    open_connections: list[asyncio.StreamWriter] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_connections.append(writer)
        await talk(reader, writer)

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for each in open_connections:
            each.close()


@dataclass(frozen=True)
class Certificate:
    """A self-made certificate, and a server's context with it."""

    file: Path
    context: ssl.SSLContext


def make_certificate(folder: Path, name: str) -> Certificate:
    """Make a certificate for a host name or, with "IP:" before it, an address."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs the openssl command, to make a certificate")
    folder.mkdir(parents=True, exist_ok=True)
    key, file = folder / "key.pem", folder / "cert.pem"
    subject = name if name.startswith("IP:") else f"DNS:{name}"
    what = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=x"]
    whose = ["-addext", f"subjectAltName={subject}", "-keyout", str(key), "-out", str(file)]
    subprocess.run([openssl, *what, *whose], check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file, key)
    return Certificate(file, context)
