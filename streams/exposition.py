"""The small HTTP server beside a worker: metrics, health, readiness, and the alert feed."""

from __future__ import annotations

import gzip
import hashlib
import socket
import threading
from collections.abc import Callable, Mapping
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple, Self

import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder, gzip_accepted

#: None when all is well, else the reason in words.
Check = Callable[[], str | None]


class Server:
    """A metrics server that runs on a thread of its own until it is closed."""

    def __init__(self, http: _Http) -> None:
        self._http = http
        self._thread = threading.Thread(
            target=http.serve_forever, kwargs={"poll_interval": 0.1}, name="metrics", daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        """The port it listens on, also where port 0 was asked for."""
        return int(self._http.server_address[1])

    def close(self) -> None:
        """Stop listening and wait for the thread to end."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def serve(
    registry: CollectorRegistry,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    healthy: Check = lambda: None,
    ready: Check = lambda: None,
    feed: Callable[[], bytes] | None = None,
) -> Server:
    """Serve `/metrics`, `/healthz`, `/readyz` and, given a feed, `/feed.atom`.

    Nothing is authenticated, so the server listens on loopback unless told otherwise.

    Args:
        registry: What `/metrics` shows, as Prometheus text or OpenMetrics, as the reader asks.
        host: Address to listen on, IPv4 or IPv6.
        port: TCP port; 0 takes a free one.
        healthy: Whether the process works at all (its event loop answers); never the broker.
        ready: Whether it can do its work (partitions assigned, state recovered).
        feed: The Atom feed's bytes. A reader that has them already gets 304 by their ETag.

    Raises:
        OSError: The address is taken or not this machine's.
    """
    routes: dict[str, Callable[[Message], _Reply]] = {
        "/metrics": lambda headers: _exposition(registry, headers),
        "/healthz": lambda _: _verdict(healthy()),
        "/readyz": lambda _: _verdict(ready()),
    }
    if feed is not None:
        routes["/feed.atom"] = lambda headers: _feed(feed(), headers)
    return Server(_Http(host, port, routes))


class _Reply(NamedTuple):
    status: HTTPStatus
    body: bytes
    content_type: str = "text/plain; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()


def _verdict(reason: str | None) -> _Reply:
    if reason is None:
        return _Reply(HTTPStatus.OK, b"ok\n")
    return _Reply(HTTPStatus.SERVICE_UNAVAILABLE, f"{reason}\n".encode())


def _exposition(registry: CollectorRegistry, headers: Message) -> _Reply:
    encode, content_type = choose_encoder(headers.get("Accept", ""))
    body = encode(registry)
    vary = ("Vary", "Accept, Accept-Encoding")
    if not gzip_accepted(headers.get("Accept-Encoding", "")):
        return _Reply(HTTPStatus.OK, body, content_type, (vary,))
    packed = gzip.compress(body, compresslevel=5, mtime=0)
    return _Reply(HTTPStatus.OK, packed, content_type, (vary, ("Content-Encoding", "gzip")))


def _feed(body: bytes, headers: Message) -> _Reply:
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    # RFC 9110, 13.1.2: the comparison is weak, so a proxy's W/ prefix makes no difference.
    known = {tag.strip().removeprefix("W/") for tag in headers.get("If-None-Match", "").split(",")}
    extra = (("ETag", etag), ("Cache-Control", "no-cache"))
    if known & {etag, "*"}:
        return _Reply(HTTPStatus.NOT_MODIFIED, b"", headers=extra)
    return _Reply(HTTPStatus.OK, body, "application/atom+xml; charset=utf-8", extra)


class _Http(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(
        self, host: str, port: int, routes: Mapping[str, Callable[[Message], _Reply]]
    ) -> None:
        self.routes = routes
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        # A reader that hangs up is its own affair; whatever is ours was logged by the handler.
        del request, client_address


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "tocsin", ""
    timeout = 30  # seconds without a request, after which a kept connection is closed

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        assert isinstance(self.server, _Http)  # noqa: S101 (tells the type checker)
        route = self.server.routes.get(self.path.partition("?")[0])
        try:
            reply = route(self.headers) if route else _Reply(HTTPStatus.NOT_FOUND, b"not found\n")
        except Exception:
            # The reader learns that it failed, the log learns why.
            structlog.get_logger(__name__).exception("metrics.request_failed", path=self.path)
            reply = _Reply(HTTPStatus.INTERNAL_SERVER_ERROR, b"internal error\n")
        self.send_response(reply.status)
        if reply.status is not HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Type", reply.content_type)
            self.send_header("Content-Length", str(len(reply.body)))
        self.send_header("X-Content-Type-Options", "nosniff")
        for name, value in reply.headers:
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            self.wfile.write(reply.body)

    def log_message(self, format: str, *args: object) -> None:
        # A line for every scrape says nothing; failures are logged above.
        del format, args
