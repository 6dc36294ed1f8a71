"""The only HTTP client for feeds: polite, bounded, and honest about what a 304 means.

It keeps no feed state. A source keeps the validators (RFC 9110 section 8.8) of the last body it
has stored, and sends them only while all was well: a 304 then says "what you stored still holds",
and can never clear a failure.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from importlib import metadata
from types import TracebackType
from typing import Final, Literal, Self

import aiohttp
import stamina
from yarl import URL

from streams.sources.base import Clock, SourceError

_ACCEPT: Final = (
    "application/rss+xml, application/atom+xml, application/xml;q=0.9, text/xml;q=0.9, "
    "text/csv;q=0.9, */*;q=0.5"
)
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_TRANSIENT: Final = frozenset({500, 502, 503, 504})
_BUSY: Final = frozenset({429, 503})
_GZIP_OR_ZLIB: Final = zlib.MAX_WBITS | 32  # tells the two apart by their headers
#: A far end may not silence a source for longer than this at a time, in seconds.
_LONGEST_WAIT: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server gave to ask it later whether the body at `url` has changed."""

    url: str
    etag: str | None = None
    last_modified: str | None = None

    def headers(self) -> dict[str, str]:
        """Return the conditional request headers."""
        asked = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in asked.items() if value}

    def to_position(self, feed: str) -> dict[str, str | int]:
        """Return what a cursor keeps of them, for the feed configured as `feed`."""
        kept = {"etag": self.etag, "last_modified": self.last_modified}
        stated = {name: value for name, value in kept.items() if value is not None}
        return {"feed": feed, "url": self.url, **stated}

    @classmethod
    def from_position(cls, position: Mapping[str, str | int], feed: str) -> Self | None:
        """Return the validators that a cursor kept; None where they are another feed's."""
        if position.get("feed") != feed:
            return None
        etag, modified = position.get("etag"), position.get("last_modified")
        return cls(
            str(position["url"]),
            None if etag is None else str(etag),
            None if modified is None else str(modified),
        )


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer. `unchanged` has no body and holds only for what was stored before."""

    status: Literal["fresh", "unchanged"]
    url: str  # after redirects
    body: bytes
    content_type: str | None
    validators: Validators


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """Bounds of one fetch. Times are in seconds, sizes in bytes."""

    total: float = 30.0
    connect: float = 10.0
    size: int = 8 * 1024 * 1024  # of the body, both as sent and as decompressed
    redirects: int = 5
    attempts: int = 3
    first_wait: float = 0.5
    longest_wait: float = 10.0


class _TransientError(SourceError):
    """A fault that another attempt may well not meet."""


class Fetcher:
    """Fetches bodies over HTTP, one request at a time to each host.

    Use it as an async context manager, or call `aclose` at the end.
    """

    def __init__(
        self, clock: Clock, contact: str | None = None, limits: FetchLimits | None = None
    ) -> None:
        """Keep the settings; the connection pool opens with the first request.

        Args:
            clock: Reads the present moment, for Retry-After.
            contact: An address or page for the operators of the sites, sent with each request.
            limits: Bounds of each fetch.
        """
        self._clock = clock
        self._limits = limits or FetchLimits()
        self._agent = user_agent(contact)
        self._session: aiohttp.ClientSession | None = None
        self._locks: dict[str, asyncio.Lock] = {}
        self._closed_until: dict[str, datetime] = {}

    async def __aenter__(self) -> Self:
        """Return the fetcher itself."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connection pool."""
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connection pool."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def get(self, url: str, validators: Validators | None = None) -> Fetched:
        """Fetch a body, or learn that the stored one still holds.

        Args:
            url: An http or https address.
            validators: Of the body that the caller has stored; None asks for the body itself.

        Raises:
            SourceError: With one of the reasons `asked_to_wait`, `bad_encoding`, `bad_url`,
                `broken_transfer`, `forbidden_scheme`, `http_NNN`, `timeout`, `tls`,
                `too_large`, `too_many_redirects`, `unexpected_304`, `unreachable`.
        """
        retries = stamina.retry_context(
            on=_TransientError,
            attempts=self._limits.attempts,
            timeout=None,
            wait_initial=self._limits.first_wait,
            wait_jitter=self._limits.first_wait,
            wait_max=self._limits.longest_wait,
        )
        async for attempt in retries:
            with attempt:
                return await self._follow(url, validators)
        raise AssertionError("the last attempt returns or raises")

    async def _follow(self, url: str, validators: Validators | None) -> Fetched:
        """Walk the redirects by hand: each hop must pass the same checks as the first."""
        hop = _checked(url)
        for _ in range(self._limits.redirects + 1):
            known = validators if validators and validators.url == str(hop) else None
            async with self._lock(hop):
                answer = await self._request(hop, known)
            if isinstance(answer, Fetched):
                return answer
            hop = _checked(answer, base=hop)
        raise SourceError("too_many_redirects", detail=f"{url} -> {hop}")

    async def _request(self, url: URL, validators: Validators | None) -> Fetched | str:
        """Ask once; return the answer, or the address that it points to."""
        self._refuse_while_closed(url)
        headers = validators.headers() if validators else {}
        try:
            async with self._pool().get(url, headers=headers, allow_redirects=False) as response:
                if response.status in _REDIRECTS and "Location" in response.headers:
                    return response.headers["Location"]
                self._check_status(url, response.status, response.headers, bool(headers))
                return await self._read(url, response, validators)
        except TimeoutError as error:
            raise _TransientError("timeout", detail=str(url)) from error
        except aiohttp.ClientSSLError as error:
            raise SourceError("tls", detail=str(error)) from error
        except aiohttp.InvalidURL as error:
            raise SourceError("bad_url", detail=str(error)) from error
        except (aiohttp.ClientPayloadError, aiohttp.ServerDisconnectedError) as error:
            raise _TransientError("broken_transfer", detail=str(error)) from error
        except aiohttp.ClientError as error:
            raise _TransientError("unreachable", detail=str(error)) from error

    async def _read(
        self, url: URL, response: aiohttp.ClientResponse, validators: Validators | None
    ) -> Fetched:
        content_type = response.headers.get("Content-Type")
        if response.status == 304 and validators is not None:
            return Fetched("unchanged", str(url), b"", content_type, validators)
        limit = self._limits.size
        if (response.content_length or 0) > limit:
            raise SourceError("too_large", detail=f"{response.content_length} bytes announced")
        raw = bytearray()
        async for chunk in response.content.iter_chunked(64 * 1024):
            raw += chunk
            if len(raw) > limit:
                raise SourceError("too_large", detail=f"more than {limit} bytes")
        body = _decompressed(bytes(raw), response.headers.get("Content-Encoding", ""), limit)
        new = Validators(
            str(url), response.headers.get("ETag"), response.headers.get("Last-Modified")
        )
        return Fetched("fresh", str(url), body, content_type, new)

    def _check_status(
        self, url: URL, status: int, headers: Mapping[str, str], is_conditional: bool
    ) -> None:
        if status == 200 or (status == 304 and is_conditional):
            return
        if status == 304:
            raise SourceError("unexpected_304", detail=str(url))
        wait = _retry_after(headers.get("Retry-After"), self._clock())
        if status in _BUSY and wait is not None:
            self._closed_until[url.authority] = self._clock() + timedelta(seconds=wait)
            raise SourceError(f"http_{status}", wait, str(url))
        kind = _TransientError if status in _TRANSIENT else SourceError
        raise kind(f"http_{status}", detail=str(url))

    def _refuse_while_closed(self, url: URL) -> None:
        until = self._closed_until.get(url.authority)
        if until is None:
            return
        left = (until - self._clock()).total_seconds()
        if left > 0:
            raise SourceError("asked_to_wait", left, url.authority)
        del self._closed_until[url.authority]

    def _lock(self, url: URL) -> asyncio.Lock:
        return self._locks.setdefault(url.authority, asyncio.Lock())

    def _pool(self) -> aiohttp.ClientSession:
        if self._session is None:
            limits = self._limits
            self._session = aiohttp.ClientSession(
                # We decompress ourselves, because only so the size can be bounded on the way.
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": self._agent, "Accept": _ACCEPT, "Accept-Encoding": "gzip"},
                timeout=aiohttp.ClientTimeout(total=limits.total, connect=limits.connect),
            )
        return self._session


