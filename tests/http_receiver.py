"""Subscribers' servers on loopback: real ones, that remember what they were sent."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import web

from streams.sinks import SinkContext

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Receiver:
    """A server at `url`, and the headers and bodies of the requests that it got."""

    url: str = ""
    port: int = 0
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@asynccontextmanager
async def receiver(handler: Handler) -> AsyncIterator[Receiver]:
    """Serve every path and method of a free port with `handler`."""
    seen = Receiver()

    async def handle(request: web.Request) -> web.StreamResponse:
        seen.requests.append((dict(request.headers), await request.read()))
        return await handler(request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    seen.port = runner.addresses[0][1]
    seen.url = f"http://localhost:{seen.port}/hook"
    try:
        yield seen
    finally:
        await runner.cleanup()


def status(code: int, body: str = "a reply", **headers: str) -> Handler:
    """Answer everything with one status; `_` in the names of headers stands for a hyphen."""

    async def handle(_: web.Request) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=code, headers=named, text=body)

    return handle


async def silent(_: web.Request) -> web.StreamResponse:
    """Never answer."""
    await asyncio.Event().wait()
    raise AssertionError


async def drip(request: web.Request) -> web.StreamResponse:
    """Answer with a body that begins and never ends."""
    reply = web.StreamResponse()
    await reply.prepare(request)
    await reply.write(b"x")
    await asyncio.Event().wait()
    return reply


class Flood:
    """Answers with `size` bytes, and counts how many of them went out until it was cut off."""

    def __init__(self, size: int) -> None:
        self._size = size
        self.written = 0
        self.stopped = asyncio.Event()

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        """Write until all is written or nobody reads any more."""
        reply = web.StreamResponse()
        await reply.prepare(request)
        try:
            while self.written < self._size:
                await reply.write(b"x" * 65_536)
                self.written += 65_536
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self.stopped.set()
        return reply


def closed_port() -> int:
    """Return a loopback port at which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def context(**changes: Any) -> SinkContext:
    """Return a context whose receivers may be on loopback."""
    usual: dict[str, Any] = {
        "source": "https://tocsin.example/",
        "now": lambda: datetime.now(UTC),
        "alerts_for": lambda _: [],
        "feeds": Path("unused"),
        "allowed_hosts": frozenset({"localhost"}),
        "timeout_seconds": 5.0,
    }
    return SinkContext(**(usual | changes))
