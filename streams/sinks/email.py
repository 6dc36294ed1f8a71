"""E-mail over SMTP (RFC 5321): one mail for each message, to one mailbox.

Only the operator's own mail server is contacted, so a subscriber's address is never a host to
connect to. What is refused for good because of the reader's mailbox is `Rejected`; what an operator
has to mend is `Retry` with the mend, so that nothing is lost until it is mended.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar, Final, Literal, TypeAlias

import aiosmtplib
import structlog

from detectors.delivery_records import Subscription
from detectors.records import Alert
from streams.mail_address import check_mailbox, domain_of
from streams.settings import Smtp
from streams.sinks.base import Answer, Delivered, Message, Rejected, Retry, SinkContext
from streams.sinks.mail_letter import MOST_TOLD, Links, letter
from streams.sinks.mail_message import Envelope, compose, wire
from streams.unsubscribe import confirm_url

if TYPE_CHECKING:
    from streams.sinks.mail_chart import Chart

#: How far a mail has come.
Phase: TypeAlias = Literal["connect", "tls", "login", "sender", "recipient", "data", "done"]

#: What an operator can do about a mail server that does not do its part.
_MENDS: Final[dict[Phase, str]] = {
    "connect": "check delivery.smtp.host and port",
    "tls": "check delivery.smtp.security, port and ca_file",
    "login": "check delivery.smtp.user and password",
    "sender": "check delivery.smtp.sender, user and password",
    "recipient": "check delivery.smtp.user and password",
    "data": "check delivery.smtp.host and port",
    "done": "",
}
_MOST_CHARTS: Final = 6  # in one mail: each has about 30 KB
#: Charts may take such a share of the time for a delivery; a mail goes without, but it goes.
_CHART_SHARE: Final = 1 / 3
_MOST_CONNECTIONS: Final = 10  # at the same time; mail servers shut out who has many
_GREYLISTED_SECONDS: Final = 60.0
_GOODBYE_SECONDS: Final = 0.5
#: The code at the start of a reply's text (RFC 3463), the only part of it that is repeated.
_ENHANCED: Final = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")
_log = structlog.get_logger(__name__)


class EmailSink:
    """Sends each message to the mailbox of a subscription, through the operator's mail server."""

    name: ClassVar[str] = "email"

    def __init__(self, context: SinkContext) -> None:
        self._context = context
        self._slots = asyncio.Semaphore(_MOST_CONNECTIONS)
        #: One thread, so that a chart that many mails have is drawn once and then known.
        self._painter: ThreadPoolExecutor | None = None

    async def send(
        self, message: Message, subscription: Subscription, secret: str | None
    ) -> Answer:
        """Send one mail; `address` is a mailbox, `secret` is not used.

        Returns:
            Delivered once the mail server has taken the mail. Rejected where the address is not a
            mailbox, or it or this very mail is refused for good (5xx). Retry on 4xx, on trouble
            with the connection, on a timeout, and on what an operator has to mend: no mail server
            is set, or it refuses encryption, the login or the sender.
        """
        try:
            to = check_mailbox(subscription.address)
        except ValueError as error:
            return Rejected(str(error))
        smtp = self._context.smtp
        if smtp is None:
            return Retry(0.0, "no mail server is set: set delivery.smtp.host and sender")
        if message.kind == "challenge" and not smtp.public_url:
            return Retry(0.0, "there is no link to confirm: set delivery.smtp.public_url")
        seconds = self._context.timeout_seconds
        goodbye = min(_GOODBYE_SECONDS, seconds / 10)
        attempt = _Attempt(asyncio.get_running_loop().time() + seconds - goodbye, goodbye)
        try:
            async with asyncio.timeout_at(attempt.until):
                mail = await self._mail(message, subscription, smtp, to)
                await self._slots.acquire()
            try:
                return await attempt.run(smtp, to, mail)
            finally:
                self._slots.release()
        except TimeoutError:
            return Retry(0.0, "the mail server was busy with other mails")

    async def close(self) -> None:
        """Stop drawing. Connections are closed after each mail."""
        if self._painter is not None:
            self._painter.shutdown(wait=False, cancel_futures=True)
            self._painter = None

    async def _mail(
        self, message: Message, subscription: Subscription, smtp: Smtp, to: str
    ) -> bytes:
        # A notice may go to the owner of another channel, who must not end that by one click.
        is_list = message.kind != "notice"
        unsubscribe = self._context.unsubscribe_url if is_list else None
        links = Links(
            console=self._context.console_url,
            unsubscribe=unsubscribe(subscription.id) if unsubscribe else None,
            confirm=_confirm(message, subscription, smtp),
            reply_to=smtp.reply_to,
        )
        envelope = Envelope(
            source=self._context.source,
            sender=smtp.sender,
            to=to,
            at=self._context.now(),
            reply_to=smtp.reply_to,
            unsubscribe=links.unsubscribe,
            is_list=is_list,
        )
        told = letter(message, subscription, links, await self._charts(message))
        return wire(compose(told, message, subscription, envelope))

    async def _charts(self, message: Message) -> dict[str, Chart]:
        """Draw what there is to draw; whatever goes wrong, the mail goes without."""
        alerts = [each for each in message.alerts[:MOST_TOLD] if each.daily][:_MOST_CHARTS]
        charts: dict[str, Chart] = {}
        if self._painter is None:
            self._painter = ThreadPoolExecutor(1, thread_name_prefix="mail-chart")
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._context.timeout_seconds * _CHART_SHARE):
                for alert in alerts:
                    chart = await loop.run_in_executor(self._painter, self._draw, alert)
                    charts |= {alert.id: chart} if chart else {}
        except TimeoutError:
            _log.warning("mail_chart_left_out", message=message.id, reason="it took too long")
        except Exception:
            _log.exception("mail_chart_failed", message=message.id)
        return charts

    def _draw(self, alert: Alert) -> Chart | None:
        # Imported late: a process that sends no mail need not load what draws.
        from streams.sinks.mail_chart import chart

        return chart(alert, self._context.revisions(alert.id))


