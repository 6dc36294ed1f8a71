"""The pages behind the links in a mail: end a subscription, or confirm one.

`GET` only asks, so that software which opens every link of a mail ends nothing; `POST` acts at
once, from the page's button as well as from a mail program (one click, RFC 8058). A link carries
its own proof (`streams/secrets.py`), so there is nothing to log in to. Whoever has no valid link
always gets the same answer, whether there is such a subscription or not.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from http import HTTPStatus
from typing import Final, Literal, NamedTuple
from urllib.parse import quote, unquote

import structlog

from detectors.delivery_records import Subscription
from streams.secrets import challenge_text, unsubscribe_token

Act = Literal["unsubscribe", "confirm"]

_STYLE: Final = (
    ":root{color-scheme:light dark}"
    "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:4rem auto;padding:0 1rem}"
    "button{font:inherit;padding:.5rem 1rem}"
)
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS: Final = (
    ("Cache-Control", "no-store"),
    (
        "Content-Security-Policy",
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'",
    ),
    ("Referrer-Policy", "no-referrer"),
    ("X-Robots-Tag", "noindex, nofollow"),
)
_log = structlog.get_logger(__name__)


class Page(NamedTuple):
    """An answer over HTTP."""

    status: HTTPStatus
    body: bytes
    content_type: str = "text/html; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = _HEADERS


@dataclass(frozen=True, kw_only=True)
class SubscriptionPages:
    """Answers `/unsubscribe/<id>/<token>` and `/confirm/<id>/<token>`.

    The three functions are called on the threads of the HTTP server.
    """

    #: The installation's master key.
    key: str
    #: A subscription by its id; None where there is none.
    find: Callable[[str], Subscription | None]
    #: End a subscription, and tell whether there was one. It must bear being called again.
    unsubscribe: Callable[[str], bool]
    #: Make a pending subscription active, and tell whether there was one.
    confirm: Callable[[str], bool]

    def answer(self, method: str, path: str) -> Page | None:
        """Answer a request.

        Args:
            method: GET, HEAD or POST; only POST changes anything.
            path: As in the request line, still escaped; what follows a "?" is ignored.

        Returns:
            None where the path is of no such page.
        """
        wanted = _wanted(path)
        if wanted is None:
            return None
        act, id, token = wanted
        try:
            return self._answer(act, id, token, acts=method == "POST")
        except Exception:
            # Without the path, which the server would log: its token must not get into a log.
            _log.exception("subscription_page_failed", act=act, subscription=id)
            return _UNAVAILABLE

    def _answer(self, act: Act, id: str, token: str, *, acts: bool) -> Page:
        subscription = self.find(id)
        if not self._proves(act, id, subscription, token) or subscription is None:
            return _NOT_FOUND
        if act == "unsubscribe":
            return self._end(subscription, acts=acts)
        return self._begin(subscription, acts=acts)

    def _end(self, subscription: Subscription, *, acts: bool) -> Page:
        ended = subscription.state == "removed"
        if not acts and not ended:
            return _question("Stop these alerts?", subscription, "No more alerts", "Stop")
        if ended or self.unsubscribe(subscription.id):
            return _page("No more alerts", "Stopped. No more alerts will be sent to this address.")
        return _NOT_FOUND

    def _begin(self, subscription: Subscription, *, acts: bool) -> Page:
        """Confirm, but never wake what was paused, or ended, since the link was sent."""
        if subscription.state == "removed":
            return _NOT_FOUND
        if subscription.state != "pending":
            return _page("Confirmed", "This subscription has been confirmed before.")
        if not acts:
            return _question("Get these alerts?", subscription, "Alerts", "Confirm")
        if self.confirm(subscription.id):
            return _page("Confirmed", "Confirmed. Alerts will be sent to this address.")
        return _NOT_FOUND

    def _proves(self, act: Act, id: str, subscription: Subscription | None, token: str) -> bool:
        """Compare in a time that does not depend on the token; for an unknown id do as much."""
        if act == "unsubscribe":
            right = unsubscribe_token(self.key, id)
        else:
            right = challenge_text(self.key, id, subscription.secret if subscription else 1)
        is_right = hmac.compare_digest(right.encode(), token.encode(errors="replace"))
        return is_right and subscription is not None


def unsubscribe_url(public_url: str, key: str, id: str) -> str:
    """Return the link that ends a subscription.

    Args:
        public_url: Where readers reach the server that answers `SubscriptionPages`.
        key: The installation's master key.
        id: The subscription.

    Raises:
        WeakKeyError: The key has fewer than 32 characters.
    """
    return _url(public_url, "unsubscribe", id, unsubscribe_token(key, id))


def confirm_url(public_url: str, id: str, challenge: str) -> str:
    """Return the link that confirms a subscription; `challenge` is its `challenge_text`."""
    return _url(public_url, "confirm", id, challenge)


def _url(public_url: str, act: Act, id: str, token: str) -> str:
    return f"{public_url.rstrip('/')}/{act}/{quote(id, safe='')}/{quote(token, safe='')}"


def _wanted(path: str) -> tuple[Act, str, str] | None:
    """Return what to do to which subscription with which proof.

    A proxy may have turned "%2F" in an id into "/", so what is between the ends is the id.
    """
    _, _, rest = path.partition("?")[0].partition("/")
    act, _, rest = rest.partition("/")
    id, slash, token = rest.rpartition("/")
    if act not in ("unsubscribe", "confirm") or not slash:
        return None
    return ("unsubscribe" if act == "unsubscribe" else "confirm"), unquote(id), token


def _question(title: str, subscription: Subscription, subject: str, button: str) -> Page:
    name = f"{subject} of the subscription <strong>{escape(subscription.id)}</strong>?"
    return _page(title, name, f'<form method="post"><button type="submit">{button}</button></form>')


def _page(title: str, text: str, more: str = "", status: HTTPStatus = HTTPStatus.OK) -> Page:
    """Return a page; `text` and `more` are HTML."""
    return Page(
        status,
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width">'
            f"<title>{title}</title><style>{_STYLE}</style></head>"
            f"<body><h1>{title}</h1><p>{text}</p>{more}</body></html>\n"
        ).encode(errors="replace"),
    )


_NOT_FOUND: Final = _page(
    "This link does not work",
    "It may have been cut off on its way, or the subscription has ended already.",
    status=HTTPStatus.NOT_FOUND,
)
_UNAVAILABLE: Final = _page(
    "Not now",
    "Something failed here, and nothing was changed as far as is known. Please try again later.",
    status=HTTPStatus.SERVICE_UNAVAILABLE,
)
