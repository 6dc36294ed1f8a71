"""What an HTTP reply means for a delivery, and a client that does nothing but deliver."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import aiohttp

from streams.sinks.base import Answer, Delivered, Rejected, Retry, SinkContext

#: Replies that ask for another try: timeout, too early, too many requests.
_RETRY_STATUSES: Final = frozenset({408, 425, 429})
_LONGEST_WAIT_SECONDS: Final = 86_400.0
#: aiohttp stops reading at twice this many bytes: 64 KiB of an unasked reply at most.
_READ_BUFFER: Final = 32 * 1024


def client(connector: aiohttp.TCPConnector, timeout_seconds: float) -> aiohttp.ClientSession:
    """Return a session without cookies, proxies from the environment, or decompression.

    Args:
        connector: How connections are made.
        timeout_seconds: The most time that one request may take, its reply included.
    """
    return aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=timeout_seconds),
        cookie_jar=aiohttp.DummyCookieJar(),
        read_bufsize=_READ_BUFFER,
        auto_decompress=False,
        trust_env=False,
    )


class HttpSink(ABC):
    """What sinks that post over HTTP share: one session, made when it is first needed."""

    def __init__(self, context: SinkContext) -> None:
        self._context = context
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = client(self._connector(), self._context.timeout_seconds)
        return self._session

    @abstractmethod
    def _connector(self) -> aiohttp.TCPConnector:
        """Return how connections are made."""


#: What a request may end with in place of a reply.
TROUBLE: Final = (aiohttp.ClientError, OSError)


def answer_of_trouble(error: Exception, timeout_seconds: float) -> Answer:
    """Return what it means that there was no reply.

    It tells the kind of failure only: its text could tell a subscriber about the network here.
    """
    if isinstance(error, TimeoutError):
        return Retry(0.0, f"no reply within {timeout_seconds:g} s")
    if isinstance(error, aiohttp.InvalidURL):
        return Rejected("the address is not a URL")
    return Retry(0.0, f"no connection: {type(error).__name__}")


def answer_of(reply: aiohttp.ClientResponse, now: datetime) -> Answer:
    """Return what the status line and `Retry-After` of a reply mean; its body is not read."""
    return answer_of_status(reply.status, retry_after(reply.headers.get("Retry-After"), now))


def answer_of_status(status: int, wait: float = 0.0) -> Answer:
    """Return what an HTTP status means for what was sent.

    Args:
        status: Of the reply.
        wait: The seconds for which the receiver asked.
    """
    if 200 <= status < 300:
        return Delivered()
    if status in _RETRY_STATUSES or 500 <= status < 600:
        return Retry(wait, f"HTTP {status}")
    if status == 410:
        return Rejected("HTTP 410: the receiver wants no more")
    if 300 <= status < 400:
        return Rejected(f"HTTP {status}: redirects are not followed")
    return Rejected(f"HTTP {status}")


def retry_after(header: str | None, now: datetime) -> float:
    """Return the seconds a `Retry-After` header asks for (RFC 9110, 10.2.3), a day at most.

    A missing or malformed header, or a date that has passed, is 0.

    >>> from datetime import UTC, datetime
    >>> now = datetime(2026, 1, 1, 0, 0, tzinfo=UTC)
    >>> retry_after("120", now), retry_after("Thu, 01 Jan 2026 00:01:00 GMT", now)
    (120.0, 60.0)
    >>> retry_after("soon", now), retry_after(None, now), retry_after("-5", now)
    (0.0, 0.0, 0.0)
    """
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), _LONGEST_WAIT_SECONDS)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return min(max((at - now).total_seconds(), 0.0), _LONGEST_WAIT_SECONDS)
