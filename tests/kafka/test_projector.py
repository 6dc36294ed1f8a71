"""The projector on real brokers: the store is what the topics say, after a restart and a wipe."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from pathlib import Path

import pytest
from kafka.admin import KafkaAdminClient
from prometheus_client import CollectorRegistry

from detectors.records import Heartbeat, Record, Tick
from streams import kafka, topics
from streams.codecs import encode
from streams.metrics import build_metrics
from streams.settings import Kafka, Settings
from streams.store import Store
from streams.store.projector import PROJECTED, Projector
from streams.topics import Topic
from tests.alert_records import OPENED, alert, delivery, event, health, report, score

PARTITIONS = 2
DEADLINE = 30.0
SURGE = {"signal": "S1"}

Fed = Sequence[tuple[Topic, int, Record]]

#: Topic, partition and record, in the order in which they are sent.
FIRST: Fed = (
    (topics.REPORTS, 0, report("a/1")),
    (topics.REPORTS, 1, report("b/1")),
    (topics.REPORTS, 1, Heartbeat("b", OPENED)),
    (topics.EVENTS, 0, event("a/1/0")),
    (topics.EVENTS, 1, event("b/1/0", "AFG")),
    (topics.SCORES, 0, score()),
    (topics.SCORES, 1, score(unit="AF-HEL")),
    (topics.SCORES, 0, Tick(0, PARTITIONS, OPENED)),
    (topics.ALERTS, 0, alert(1)),
    (topics.ALERTS, 1, alert(2)),
    (topics.ALERTS, 0, alert(1, 1)),
    (topics.COVERAGE, 0, health("a")),
    (topics.COVERAGE, 1, health("b", state="dark", share=0.0)),
    (topics.DELIVERIES, 0, delivery(alert(1))),
)
THEN: Fed = (
    (topics.REPORTS, 0, report("a/2")),
    (topics.SCORES, 0, score(OPENED + timedelta(hours=1))),
    (topics.ALERTS, 1, alert(2, 1, state="resolved")),
    (topics.DELIVERIES, 0, delivery(alert(1), 2, status="delivered")),
)


class Line:
    """Topics of its own on a broker, and a store in a file."""

    def __init__(self, bootstrap: str, prefix: str, folder: Path) -> None:
        self.settings = Settings(
            kafka=Kafka(bootstrap=bootstrap, prefix=prefix, partitions=PARTITIONS, idempotent=False)
        )
        self.layout = kafka.layout(self.settings.kafka)
        self.folder = folder
        self.registry = CollectorRegistry()

    def admin(self) -> KafkaAdminClient:
        return kafka.admin(self.settings.kafka)

    def store(self, name: str = "store") -> Store:
        return Store(f"sqlite:///{self.folder / name}.sqlite")

    async def send(self, records: Fed) -> None:
        await self.send_raw([(topic, partition, encode(r)) for topic, partition, r in records])

    async def send_raw(self, values: Sequence[tuple[Topic, int, bytes]]) -> None:
        async with kafka.producer(self.settings.kafka) as producer:
            for number, (topic, partition, value) in enumerate(values):
                key = b"key %d" % number  # compacted topics want one
                name = self.layout.name(topic)
                await producer.send_and_wait(name, value, key, partition=partition)

    @asynccontextmanager
    async def projected(self, store: Store) -> AsyncIterator[Projector]:
        """A projector that has read all there is, with metrics of its own."""
        self.registry = CollectorRegistry()
        projector = Projector(self.settings, store, build_metrics(self.registry))
        assert not projector.caught_up()
        task = asyncio.create_task(projector.run())
        try:
            await self.level(projector, task)
            yield projector
        finally:
            projector.stop()
            await asyncio.wait_for(task, DEADLINE)

    async def level(self, projector: Projector, task: asyncio.Task[None] | None = None) -> None:
        level = asyncio.create_task(projector.catch_up())
        ends = {level} | ({task} if task else set())
        await asyncio.wait(ends, timeout=DEADLINE, return_when=asyncio.FIRST_COMPLETED)
        if task and task.done():
            task.result()
        assert level.done(), "the projector did not catch up in time"

    def sample(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)


def held(store: Store) -> dict[str, object]:
    """All that a store answers."""
    alerts = store.alerts()
    return {
        "alerts": alerts,
        "revisions": [store.revisions(each.id) for each in alerts],
        "evidence": [store.evidence(each) for each in alerts],
        "deliveries": [store.deliveries(each.id) for each in alerts],
        "scores": store.scores(),
        "health": store.source_health(),
        "counts": store.counts(),
    }


def expected(line: Line, *parts: Fed) -> dict[str, object]:
    """What a store answers to which records were applied by hand."""
    with line.store("expected") as store:
        store.reset()
        offsets: dict[tuple[str, int], int] = {}
        for topic, partition, record in (each for part in parts for each in part):
            name = line.layout.name(topic)
            offset = offsets.get((name, partition), 0)
            offsets[name, partition] = offset + 1
            store.apply(name, [(partition, offset, record)])
        return held(store)


@pytest.fixture
def line(bootstrap: str, prefix: str, tmp_path: Path) -> Line:
    made = Line(bootstrap, prefix, tmp_path)
    with closing(made.admin()) as admin:
        topics.create(admin, prefix, PARTITIONS)
    return made


async def test_the_store_is_what_the_topics_say(line: Line) -> None:
    await line.send(FIRST)
    with line.store() as store:
        async with line.projected(store) as projector:
            assert projector.caught_up()
            assert projector.is_live
            assert held(store) == expected(line, FIRST)
            await line.send(THEN)
            await line.level(projector)
            assert held(store) == expected(line, FIRST, THEN)


async def test_a_restart_goes_on_where_the_store_is(line: Line) -> None:
    await line.send(FIRST)
    with line.store() as store:
        async with line.projected(store):
            pass
    await line.send(THEN)
    with line.store() as store:
        async with line.projected(store):
            assert held(store) == expected(line, FIRST, THEN)
            read = line.sample("tocsin_records_processed_total", stage="store")
    assert read == len(THEN)  # and nothing a second time


async def test_a_store_that_was_dropped_is_filled_again(line: Line) -> None:
    await line.send(FIRST)
    with line.store() as store:
        async with line.projected(store):
            pass
        store.reset()
        async with line.projected(store):
            assert held(store) == expected(line, FIRST)


@pytest.mark.parametrize("anew", [(), THEN[:1]], ids=["and is empty", "and holds less than before"])
async def test_a_broker_that_was_wiped_empties_the_store(line: Line, anew: Fed) -> None:
    await line.send(FIRST)
    with line.store() as store:
        async with line.projected(store):
            pass
        await wipe(line)
        await line.send(anew)
        async with line.projected(store) as projector:
            assert projector.is_live
            assert held(store) == expected(line, anew)


async def wipe(line: Line) -> None:
    """Delete the topics, and create them anew: their offsets begin at 0 again."""
    names = [line.layout.name(topic) for topic in topics.TOPICS]
    with closing(line.admin()) as admin:
        admin.delete_topics(names)
        async with asyncio.timeout(DEADLINE):
            while set(names) & set(admin.list_topics()):  # noqa: ASYNC110 - the broker is asked
                await asyncio.sleep(0.05)
        topics.create(admin, line.settings.kafka.prefix, PARTITIONS)


async def test_what_cannot_be_read_is_passed_over(line: Line) -> None:
    await line.send_raw(
        [
            (topics.ALERTS, 0, b"no json"),
            (topics.ALERTS, 0, encode(alert(1))),
            (topics.ALERTS, 0, b'{"type": "alert.v9"}'),
            (topics.SCORES, 1, b"\xff"),
        ]
    )
    with line.store() as store:
        async with line.projected(store) as projector:
            assert store.alerts() == [alert(1)]
            assert projector.caught_up()
            assert line.sample("tocsin_consumer_lag_records", stage="store") == 0


async def test_alerts_and_sources_are_shown_as_they_stand(line: Line) -> None:
    await line.send(
        [
            (topics.SCORES, 0, score(**SURGE)),
            (topics.SCORES, 0, score(unit="AF-HEL", **SURGE)),
            (topics.ALERTS, 0, alert(1, severity="watch", **SURGE)),
            (topics.ALERTS, 0, alert(1, 1, severity="critical", **SURGE)),
            (topics.COVERAGE, 0, health("wire", state="thin", share=0.4)),
            *((topics.SCORES, p, Tick(q, 2, OPENED)) for p in range(2) for q in range(2)),
        ]
    )

    def level(unit: str) -> float | None:
        labels = {"country": "AFG", "kind": "admin1", "unit": unit, "direction": "rise"} | SURGE
        return line.sample("tocsin_alert_severity_level", **labels)

    with line.store() as store:
        for how in ("filled", "found again after a restart"):
            async with line.projected(store):
                assert (level("AF-KAN"), level("AF-HEL"), level("AF-KAB")) == (3, 0, None)
                assert line.sample("tocsin_alerts", severity="critical", state="open") == 1
                assert line.sample("tocsin_alerts", severity="watch", state="open") == 0
                assert line.sample("tocsin_source_state", source="wire", state="thin") == 1
                assert line.sample("tocsin_source_share_ratio", source="wire") == 0.4
                if how == "filled":
                    time = line.sample("tocsin_stream_time_timestamp_seconds", stage="store")
                    assert time == OPENED.timestamp()


def test_every_topic_that_the_store_has_tables_for_is_read() -> None:
    unread = {topic.name for topic in topics.TOPICS} - {topic.name for topic in PROJECTED}
    assert unread == {
        "commands.v1",
        "outbox.v1",
        "dead-letters.v1",
        "state.code.v1",
        "state.detect.v1",
        "state.alert.v1",
        "state.route.v1",
        "state.deliver.v1",
    }
