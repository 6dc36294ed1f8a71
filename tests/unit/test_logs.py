"""What a log line looks like, which lines there are, and that none holds a secret."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from streams.logs import REDACTED, Format, redact, set_up


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()


@pytest.mark.parametrize(
    ("form", "stream", "is_json"),
    [
        pytest.param("auto", io.StringIO(), True, id="JSON where nobody reads along"),
        pytest.param("auto", Terminal(), False, id="text on a terminal"),
        pytest.param("json", Terminal(), True, id="JSON where asked for"),
        pytest.param("text", io.StringIO(), False, id="text where asked for"),
    ],
)
def test_the_form(form: Format, stream: io.StringIO, is_json: bool) -> None:
    set_up(form, stream)
    structlog.get_logger("streams.x").info("polled", source="wire")
    (line,) = stream.getvalue().splitlines()
    assert line.startswith("{") is is_json
    assert "polled" in line
    assert "wire" in line


@pytest.mark.parametrize(
    ("logger", "level", "is_shown"),
    [
        ("streams.collect", logging.INFO, True),
        ("streams.collect", logging.DEBUG, False),
        ("faust", logging.INFO, False),
        ("streams.transport", logging.INFO, False),  # Faust's own words, under our module
        ("aiokafka", logging.WARNING, True),
        ("kafka", logging.WARNING, True),
        ("mode", logging.ERROR, True),
    ],
)
def test_who_is_heard(logger: str, level: int, is_shown: bool) -> None:
    stream = io.StringIO()
    set_up("json", stream)
    logging.getLogger(logger).log(level, "said by %s", "somebody")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["event"], line["logger"]) for line in lines] == (
        [("said by somebody", logger)] if is_shown else []
    )


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"password": "hunter2"}, id="by its name"),
        pytest.param({"settings": {"kafka": {"sasl_password": "hunter2"}}}, id="deep inside"),
        pytest.param({"url": "postgresql://me:hunter2@db/x"}, id="in a URL"),
        pytest.param({"url": "https://h.example/f?token=hunter2&n=1"}, id="in a query"),
        pytest.param({"args": ["whsec_hunter2"]}, id="a signing secret"),
        pytest.param({"header": "Bearer hunter2hunter2"}, id="in a header"),
        pytest.param({"error": ValueError("password='hunter2' is wrong")}, id="in an error"),
    ],
)
def test_no_secret_is_logged(fields: dict[str, Any]) -> None:
    stream = io.StringIO()
    set_up("json", stream)
    structlog.get_logger("streams.x").info("said", **fields)
    logging.getLogger("faust").warning("said %s", fields)
    assert "hunter2" not in stream.getvalue()
    assert stream.getvalue().count(REDACTED) == 2


def test_a_traceback_is_logged_without_secrets() -> None:
    stream = io.StringIO()
    set_up("json", stream)
    try:
        raise ConnectionError("postgresql://me:hunter2@db/x")
    except ConnectionError:
        structlog.get_logger("streams.x").exception("failed")
    line = json.loads(stream.getvalue())
    assert "ConnectionError" in line["exception"]
    assert "hunter2" not in line["exception"]


def test_what_is_no_secret_stays_as_it_is() -> None:
    event = {"event": "collected", "reports": 3, "share": 0.5, "url": "https://h.example/f?n=1"}
    assert redact(None, "", dict(event)) == event
