"""A source that is configured wrongly says so before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from streams.sources import Fetcher, Runtime, SourceConfigError, build, build_all
from tests.feed_server import FakeClock

RSS = {"kind": "rss", "name": "demo", "url": "https://example.org/f"}


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    return Runtime(FakeClock(), Fetcher(FakeClock()), tmp_path)


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ({**RSS, "kind": "rsss"}, "unknown kind 'rsss'; known are csv, jsonl, rss, ucdp"),
        ({**RSS, "intervall": 60}, "'demo': intervall: Extra inputs"),
        ({**RSS, "interval": 0}, "interval"),
        ({**RSS, "name": "../up"}, "name"),
        ({**RSS, "language": "Pashto"}, "language"),
        ({"kind": "rss", "name": "demo"}, "rss needs url"),
        ({**RSS, "path": "x"}, "rss takes no path"),
        ({**RSS, "vintage": "2023-01-01"}, "rss takes no vintage"),
        ({"kind": "jsonl", "name": "demo"}, "jsonl needs path"),
        ({"kind": "csv", "name": "demo", "path": "x"}, "csv needs mapping"),
        ({"kind": "ucdp", "name": "demo"}, "exactly one of url and path"),
        ({**RSS, "kind": "ucdp", "path": "x"}, "exactly one of url and path"),
    ],
    ids=[
        "an unknown kind",
        "an unknown key",
        "an interval of nothing",
        "a name that is a path",
        "a language that is no code",
        "a feed without an address",
        "a feed with a path",
        "a feed with a vintage",
        "JSON lines without a path",
        "a table without a mapping",
        "UCDP from nowhere",
        "UCDP from two places",
    ],
)
def test_a_wrong_configuration_is_explained(
    runtime: Runtime, config: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(SourceConfigError, match=complaint):
        build(config, runtime)


def test_two_sources_may_not_share_a_name(runtime: Runtime) -> None:
    assert list(build_all([RSS, {**RSS, "name": "other"}], runtime)) == ["demo", "other"]
    with pytest.raises(SourceConfigError, match="'demo': the name is used twice"):
        build_all([RSS, RSS], runtime)
