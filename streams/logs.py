"""Logs: one line for each happening, JSON in containers, key=value for people.

Our own modules log at INFO and above; the libraries below (faust, aiokafka, kafka, mode) come in by
the standard library's logging at WARNING and above, in the same form. Secrets are taken out of
every line, whoever wrote it: by the name of the field, and by their look in any text.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Final, Literal, TextIO

import structlog
from structlog.typing import Processor

Format = Literal["auto", "json", "text"]
#: What differs from WARNING, by logger.
_LEVELS: Final = {
    "streams": logging.INFO,
    # Faust's services log under the modules of their subclasses.
    "streams.app": logging.WARNING,
    "streams.transport": logging.WARNING,
    # A replay keeps the loop busy; the watchdog says when that is too long.
    "mode.timers": logging.ERROR,
    # Every attempt to connect; what came of them in the end is raised.
    "kafka.net": logging.ERROR,
    "kafka.net.connection": logging.CRITICAL,
    # Says that a fetch is tried again; the collector says what came of it.
    "stamina": logging.ERROR,
}
REDACTED: Final = "[redacted]"
_SECRET_NAME: Final = re.compile(
    r"password|passwd|secret|token|authorization|api_?key|credential", re.IGNORECASE
)
#: What a secret looks like in a text: a URL's user part, a signing secret, a header's value, and
#: `name=value` in a query.
_SECRET_LOOKS: Final = (
    (re.compile(r"(?<=://)[^/\s@'\"]*@"), f"{REDACTED}@"),
    (re.compile(r"whsec_[A-Za-z0-9+/=_-]+"), REDACTED),
    (re.compile(r"\b(bearer|basic)\s+[A-Za-z0-9+/=._~-]{8,}", re.IGNORECASE), rf"\1 {REDACTED}"),
    (
        re.compile(
            r"\b(\w*(?:password|passwd|secret|token|api_?key))(['\"]?\s*[=:]\s*)"
            r"(?:'[^']*'|\"[^\"]*\"|[^\s&,;)}\]]+)",
            re.IGNORECASE,
        ),
        rf"\1\2{REDACTED}",
    ),
)


def set_up(form: Format = "auto", stream: TextIO | None = None) -> None:
    """Send all logs, ours and the libraries', to one stream. A second call replaces the first.

    Args:
        form: `json`, `text`, or `auto`: text where the stream is a terminal, else JSON.
        stream: Where to write; standard error unless given.
    """
    target = stream if stream is not None else sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                # Tracebacks without the values of variables: those may be secrets.
                structlog.processors.format_exc_info,
                redact,
                *_renderers(form, target),
            ],
        )
    )
    root = logging.getLogger()
    for former in list(root.handlers):
        root.removeHandler(former)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    for name in ("aiokafka", "faust", "kafka", "mode"):  # a command may have hushed them
        logging.getLogger(name).setLevel(logging.NOTSET)
    for name, level in _LEVELS.items():
        logging.getLogger(name).setLevel(level)
    logging.captureWarnings(True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def redact(
    logger: Any,  # noqa: ANN401 - as structlog calls it
    method: str,
    event: MutableMapping[str, Any],
) -> MutableMapping[str, Any]:
    """Take secrets out of a log line, also where they are deep in a value or in a text.

    >>> redact(None, "", {"event": "connected", "password": "x", "url": "http://a:b@c/"})
    {'event': 'connected', 'password': '[redacted]', 'url': 'http://[redacted]@c/'}
    """
    del logger, method
    return {name: _clean(name, value) for name, value in event.items()}


def _clean(name: str, value: Any) -> Any:  # noqa: ANN401 - whatever was logged
    if _SECRET_NAME.search(name):
        return REDACTED
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(key): _clean(str(key), inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean("", inner) for inner in value]
    text = value if isinstance(value, str) else repr(value)
    for look, instead in _SECRET_LOOKS:
        text = look.sub(instead, text)
    return text


def _renderers(form: Format, target: TextIO) -> list[Processor]:
    is_terminal = target.isatty()
    if form == "json" or (form == "auto" and not is_terminal):
        order = ["timestamp", "level", "event"]
        return [
            lambda _, __, event: {k: event[k] for k in order if k in event} | dict(event),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    return [
        structlog.dev.ConsoleRenderer(
            colors=is_terminal, exception_formatter=structlog.dev.plain_traceback
        )
    ]
