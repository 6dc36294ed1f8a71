"""The HTTP client for feeds, against a real server on loopback."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import AsyncIterator
from datetime import timedelta
from email.utils import format_datetime

import pytest
from aiohttp import web

from streams.sources.base import SourceError
from streams.sources.fetch import Fetcher, FetchLimits, Validators, user_agent
from tests.feed_server import FakeClock, FeedServer, Handler, feed_server, gives

LIMITS = FetchLimits(
    total=5.0, size=64 * 1024, redirects=3, attempts=2, first_wait=0.001, longest_wait=0.01
)


@pytest.fixture
async def server() -> AsyncIterator[FeedServer]:
    async with feed_server() as running:
        yield running


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def fetcher(clock: FakeClock) -> AsyncIterator[Fetcher]:
    async with Fetcher(clock, contact="ops@example.org", limits=LIMITS) as made:
        yield made


def redirects_to(location: str, status: int = 302) -> Handler:
    return gives(b"", status=status, Location=location)


async def drops_the_connection(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def ends_before_its_length(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b"half")
    assert request.transport is not None
    request.transport.close()
    return response


async def test_a_fresh_body_comes_with_its_validators(server: FeedServer, fetcher: Fetcher) -> None:
    modified = "Sat, 01 Mar 2025 10:00:00 GMT"
    url = server.script("/f", gives(b"body", ETag='"a"', Last_Modified=modified))
    fetched = await fetcher.get(url)
    assert (fetched.status, fetched.body) == ("fresh", b"body")
    assert fetched.validators == Validators(url, '"a"', modified)


async def test_validators_are_sent_and_a_304_says_unchanged(
    server: FeedServer, fetcher: Fetcher
) -> None:
    url = server.script("/f", gives(b"", status=304))
    known = Validators(url, '"a"', "Sat, 01 Mar 2025 10:00:00 GMT")
    fetched = await fetcher.get(url, known)
    assert (fetched.status, fetched.body, fetched.validators) == ("unchanged", b"", known)
    headers = server.requests[0][1]
    assert headers["If-None-Match"] == '"a"'
    assert headers["If-Modified-Since"] == known.last_modified


async def test_validators_of_another_address_are_not_sent(
    server: FeedServer, fetcher: Fetcher
) -> None:
    url = server.script("/f", gives(b"body"))
    await fetcher.get(url, Validators(server.url("/moved-from"), '"a"'))
    assert "If-None-Match" not in server.requests[0][1]


async def test_the_user_agent_is_honest(server: FeedServer, fetcher: Fetcher) -> None:
    await fetcher.get(server.script("/f", gives(b"body")))
    sent = server.requests[0][1]["User-Agent"]
    assert sent == user_agent("ops@example.org")
    assert sent.startswith("Tocsin/")
    assert "ops@example.org" in sent


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_followed(server: FeedServer, fetcher: Fetcher, status: int) -> None:
    server.script("/new", gives(b"body"))
    fetched = await fetcher.get(server.script("/old", redirects_to("/new", status)))
    assert (fetched.body, fetched.url) == (b"body", server.url("/new"))


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(b"body")),
        ("gzip", gzip.compress(b"bo") + gzip.compress(b"dy")),
        ("deflate", zlib.compress(b"body")),
        ("identity", b"body"),
    ],
    ids=["gzip", "gzip of two members", "deflate", "identity"],
)
async def test_content_encodings_are_undone(
    server: FeedServer, fetcher: Fetcher, encoding: str, packed: bytes
) -> None:
    url = server.script("/f", gives(packed, Content_Encoding=encoding))
    assert (await fetcher.get(url)).body == b"body"


@pytest.mark.parametrize(
    ("answer", "reason", "requests"),
    [
        pytest.param(gives(b"", status=404), "http_404", 1, id="a missing page is not retried"),
        pytest.param(gives(b"", status=500), "http_500", 2, id="a server error is retried"),
        pytest.param(gives(b"", status=503), "http_503", 2, id="a bare 503 is retried"),
        pytest.param(gives(b"", status=429), "http_429", 1, id="a bare 429 is not retried"),
        pytest.param(
            gives(b"", status=304), "unexpected_304", 1, id="a 304 nobody asked for is a fault"
        ),
        pytest.param(gives(b"x" * 70_000), "too_large", 1, id="a huge body is refused"),
        pytest.param(
            gives(gzip.compress(b"\0" * 50_000_000), Content_Encoding="gzip"),
            "too_large",
            1,
            id="a gzip bomb is refused",
        ),
        pytest.param(
            gives(gzip.compress(b"body" * 99)[:-9], Content_Encoding="gzip"),
            "bad_encoding",
            1,
            id="a gzip body cut short is refused",
        ),
        pytest.param(
            gives(b"body", Content_Encoding="br"), "bad_encoding", 1, id="brotli was not offered"
        ),
        pytest.param(
            redirects_to("/f"), "too_many_redirects", 4, id="a redirect loop comes to an end"
        ),
        pytest.param(
            redirects_to("file:///etc/hostname"),
            "forbidden_scheme",
            1,
            id="a redirect to a file is refused",
        ),
        pytest.param(
            ends_before_its_length, "broken_transfer", 2, id="a short transfer is no body"
        ),
    ],
)
async def test_faults_have_a_reason(
    server: FeedServer, fetcher: Fetcher, answer: Handler, reason: str, requests: int
) -> None:
    with pytest.raises(SourceError) as caught:
        await fetcher.get(server.script("/f", answer))
    assert caught.value.reason == reason
    assert len(server.requests) == requests


async def test_a_huge_body_without_a_length_is_cut_off(
    server: FeedServer, fetcher: Fetcher
) -> None:
    async def streams(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(1000):
            await response.write(b"x" * 10_000)
        return response

    with pytest.raises(SourceError, match="too_large"):
        await fetcher.get(server.script("/f", streams))


async def test_a_gzip_bomb_is_never_held_in_memory(server: FeedServer, fetcher: Fetcher) -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    url = server.script("/f", gives(bomb, Content_Encoding="gzip"))
    tracemalloc.start()
    try:
        with pytest.raises(SourceError, match="too_large"):
            await fetcher.get(url)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 5_000_000


@pytest.mark.parametrize("url", ["ftp://example.org/f", "/f", "file:///f", "data:,f"])
async def test_only_http_is_fetched(fetcher: Fetcher, url: str) -> None:
    with pytest.raises(SourceError, match="forbidden_scheme"):
        await fetcher.get(url)


@pytest.mark.parametrize("url", ["http://", "http:///f", "http://[::f", "http://a:99999999/"])
async def test_an_address_without_sense_is_refused(fetcher: Fetcher, url: str) -> None:
    with pytest.raises(SourceError, match="bad_url"):
        await fetcher.get(url)


async def test_a_dropped_connection_is_retried(server: FeedServer, fetcher: Fetcher) -> None:
    answers = [drops_the_connection] * 4  # aiohttp itself asks once more for each attempt
    with pytest.raises(SourceError, match="broken_transfer"):
        await fetcher.get(server.script("/f", *answers))
    assert (await fetcher.get(server.script("/f", gives(b"body")))).body == b"body"
    assert len(server.requests) > 2


async def test_a_transient_fault_is_survived(server: FeedServer, fetcher: Fetcher) -> None:
    url = server.script("/f", gives(b"", status=502), gives(b"body"))
    assert (await fetcher.get(url)).body == b"body"


async def test_nobody_listening_is_unreachable(server: FeedServer, fetcher: Fetcher) -> None:
    async with feed_server() as gone:
        url = gone.url("/f")
    with pytest.raises(SourceError, match="unreachable"):
        await fetcher.get(url)


async def test_a_slow_server_times_out(server: FeedServer, clock: FakeClock) -> None:
    release = asyncio.Event()

    async def waits(request: web.Request) -> web.StreamResponse:
        await release.wait()
        return web.Response()

    async with Fetcher(clock, limits=FetchLimits(total=0.05, attempts=1)) as impatient:
        with pytest.raises(SourceError, match="timeout"):
            await impatient.get(server.script("/f", waits))
    release.set()


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("as_date", [False, True], ids=["in seconds", "as a date"])
async def test_retry_after_is_honoured_for_the_whole_host(
    server: FeedServer, fetcher: Fetcher, clock: FakeClock, status: int, as_date: bool
) -> None:
    stated = format_datetime(clock() + timedelta(seconds=120), usegmt=True) if as_date else "120"
    busy = server.script("/busy", gives(b"", status=status, Retry_After=stated))
    other = server.script("/other", gives(b"body"))
    with pytest.raises(SourceError) as refused:
        await fetcher.get(busy)
    assert (refused.value.reason, refused.value.retry_after) == (f"http_{status}", 120.0)

    clock.advance(119)
    with pytest.raises(SourceError) as waiting:
        await fetcher.get(other)
    assert (waiting.value.reason, waiting.value.retry_after) == ("asked_to_wait", 1.0)
    assert len(server.requests) == 1

    clock.advance(1)
    assert (await fetcher.get(other)).body == b"body"


@pytest.mark.parametrize("stated", ["soon", "-5", "1.5"])
async def test_a_retry_after_that_says_nothing_is_ignored(
    server: FeedServer, fetcher: Fetcher, stated: str
) -> None:
    with pytest.raises(SourceError) as caught:
        await fetcher.get(server.script("/f", gives(b"", status=429, Retry_After=stated)))
    assert caught.value.retry_after is None


async def test_no_host_can_silence_a_source_for_more_than_a_day(
    server: FeedServer, fetcher: Fetcher
) -> None:
    with pytest.raises(SourceError) as caught:
        await fetcher.get(server.script("/f", gives(b"", status=429, Retry_After="999999999")))
    assert caught.value.retry_after == 86_400


async def test_a_host_gets_one_request_at_a_time(server: FeedServer, fetcher: Fetcher) -> None:
    running = 0
    most = 0

    async def counts(request: web.Request) -> web.StreamResponse:
        nonlocal running, most
        running += 1
        most = max(most, running)
        for _ in range(20):  # let the other requests arrive, if any were sent
            await asyncio.sleep(0)
        running -= 1
        return web.Response(body=b"body")

    urls = [server.script(f"/{n}", counts) for n in range(5)]
    await asyncio.gather(*(fetcher.get(url) for url in urls))
    assert most == 1
    assert len(server.requests) == 5
