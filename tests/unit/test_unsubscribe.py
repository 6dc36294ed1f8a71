"""The links of mails over real HTTP: asking, acting, and what a wrong link is told."""

from __future__ import annotations

import base64
import hashlib
import http.client
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from detectors.delivery_records import Subscription
from streams.exposition import Server, serve
from streams.secrets import challenge_text, unsubscribe_token
from streams.unsubscribe import SubscriptionPages, confirm_url, unsubscribe_url
from tests.alert_records import subscription

KEY = "an installation key of 32 or more characters"
PUBLIC = "https://tocsin.example/alerts/"
ONE_CLICK = b"List-Unsubscribe=One-Click"
ODD = "a/b <i>&ü"


@dataclass
class Book:
    """Subscriptions in memory, and what was done to them."""

    kept: dict[str, Subscription] = field(default_factory=dict)
    acts: list[tuple[str, str]] = field(default_factory=list)
    broken: bool = False

    def unsubscribe(self, id: str) -> bool:
        return self._act("unsubscribe", id, "removed")

    def confirm(self, id: str) -> bool:
        return self._act("confirm", id, "active")

    def _act(self, act: str, id: str, state: str) -> bool:
        if self.broken:
            raise ConnectionError("the broker is away")
        self.acts.append((act, id))
        if id not in self.kept:
            return False
        self.kept[id] = replace(self.kept[id], state=state)
        return True


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    text: str


@pytest.fixture
def book() -> Book:
    records = (
        subscription("email", "desk@example.org"),
        replace(subscription("email", "new@example.org"), id="new", state="pending", secret=3),
        replace(subscription("email", "odd@example.org"), id=ODD),
    )
    return Book({each.id: each for each in records})


@pytest.fixture
def server(book: Book) -> Iterator[Server]:
    pages = SubscriptionPages(
        key=KEY, find=book.kept.get, unsubscribe=book.unsubscribe, confirm=book.confirm
    )
    with serve(CollectorRegistry(), pages=pages) as running:
        yield running


def ask(
    server: Server, path: str, method: str = "GET", body: bytes | None = None, **headers: str
) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request(method, path, body, headers)
        reply = connection.getresponse()
        return Answer(reply.status, dict(reply.headers), reply.read().decode())
    finally:
        connection.close()


def ending(id: str = "desk") -> str:
    return urlsplit(unsubscribe_url("https://tocsin.example", KEY, id)).path


def confirming(id: str = "new", number: int = 3) -> str:
    return urlsplit(confirm_url("https://tocsin.example", id, challenge_text(KEY, id, number))).path


# Links


def test_links_begin_with_the_public_address() -> None:
    assert unsubscribe_url(PUBLIC, KEY, "desk") == (
        f"https://tocsin.example/alerts/unsubscribe/desk/{unsubscribe_token(KEY, 'desk')}"
    )
    assert confirm_url(PUBLIC, "a/b", "text") == (
        "https://tocsin.example/alerts/confirm/a%2Fb/text"
    )


# Ending a subscription


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", [ending(), confirming()])
def test_opening_a_link_changes_nothing(server: Server, book: Book, method: str, path: str) -> None:
    before = dict(book.kept)
    answer = ask(server, path, method)
    assert answer.status == 200
    assert (book.acts, book.kept) == ([], before)
    assert ('<form method="post">' in answer.text) is (method == "GET")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        pytest.param(ONE_CLICK, "application/x-www-form-urlencoded", id="one click, RFC 8058"),
        pytest.param(
            b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\n'
            b"One-Click\r\n--x--\r\n",
            "multipart/form-data; boundary=x",
            id="one click, as the other form RFC 8058 allows",
        ),
        pytest.param(b"", "application/x-www-form-urlencoded", id="the page's button"),
    ],
)
def test_posting_ends_the_subscription_at_once(
    server: Server, book: Book, body: bytes, kind: str
) -> None:
    answer = ask(server, ending(), "POST", body, **{"Content-Type": kind})
    assert answer.status == 200  # RFC 8058, 3.1: never a redirect
    assert "Stopped" in answer.text
    assert book.acts == [("unsubscribe", "desk")]
    assert book.kept["desk"].state == "removed"


def test_ending_twice_is_no_error(server: Server, book: Book) -> None:
    answers = [ask(server, ending(), method, b"") for method in ("POST", "POST", "GET")]
    assert [each.status for each in answers] == [200, 200, 200]
    assert all("Stopped" in each.text for each in answers)
    assert book.acts == [("unsubscribe", "desk")]


def test_an_id_of_any_characters_is_found_and_shown_as_text(server: Server, book: Book) -> None:
    page = ask(server, ending(ODD)).text
    assert "a/b &lt;i&gt;&amp;ü" in page
    assert "<i>" not in page
    unescaped = f"/unsubscribe/{quote(ODD)}/{unsubscribe_token(KEY, ODD)}"  # as some proxies do
    assert "a/b%20" in unescaped
    assert ask(server, unescaped, "POST", b"").status == 200
    assert book.acts == [("unsubscribe", ODD)]


# Confirming one


