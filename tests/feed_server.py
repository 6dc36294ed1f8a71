"""A real HTTP server on loopback whose pages a test writes, and a clock that a test sets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class FakeClock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = datetime(2025, 3, 1, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class FeedServer:
    """Answers each path with its script's next answer; the last one is repeated."""

    def __init__(self) -> None:
        self.base = ""
        self.requests: list[tuple[str, dict[str, str]]] = []
        self._scripts: dict[str, list[Handler]] = {}

    def url(self, path: str) -> str:
        return self.base + path

    def script(self, path: str, *answers: Handler) -> str:
        self._scripts[path] = list(answers)
        return self.url(path)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((request.path, dict(request.headers)))
        script = self._scripts[request.path]
        handler = script.pop(0) if len(script) > 1 else script[0]
        return await handler(request)


@asynccontextmanager
async def feed_server() -> AsyncIterator[FeedServer]:
    server = FeedServer()
    app = web.Application()
    app.router.add_get("/{tail:.*}", server.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    server.base = f"http://{host}:{port}"
    try:
        yield server
    finally:
        await runner.cleanup()


def gives(body: bytes | str, status: int = 200, **headers: str) -> Handler:
    """Answer with a body; header names are written with underscores."""
    content = body.encode() if isinstance(body, str) else body
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(body=content, status=status, headers=named)

    return handler


def gives_conditionally(body: str, etag: str) -> Handler:
    """Answer 304 to whoever has this ETag, and the body to all others."""

    async def handler(request: web.Request) -> web.StreamResponse:
        if request.headers.get("If-None-Match") == etag:
            return web.Response(status=304, headers={"ETag": etag})
        return web.Response(body=body.encode(), headers={"ETag": etag})

    return handler


def rss(*items: str, language: str = "en", title: str = "A feed") -> str:
    head = f"<title>{title}</title><language>{language}</language>"
    return (
        f'<?xml version="1.0"?><rss version="2.0"><channel>{head}{"".join(items)}</channel></rss>'
    )


def rss_item(guid: str, title: str, text: str = "", date: str = "") -> str:
    stated = f"<pubDate>{date}</pubDate>" if date else ""
    return (
        f"<item><guid isPermaLink='false'>{guid}</guid><link>https://example.org/{guid}</link>"
        f"<title>{title}</title><description>{text}</description>{stated}</item>"
    )