def _confirm(message: Message, subscription: Subscription, smtp: Smtp) -> str | None:
    """Return the link of a challenge, which its text is, or is the end of."""
    if message.kind != "challenge" or smtp.public_url is None:
        return None
    if message.text.startswith(smtp.public_url):
        return message.text
    return confirm_url(smtp.public_url, subscription.id, message.text)


class _Attempt:
    """One conversation with the mail server, and how far it has come."""

    def __init__(self, until: float, goodbye_seconds: float) -> None:
        """Take until when on the loop's clock the mail has to be taken, and how long QUIT may take.

        QUIT has its own time: a mail that was taken is delivered, whatever comes after.
        """
        self.until = until
        self.phase: Phase = "connect"
        self._goodbye_seconds = goodbye_seconds

    async def run(self, smtp: Smtp, to: str, mail: bytes) -> Answer:
        """Hand over the mail, and say how it went."""
        client: aiosmtplib.SMTP | None = None
        try:
            async with asyncio.timeout_at(self.until):
                client = aiosmtplib.SMTP(
                    hostname=smtp.host,
                    port=smtp.port_used(),
                    local_hostname=domain_of(smtp.sender),  # never the name of this machine
                    use_tls=smtp.security == "tls",
                    start_tls=False,  # asked for below: never only if it is offered
                    tls_context=await self._tls(smtp),
                    timeout=None,  # the one above
                )
                await self._talk(client, smtp, to, mail)
            with suppress(aiosmtplib.SMTPException, OSError):
                await client.quit(timeout=self._goodbye_seconds)
        except (aiosmtplib.SMTPException, OSError, UnicodeError) as error:
            return _answer(self.phase, error)
        finally:
            if client is not None:
                client.close()
        return Delivered()

    async def _tls(self, smtp: Smtp) -> ssl.SSLContext | None:
        if smtp.security == "none":
            return None
        self.phase = "tls"
        authorities = str(smtp.ca_file) if smtp.ca_file else None
        made = await asyncio.to_thread(ssl.create_default_context, cafile=authorities)
        self.phase = "connect"
        return made

    async def _talk(self, client: aiosmtplib.SMTP, smtp: Smtp, to: str, mail: bytes) -> None:
        await client.connect()
        if smtp.security == "starttls":
            self.phase = "tls"
            await client.starttls()
        if smtp.user is not None and smtp.password is not None:
            self.phase = "login"
            await client.login(smtp.user, smtp.password.get_secret_value())
        self.phase = "sender"
        await client.mail(smtp.sender)
        self.phase = "recipient"
        await client.rcpt(to)
        self.phase = "data"
        await client.data(mail)
        self.phase = "done"


def _answer(phase: Phase, error: Exception) -> Answer:
    """Say what a failure means, with nothing in it that the mail server wrote but its codes."""
    if any(isinstance(each, ssl.SSLError) for each in _causes(error)):
        kind = "its certificate is not trusted" if _is_untrusted(error) else "it failed"
        return Retry(0.0, f"no encryption with the mail server, {kind}: {_MENDS['tls']}")
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return _refused(phase, error)
    if isinstance(error, TimeoutError):
        return Retry(0.0, f"the mail server has not taken the mail in time ({phase})")
    if phase in ("tls", "login") and not isinstance(error, ConnectionError):
        # Without an answer's code: it does not offer what the settings want, or a file is missing.
        return Retry(0.0, f"the mail server cannot be used as it is set: {_MENDS[phase]}")
    kind = type(error.__cause__ or error).__name__
    return Retry(0.0, f"no connection to the mail server ({phase}): {kind}")


def _refused(phase: Phase, error: aiosmtplib.SMTPResponseException) -> Answer:
    """Judge a reply by its code, and by what it is a reply to."""
    codes = _codes(error)
    if 400 <= error.code < 500:
        return Retry(_GREYLISTED_SECONDS, f"the mail server asks to wait ({codes}, {phase})")
    # 530 asks for a login; 552 is a full mailbox (RFC 5321, 4.5.3.1.10: to be taken as 452).
    if phase == "recipient" and error.code == 552:
        return Retry(_GREYLISTED_SECONDS, f"the mailbox is full ({codes})")
    if phase == "recipient" and error.code >= 500 and error.code != 530:
        return Rejected(f"the address was refused ({codes})")
    if phase == "data" and error.code >= 500:
        return Rejected(f"this mail was refused ({codes})")
    return Retry(0.0, f"the mail server refuses the {phase} ({codes}): {_MENDS[phase]}")


def _codes(error: aiosmtplib.SMTPResponseException) -> str:
    enhanced = _ENHANCED.match(error.message)
    return f"{error.code} {enhanced[0]}" if enhanced else str(error.code)


def _is_untrusted(error: BaseException) -> bool:
    return any(isinstance(each, ssl.SSLCertVerificationError) for each in _causes(error))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