def test_posting_confirms_a_pending_subscription_once(server: Server, book: Book) -> None:
    assert ask(server, confirming(), "POST", b"").text.count("Confirmed.") == 1
    assert book.acts == [("confirm", "new")]
    assert book.kept["new"].state == "active"
    assert "confirmed before" in ask(server, confirming(), "POST", b"").text
    assert book.acts == [("confirm", "new")]


@pytest.mark.parametrize("state", ["active", "paused", "failing"])
def test_an_old_link_wakes_nothing(server: Server, book: Book, state: str) -> None:
    book.kept["new"] = replace(book.kept["new"], state=state)
    assert ask(server, confirming(), "POST", b"").status == 200
    assert (book.acts, book.kept["new"].state) == ([], state)


def test_a_subscription_that_was_ended_cannot_be_confirmed(server: Server, book: Book) -> None:
    book.kept["new"] = replace(book.kept["new"], state="removed")
    assert ask(server, confirming(), "POST", b"").status == 404
    assert book.acts == []


# Wrong links


WRONG = [
    pytest.param(ending("nobody"), id="no such subscription, with its right token"),
    pytest.param("/unsubscribe/nobody/" + "x" * 32, id="no such subscription, any token"),
    pytest.param("/unsubscribe/desk/" + "x" * 32, id="a wrong token"),
    pytest.param(ending()[:-1], id="a token cut short"),
    pytest.param(ending() + "x", id="a token with more"),
    pytest.param(ending() + "/", id="an empty token"),
    pytest.param(f"/unsubscribe/new/{unsubscribe_token(KEY, 'desk')}", id="another's token"),
    pytest.param(confirming().replace("confirm", "unsubscribe"), id="a challenge as a token"),
    pytest.param(ending("new").replace("unsubscribe", "confirm"), id="a token as a challenge"),
    pytest.param(confirming(number=2), id="the challenge of an earlier secret"),
    pytest.param(confirming("nobody", 1), id="no such subscription to confirm"),
    pytest.param("/unsubscribe/%FF%00/x", id="bytes that are no text"),
]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", WRONG)
def test_every_wrong_link_gets_the_same_page(
    server: Server, book: Book, method: str, path: str
) -> None:
    answer = ask(server, path, method, b"" if method == "POST" else None)
    usual = ask(server, "/unsubscribe/someone/else", method, b"" if method == "POST" else None)
    assert (answer.status, answer.text) == (404, usual.text)
    assert "This link does not work" in answer.text
    assert book.acts == []


@given(path=st.text(st.characters(codec="utf-8"), max_size=40))
def test_any_path_has_an_answer_and_none_acts(path: str) -> None:
    book = Book({"desk": subscription("email")})
    pages = SubscriptionPages(
        key=KEY, find=book.kept.get, unsubscribe=book.unsubscribe, confirm=book.confirm
    )
    for start in ("", "/unsubscribe/desk/", "/confirm/desk/", "/unsubscribe/"):
        page = pages.answer("POST", start + path)
        assert page is None or page.status == 404
    assert book.acts == []


# What the pages carry


@pytest.mark.parametrize("path", [ending(), confirming(), "/unsubscribe/x/y"])
def test_a_page_is_closed_to_scripts_caches_frames_and_referrers(server: Server, path: str) -> None:
    answer = ask(server, path)
    policy = answer.headers["Content-Security-Policy"]
    (style,) = re.findall(r"<style>(.*)</style>", answer.text)
    allowed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{allowed}'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    )
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "Set-Cookie" not in answer.headers
    assert not re.search(r"<script|<img|<link|style=|https?:", answer.text)


def test_a_failure_is_told_and_its_token_is_not_logged(server: Server, book: Book) -> None:
    book.broken = True
    with capture_logs() as logs:
        answer = ask(server, ending(), "POST", ONE_CLICK)
    assert answer.status == 503
    assert "try again later" in answer.text
    (entry,) = logs
    assert (entry["log_level"], entry["subscription"]) == ("error", "desk")
    assert unsubscribe_token(KEY, "desk") not in repr(logs)
    assert book.kept["desk"].state == "active"


# The server beside them


def test_a_post_to_anything_else_is_not_allowed(server: Server) -> None:
    for path in ("/metrics", "/healthz", "/nothing"):
        answer = ask(server, path, "POST", b"")
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert ask(server, "/metrics").status == 200


def test_a_post_that_is_too_long_or_of_unknown_length_acts_not(server: Server, book: Book) -> None:
    assert ask(server, ending(), "POST", b"x" * 8_193).status == 413
    assert ask(server, ending(), "POST", b"", **{"Content-Length": "0" * 9 + "99"}).status == 413
    chunked = ask(server, ending(), "POST", b"0\r\n\r\n", **{"Transfer-Encoding": "chunked"})
    assert chunked.status == 411
    assert book.acts == []
    assert ask(server, ending(), "POST", b"x" * 8_192).status == 200


def test_a_server_without_pages_knows_no_such_path() -> None:
    with serve(CollectorRegistry()) as running:
        assert ask(running, ending()).status == 404
        assert ask(running, ending(), "POST", b"").status == 405
