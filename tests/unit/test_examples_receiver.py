"""The example receivers, run as they are, against the sink that they are for."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from streams.sinks import Answer, Delivered, Message, Rejected, of_alert
from streams.sinks.webhook import WebhookSink
from streams.wording import headline
from tests.alert_records import alert, subscription
from tests.http_receiver import context

EXAMPLES = Path(__file__).parents[2] / "examples"
SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER_SECRET = "whsec_" + "C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
DESK = subscription()
CHALLENGE = Message("c/1", "challenge", alert(1).at, text="dGhpcyBpcyBh-IGNoYWxsZW5n_Q")


@dataclass
class Example:
    """A running receiver, and what it has taken so far."""

    port: int
    taken: Callable[[], list[str]]


@contextmanager
def in_python(secrets: str, folder: Path) -> Iterator[Example]:
    out = folder / "out"
    with out.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-I", EXAMPLES / "receiver.py", "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=file,
            env={"WEBHOOK_SECRET": secrets},
            text=True,
        )
        assert process.stdout is not None
        lines: list[str] = []
        try:
            port = int(process.stdout.readline().rpartition(" ")[2])
            reader = threading.Thread(target=lambda: lines.extend(process.stdout or ()))
            reader.start()

            def taken() -> list[str]:
                process.terminate()
                process.wait(10)
                reader.join(10)
                return [line.strip() for line in lines]

            yield Example(port, taken)
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
    assert "Traceback" not in out.read_text()


@contextmanager
def in_shell(secrets: str, folder: Path) -> Iterator[Example]:
    """Listen as inetd does: each connection is a program's standard input and output."""
    environment = {
        "PATH": os.environ["PATH"],
        "WEBHOOK_SECRET": secrets,
        "WEBHOOK_FILE": str(folder / "alerts.jsonl"),
    }
    for program in ("bash", "openssl"):
        if shutil.which(program) is None:
            pytest.fail(f"{program} is missing: apt-get install {program}")
    listener = socket.create_server(("127.0.0.1", 0))
    faults = (folder / "faults").open("w+")

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                subprocess.run(
                    ["bash", EXAMPLES / "receiver.sh"],
                    stdin=connection,
                    stdout=connection,
                    stderr=faults,
                    env=environment,
                    check=False,
                )

    thread = threading.Thread(target=serve)
    thread.start()

    def taken() -> list[str]:
        file = folder / "alerts.jsonl"
        events = map(json.loads, file.read_text().splitlines()) if file.exists() else ()
        return [f"{event['type']} {event.get('headline', '')}" for event in events]

    try:
        yield Example(listener.getsockname()[1], taken)
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(20)
        faults.seek(0)
        said = faults.read()
        faults.close()
    assert said == ""


EACH = pytest.mark.parametrize("run", [in_python, in_shell])
Run = Callable[[str, Path], Any]


async def send(
    example: Example, *messages: Message, secret: str = SECRET, **changes: Any
) -> list[Answer]:
    sink = WebhookSink(context(**({"timeout_seconds": 20.0} | changes)))
    desk = subscription(address=f"http://localhost:{example.port}/hook")
    try:
        return [await sink.send(each, desk, secret) for each in messages]
    finally:
        await sink.close()


@EACH
async def test_a_genuine_message_is_taken_once(run: Run, tmp_path: Path) -> None:
    first, second = of_alert(alert(1, 2), DESK), of_alert(alert(2), DESK)
    with run(SECRET, tmp_path) as example:
        assert await send(example, first, first, second, first) == [Delivered()] * 4
        assert example.taken() == [
            f"tocsin.alert.v1 {headline(each)}" for each in (alert(1, 2), alert(2))
        ]


@EACH
async def test_a_forgery_is_refused(run: Run, tmp_path: Path) -> None:
    with run(SECRET, tmp_path) as example:
        told = of_alert(alert(1), DESK)
        assert await send(example, told, CHALLENGE, secret=OTHER_SECRET) == [
            Rejected("HTTP 401"),
            Rejected("HTTP 401"),
        ]
        for shift in (timedelta(minutes=-6), timedelta(minutes=6)):
            at = datetime.now(UTC) + shift
            answers = await send(example, told, now=lambda at=at: at)
            assert answers == [Rejected("HTTP 401")]
        assert example.taken() == []


@EACH
@pytest.mark.parametrize(
    ("sender", "known"),
    [
        (f"{OTHER_SECRET} {SECRET}", SECRET),
        (f"{OTHER_SECRET} {SECRET}", OTHER_SECRET),
        (SECRET, f"{OTHER_SECRET} {SECRET}"),
    ],
    ids=["the old one is known", "the new one is known", "the receiver knows both"],
)
async def test_a_change_of_secret_loses_nothing(
    run: Run, tmp_path: Path, sender: str, known: str
) -> None:
    with run(known, tmp_path) as example:
        answers = await send(example, of_alert(alert(1), DESK), secret=sender)
    assert answers == [Delivered()]


@EACH
async def test_a_challenge_is_answered_and_not_taken(run: Run, tmp_path: Path) -> None:
    with run(SECRET, tmp_path) as example:
        assert await send(example, CHALLENGE) == [Delivered()]
        assert example.taken() == []


def raw(example: Example, body: bytes, **headers: str) -> int:
    request = urllib.request.Request(
        f"http://127.0.0.1:{example.port}/",
        data=body,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as error:
        return error.code


def signed(body: str, key: str = "k") -> dict[str, str]:
    now = datetime.now(UTC)
    return {
        "webhook_id": key,
        "webhook_timestamp": str(int(now.timestamp())),
        "webhook_signature": Webhook(SECRET).sign(key, now, body),
    }


BODY = '{"specversion":"1.0","type":"tocsin.notice.v1","headline":"It\'s \\"%n$(id)`id`\\u2603"}'


@EACH
def test_what_was_changed_on_the_way_is_refused(run: Run, tmp_path: Path) -> None:
    with run(SECRET, tmp_path) as example:
        good = signed(BODY)
        changed = [
            (BODY.encode() + b" ", good),
            (BODY.encode(), good | {"webhook_id": "k2"}),
            (BODY.encode(), good | {"webhook_timestamp": str(int(good["webhook_timestamp"]) - 1)}),
            (BODY.encode(), good | {"webhook_signature": good["webhook_signature"].swapcase()}),
            (BODY.encode(), good | {"webhook_signature": "v1,"}),
            (BODY.encode(), good | {"webhook_timestamp": "soon"}),
            (BODY.encode(), {k: v for k, v in good.items() if k != "webhook_id"}),
            (BODY.encode(), {}),
        ]
        assert [raw(example, body, **headers) for body, headers in changed] == [401] * len(changed)
        assert raw(example, BODY.encode(), **good) in (200, 204)
        assert example.taken() == ["tocsin.notice.v1 It's \"%n$(id)`id`\N{SNOWMAN}"]


@EACH
def test_an_endless_message_is_refused(run: Run, tmp_path: Path) -> None:
    with run(SECRET, tmp_path) as example:
        with socket.create_connection(("127.0.0.1", example.port), timeout=20) as client:
            client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n")
            assert b" 413 " in client.recv(64)
        assert example.taken() == []
