"""Bad input goes to the dead letters, each with its reason, and nothing else is affected."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec
import pytest
from aiokafka import TopicPartition

from deploy.kafka.node import KafkaNode
from detectors.records import Report
from detectors.timegrid import Grid, seconds
from streams import kafka, topics
from streams.agents.deadletters import headers_of
from streams.codecs import encode
from streams.replay import end_of
from streams.settings import Settings
from tests.kafka import line

GOOD = Report(
    id="injected/1",
    source="injected",
    seen_at=datetime(2020, 3, 1, tzinfo=UTC),
    title="A report",
)


def _changed(**fields: object) -> bytes:
    return msgspec.json.encode({**msgspec.to_builtins(GOOD), **fields})


def _without(field: str) -> bytes:
    raw = msgspec.to_builtins(GOOD)
    del raw[field]
    return msgspec.json.encode(raw)


#: What is wrong -> the bytes, and the reason that they must be refused for.
BAD: Mapping[str, tuple[bytes, str]] = {
    "broken JSON": (encode(GOOD)[:-5], "broken_json"),
    "no time": (_without("seen_at"), "missing_field"),
    "a time in 1970": (_changed(seen_at="1970-01-01T00:00:00Z"), "time_too_old"),
    "a time in 2100": (_changed(seen_at="2100-01-01T00:00:00Z"), "time_in_future"),
    "an unknown schema version": (_changed(type="report.v9"), "unknown_schema"),
    "a body of 5 MB": (_changed(text="a" * 5_000_000), "too_large"),
    "an unknown field": (_changed(mood="grim"), "unknown_field"),
    "a wrong type": (_changed(title=7), "wrong_type"),
    "invalid UTF-8": (encode(GOOD).replace(b"A report", b"A rep\xffrt"), "invalid_utf8"),
}


async def _inject(options: Settings) -> dict[str, tuple[int, int]]:
    """Send the bad records; return where each went: partition and offset."""
    topic = kafka.layout(options.kafka).name(topics.REPORTS)
    went: dict[str, tuple[int, int]] = {}
    async with kafka.producer(options.kafka) as producer:
        for number, (name, (value, _)) in enumerate(BAD.items()):
            partition = number % options.kafka.partitions
            sent = await producer.send_and_wait(topic, value, b"injected", partition=partition)
            went[name] = (partition, sent.offset)
    return went


async def _dead(options: Settings) -> dict[tuple[int, int], tuple[bytes, dict[str, str]]]:
    """Return all dead letters, by the partition and offset that they came from."""
    layout = kafka.layout(options.kafka)
    tps = [TopicPartition(layout.name(topics.DEAD_LETTERS), p) for p in range(layout.partitions)]
    found: dict[tuple[int, int], tuple[bytes, dict[str, str]]] = {}
    async with kafka.reader(options.kafka) as reader:
        reader.assign(tps)
        for tp in tps:
            while reader.highwater(tp) is None or await reader.position(tp) < reader.highwater(tp):
                for record in (await reader.getmany(tp, timeout_ms=200)).get(tp, ()):
                    headers = headers_of(record.headers)
                    came_from = (int(headers["partition"]), int(headers["offset"]))
                    found[came_from] = (record.value, headers)
    return found


def _whole_steps(reports: list[Report], least: int, grid: Grid) -> int:
    """Return how many reports, at least `least`, fill whole coarse steps: stream time is fed up to
    the end of the step of the last one, so none of the others may belong to it."""
    steps = [end_of(seconds(report.seen_at), grid) for report in reports]
    return next(n for n in range(least, len(steps)) if steps[n] != steps[n - 1])


@pytest.mark.parametrize("place", ["before", "after"])
def test_bad_records_are_set_aside_and_the_rest_goes_on(
    apache_kafka: KafkaNode,
    prefix: str,
    reports: list[Report],
    expected: line.Revisions,
    place: str,
) -> None:
    options = line.settings(apache_kafka.bootstrap, prefix, 3)
    before = _whole_steps(reports, 100, options.grid()) if place == "after" else 0
    line.fed(options, reports[:before])
    went = asyncio.run(_inject(options))
    end = line.fed(options, reports[before:])
    with line.worker(options):
        assert line.decided(options, end) == expected
    dead = asyncio.run(_dead(options))
    assert len(dead) == len(BAD)
    for name, (value, reason) in BAD.items():
        raw, headers = dead[went[name]]
        assert (raw, headers["reason"]) == (value, reason), name
        assert headers["topic"] == kafka.layout(options.kafka).name(topics.REPORTS)
        assert headers["stage"] == "code"