def user_agent(contact: str | None) -> str:
    """Return the honest User-Agent: name, version and, where set, whom to write to."""
    try:
        version = metadata.version("tocsin")
    except metadata.PackageNotFoundError:  # run from a checkout
        version = "unreleased"
    return f"Tocsin/{version} (+{contact})" if contact else f"Tocsin/{version}"


def _checked(address: str, base: URL | None = None) -> URL:
    try:
        url = base.join(URL(address)) if base is not None else URL(address)
    except ValueError as error:
        raise SourceError("bad_url", detail=f"{address}: {error}") from error
    if url.scheme not in {"http", "https"}:
        raise SourceError("forbidden_scheme", detail=f"{url.scheme or 'none'} in {address}")
    if not url.host:
        raise SourceError("bad_url", detail=address)
    return url.with_fragment(None)


def _decompressed(raw: bytes, encoding: str, limit: int) -> bytes:
    """Undo the content encoding without ever holding more than `limit` bytes of output."""
    encoding = encoding.strip().lower()
    if encoding in {"", "identity"}:
        return raw
    if encoding not in {"gzip", "x-gzip", "deflate"}:
        raise SourceError("bad_encoding", detail=encoding)
    body = bytearray()
    rest = raw
    while rest:  # a gzip file may consist of several members
        member = zlib.decompressobj(_GZIP_OR_ZLIB)
        try:
            body += member.decompress(rest, limit + 1 - len(body))
        except zlib.error as error:
            raise SourceError("bad_encoding", detail=str(error)) from error
        if len(body) > limit:
            raise SourceError("too_large", detail=f"more than {limit} bytes decompressed")
        if not member.eof:
            raise SourceError("bad_encoding", detail="compressed body is cut short")
        rest = member.unused_data
    return bytes(body)


def _retry_after(value: str | None, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header asks for (RFC 9110 section 10.2.3)."""
    if not value:
        return None
    if value.strip().isdecimal():
        return min(float(value), _LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max((moment - now).total_seconds(), 0.0), _LONGEST_WAIT)
