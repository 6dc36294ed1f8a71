"""Sources pull reports in. One file for each kind of feed, and one line here.

`streams/sources/README.md` says how to add one and what it must do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from streams.sources.base import (
    Clock,
    Reject,
    RejectReason,
    Replayable,
    Source,
    SourceError,
)
from streams.sources.config import Runtime, SourceConfig, SourceConfigError
from streams.sources.fetch import Fetcher, FetchLimits
from streams.sources.jsonl import JsonLinesSource
from streams.sources.polling import PollingSource
from streams.sources.rss import RssSource
from streams.sources.tables import CsvSource
from streams.sources.ucdp import UcdpSource

__all__ = [
    "SOURCES",
    "Clock",
    "FetchLimits",
    "Fetcher",
    "Reject",
    "RejectReason",
    "Replayable",
    "Runtime",
    "Source",
    "SourceConfig",
    "SourceConfigError",
    "SourceError",
    "build",
    "build_all",
    "replayer",
]

#: Every kind of source by the name that configurations use.
SOURCES: Final[Mapping[str, type[PollingSource]]] = {
    "csv": CsvSource,
    "jsonl": JsonLinesSource,
    "rss": RssSource,
    "ucdp": UcdpSource,
}


def build(config: SourceConfig | Mapping[str, Any], runtime: Runtime) -> Source:
    """Make a source from its configuration; nothing is opened or fetched yet.

    Args:
        config: The settings, or a mapping of them as a TOML file gives.
        runtime: The clock, the HTTP client and the folder for cursors.

    Raises:
        SourceConfigError: A key is unknown, missing or out of place; the text says which.
    """
    if not isinstance(config, SourceConfig):
        config = _parsed(config)
    kind = SOURCES.get(config.kind)
    if kind is None:
        known = ", ".join(SOURCES)
        raise SourceConfigError(
            f"source {config.name!r}: unknown kind {config.kind!r}; known are {known}"
        )
    return kind(config, runtime)


def build_all(
    configs: Iterable[SourceConfig | Mapping[str, Any]], runtime: Runtime
) -> dict[str, Source]:
    """Make every source of a list, by name.

    Raises:
        SourceConfigError: One cannot be made, or two share a name (and so a cursor).
    """
    made: dict[str, Source] = {}
    for config in configs:
        source = build(config, runtime)
        if source.name in made:
            raise SourceConfigError(f"source {source.name!r}: the name is used twice")
        made[source.name] = source
    return made


def replayer(config: SourceConfig) -> Replayable:
    """Make a source whose recorded files are read, and which is never polled.

    Raises:
        SourceConfigError: The kind is unknown, or has no recorded files.
    """

    def now() -> datetime:
        return datetime.now(UTC)

    source = build(config, Runtime(now, Fetcher(now), Path()))
    if not isinstance(source, Replayable):
        raise SourceConfigError(f"source {config.name!r}: {config.kind} has no recorded files")
    return source


def _parsed(config: Mapping[str, Any]) -> SourceConfig:
    try:
        return SourceConfig.model_validate(dict(config))
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc'])) or 'mapping'}: {fault['msg']}"
            for fault in error.errors()
        )
        raise SourceConfigError(f"source {config.get('name', '?')!r}: {faults}") from error
