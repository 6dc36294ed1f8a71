"""The small HTTP server beside a worker: metrics, health, readiness, feeds and other documents."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Callable, Mapping
from datetime import UTC
from email.message import Message
from email.utils import format_datetime, parsedate_to_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple, Self

import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder, gzip_accepted

from streams.served import Document, Documents
from streams.unsubscribe import SubscriptionPages

#: The most bytes of a posted form that are read; what is posted is known from the path alone.
_LONGEST_FORM = 8_192
#: None when all is well, else the reason in words.
Check = Callable[[], str | None]


_DOCUMENTS = "/feeds/"
_ATOM = "application/atom+xml; charset=utf-8"


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


def serve(  # noqa: PLR0913 - one for each thing that is served
    registry: CollectorRegistry,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    healthy: Check = lambda: None,
    ready: Check = lambda: None,
    feed: Callable[[], bytes] | None = None,
    pages: SubscriptionPages | None = None,
    documents: Documents | None = None,
) -> Server:
    """Serve `/metrics`, `/healthz`, `/readyz` and, given them, `/feed.atom` and `/feeds/...`.

    Nothing is authenticated, so the server listens on loopback unless told otherwise.

    Args:
        registry: What `/metrics` shows, as Prometheus text or OpenMetrics, as the reader asks.
        host: Address to listen on, IPv4 or IPv6.
        port: TCP port; 0 takes a free one.
        healthy: Whether the process works at all (its event loop answers); never the broker.
        ready: Whether it can do its work (partitions assigned, state recovered).
        feed: The Atom feed's bytes. A reader that has them already gets 304 by their ETag.
        documents: Returns the document at a path below `/feeds/`, None where there is none. The
            path is as the reader wrote it.
        pages: Answers the links of mails, `/unsubscribe/...` and `/confirm/...`.

    Raises:
        OSError: The address is taken or not this machine's.
    """
    routes: dict[str, Callable[[Message], _Reply]] = {
        "/metrics": lambda headers: _exposition(registry, headers),
        "/healthz": lambda _: _verdict(healthy()),
        "/readyz": lambda _: _verdict(ready()),
    }
    if feed is not None:
        routes["/feed.atom"] = lambda headers: _document(Document(feed(), _ATOM), headers)
    http = _Http(host, port, routes)
    http.pages = pages
    http.documents = documents
    return Server(http)


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


def _document(document: Document, headers: Message) -> _Reply:
    extra = [("ETag", document.etag), ("Cache-Control", "no-cache")]
    if document.modified is not None:
        extra.append(("Last-Modified", format_datetime(document.modified, usegmt=True)))
    if _is_known(document, headers):
        return _Reply(HTTPStatus.NOT_MODIFIED, b"", headers=tuple(extra))
    return _Reply(HTTPStatus.OK, document.body, document.content_type, tuple(extra))


def _is_known(document: Document, headers: Message) -> bool:
    """Whether the reader has the document: by its ETag, or where it names none, by its time."""
    if (asked := headers.get("If-None-Match")) is not None:  # RFC 9110, 13.2.2: the date is ignored
        # 13.1.2: the comparison is weak, so a proxy's W/ prefix makes no difference.
        tags = {tag.strip().removeprefix("W/") for tag in asked.split(",")}
        return bool(tags & {document.etag, "*"})
    try:
        since = parsedate_to_datetime(headers.get("If-Modified-Since", ""))
    except (ValueError, OverflowError):  # 13.1.3: what is no date is ignored
        return False
    if since.tzinfo is None:
        since = since.replace(tzinfo=UTC)
    modified = document.modified
    return modified is not None and modified.replace(microsecond=0) <= since


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    pages: SubscriptionPages | None = None
    documents: Documents | None = None

    def __init__(
        self, host: str, port: int, routes: Mapping[str, Callable[[Message], _Reply]]
    ) -> None:
        self.routes = routes
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Handler)

    def route(self, path: str) -> Callable[[Message], _Reply] | None:
        if self.documents is not None and path.startswith(_DOCUMENTS):
            document = self.documents(path.removeprefix(_DOCUMENTS))
            return None if document is None else lambda headers: _document(document, headers)
        return self.routes.get(path)

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

    def do_POST(self) -> None:
        assert isinstance(self.server, _Http)  # noqa: S101 (tells the type checker)
        self.close_connection = True  # a form is posted once
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            self._send(_Reply(HTTPStatus.LENGTH_REQUIRED, b"length required\n"))
            return
        if len(length) > 9 or int(length) > _LONGEST_FORM:
            self._send(_Reply(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, b"too long\n"))
            return
        self.rfile.read(int(length))
        page = self.server.pages.answer("POST", self.path) if self.server.pages else None
        only = (("Allow", "GET, HEAD"),)
        not_allowed = _Reply(HTTPStatus.METHOD_NOT_ALLOWED, b"not allowed\n", headers=only)
        self._send(_Reply(*page) if page else not_allowed)

    def _answer(self, *, with_body: bool) -> None:
        assert isinstance(self.server, _Http)  # noqa: S101 (tells the type checker)
        if self.server.pages and (page := self.server.pages.answer(self.command, self.path)):
            self._send(_Reply(*page), with_body=with_body)
            return
        try:
            route = self.server.route(self.path.partition("?")[0])
            reply = route(self.headers) if route else _Reply(HTTPStatus.NOT_FOUND, b"not found\n")
        except Exception:
            # The reader learns that it failed, the log learns why.
            structlog.get_logger(__name__).exception("metrics.request_failed", path=self.path)
            reply = _Reply(HTTPStatus.INTERNAL_SERVER_ERROR, b"internal error\n")
        self._send(reply, with_body=with_body)

    def _send(self, reply: _Reply, *, with_body: bool = True) -> None:
        self.send_response(reply.status)
        if reply.status is not HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Type", reply.content_type)
            self.send_header("Content-Length", str(len(reply.body)))
        self.send_header("X-Content-Type-Options", "nosniff")
        if self.close_connection:
            self.send_header("Connection", "close")
        for name, value in reply.headers:
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            self.wfile.write(reply.body)

    def log_message(self, format: str, *args: object) -> None:
        # A line for every scrape says nothing; failures are logged above.
        del format, args
