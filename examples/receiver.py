#!/usr/bin/env python3
"""Receive alerts of Tocsin: check the signature, answer the challenge, print each message once.

Standard library only, Python 3.11 or newer:

    WEBHOOK_SECRET=whsec_... python3 receiver.py --port 8080

Tocsin posts to https on port 443 only, so put a server with a certificate in front, or have the
operator allow your host. Signatures are those of Standard Webhooks (standardwebhooks.com): if you
would rather use a library, `pip install standardwebhooks`, and `Webhook(secret).verify(body,
headers)` does what `is_genuine` does below.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

TOLERANCE_SECONDS = 300  # a signature that is older, or of the future, is not believed
LONGEST_BODY = 4 * 1024 * 1024
REMEMBERED = 10_000  # ids of messages, so that one that comes again is known


def is_genuine(secrets: str, headers: Mapping[str, str], body: bytes, now: float) -> bool:
    """Tell whether a message was signed with one of the secrets, and just now.

    Args:
        secrets: `whsec_` and base64; several with spaces between while one replaces another.
        headers: Of the request, whose names may be in any case.
        body: As it came: parsed and written anew, it may differ.
        now: Seconds since 1970.
    """
    given = {name.lower(): value for name, value in headers.items()}
    key, stamp = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    if not key or not is_count(stamp) or abs(now - int(stamp)) > TOLERANCE_SECONDS:
        return False
    signed = f"{key}.{stamp}.".encode() + body
    wanted = []
    for secret in secrets.split():
        raw = base64.b64decode(secret.removeprefix("whsec_"))
        digest = hmac.new(raw, signed, hashlib.sha256).digest()
        wanted.append(b"v1," + base64.b64encode(digest))
    # Two signatures while the sender changes its secret; any that fits is enough.
    found = given.get("webhook-signature", "").encode().split()
    return any(hmac.compare_digest(one, other) for one in found for other in wanted)


def is_count(text: str) -> bool:
    """Tell whether a text is a number of sensible length."""
    return text.isascii() and text.isdecimal() and len(text) <= 12


def show(event: dict[str, Any]) -> None:
    """Do with a message what you like: here it is printed. What fails here comes again."""
    print(event["type"], event.get("headline", ""), flush=True)


class Handler(BaseHTTPRequestHandler):
    """Answers 204 to a genuine message, 200 with its text to a challenge, 401 to a forgery."""

    secrets = ""
    seen: ClassVar[OrderedDict[str, None]] = OrderedDict()
    lock = threading.Lock()
    timeout = 10  # seconds without a byte

    def do_POST(self) -> None:  # the name is the library's
        """Take one message."""
        length = self.headers.get("Content-Length", "")
        if not is_count(length) or int(length) > LONGEST_BODY:
            self._answer(413)
            return
        body = self.rfile.read(int(length))
        if not is_genuine(self.secrets, dict(self.headers), body, time.time()):
            self._answer(401)
            return
        event = json.loads(body)
        if event["type"] == "tocsin.challenge.v1":
            self._answer(200, event["data"]["challenge"].encode())
            return
        key = self.headers["webhook-id"]
        with self.lock:
            if key not in self.seen:  # a message may come twice, with the same id
                show(event)
                self.seen[key] = None
                if len(self.seen) > REMEMBERED:
                    self.seen.popitem(last=False)
        self._answer(204)

    def _answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing of each request."""


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="Receive alerts of Tocsin.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080, help="0 picks a free one")
    options = parser.parse_args()
    Handler.secrets = os.environ.get("WEBHOOK_SECRET", "")
    if not Handler.secrets.strip():
        parser.error("set WEBHOOK_SECRET to the secret that you were shown, whsec_...")
    with ThreadingHTTPServer((options.host, options.port), Handler) as server:
        print(f"listening on port {server.server_port}", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print("stopped")


if __name__ == "__main__":
    main()
