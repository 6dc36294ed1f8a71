"""The table of topics, on real brokers."""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from kafka.admin import KafkaAdminClient
from msgspec import Struct

from deploy.kafka.node import KafkaNode
from streams import topics
from streams.broker import EmbeddedBroker
from streams.topics import TOPICS, Topic, full_name

NAMES = [topic.name for topic in TOPICS]


@pytest.fixture
def admin(bootstrap: str) -> Iterator[KafkaAdminClient]:
    with closing(KafkaAdminClient(bootstrap_servers=bootstrap)) as client:
        yield client


@pytest.fixture
def kafka_admin(apache_kafka: KafkaNode) -> Iterator[KafkaAdminClient]:
    with closing(KafkaAdminClient(bootstrap_servers=apache_kafka.bootstrap)) as client:
        yield client


def faults(found: list[topics.Difference]) -> list[tuple[str, str]]:
    return [(difference.topic, difference.fault) for difference in found]


def diff_until(
    admin: KafkaAdminClient, prefix: str, partitions: int, expected: list[tuple[str, str]]
) -> list[topics.Difference]:
    """Brokers tell of changes a moment after they took them: wait for the answer, 10 s at most."""
    deadline = time.monotonic() + 10
    while True:
        found = topics.diff(admin, prefix, partitions)
        if faults(found) == expected or time.monotonic() > deadline:
            assert faults(found) == expected
            return found


@pytest.mark.parametrize("topic", TOPICS, ids=NAMES)
def test_every_topic_says_what_it_carries_and_why(topic: Topic):
    assert topic.key
    assert topic.purpose.endswith(".")
    assert topic.name.endswith(".v1")
    assert all(value is bytes or issubclass(value, Struct) for value in topic.values)
    assert not (topic.compacted and topic.retention_ms is not None)


def test_names_are_unique():
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize(
    ("stage_input", "state"),
    [
        (topics.REPORTS, topics.STATE_CODE),
        (topics.EVENTS, topics.STATE_DETECT),
        (topics.SCORES, topics.STATE_ALERT),
    ],
    ids=["code", "detect", "alert"],
)
def test_the_state_of_a_stage_is_partitioned_as_its_input(stage_input: Topic, state: Topic):
    assert state.partitioned_by == stage_input.partitioned_by
    assert state.partitions(6) == stage_input.partitions(6) == 6
    assert state.compacted


def test_the_listing_has_every_topic_in_words():
    rows = {row["topic"]: row for row in topics.listing()}
    assert len(rows) == len(TOPICS)
    assert rows["tocsin.reports.v1"]["value"] == "Report or Heartbeat or Tick"
    assert rows["tocsin.reports.v1"]["kept"] == "30 d"
    assert rows["tocsin.alerts.v1"]["kept"] == "for ever"
    assert rows["tocsin.coverage.v1"]["kept"] == "the last of each key"
    assert rows["tocsin.subscriptions.v1"]["partitioned by"] == "one partition"


def test_nothing_created_means_everything_is_missing(admin: KafkaAdminClient, prefix: str):
    found = topics.diff(admin, prefix, 3)
    assert faults(found) == [(full_name(prefix, topic), "missing") for topic in TOPICS]
    assert {difference.mend for difference in found} == {"tocsin topics create"}
    # Asking has created nothing.
    assert not [name for name in admin.list_topics() if name.startswith(prefix)]


def test_created_topics_are_as_the_table_has_them(admin: KafkaAdminClient, prefix: str):
    created = topics.create(admin, prefix, 3)
    assert created == tuple(full_name(prefix, topic) for topic in TOPICS)
    assert diff_until(admin, prefix, 3, []) == []
    described = admin.describe_topics(list(created))
    counts = {topic["name"]: len(topic["partitions"]) for topic in described}
    assert counts == {full_name(prefix, topic): topic.partitions(3) for topic in TOPICS}
    assert counts[full_name(prefix, topics.SUBSCRIPTIONS)] == 1


def test_creating_twice_changes_nothing(admin: KafkaAdminClient, prefix: str):
    topics.create(admin, prefix, 2)
    assert topics.create(admin, prefix, 2) == ()
    assert diff_until(admin, prefix, 2, []) == []


def test_only_what_is_missing_is_created(admin: KafkaAdminClient, prefix: str):
    events = full_name(prefix, topics.EVENTS)
    admin.create_topics({events: {"num_partitions": 3, "configs": topics.EVENTS.config()}})
    admin.wait_for_topics([events])
    created = topics.create(admin, prefix, 3)
    assert events not in created
    assert len(created) == len(TOPICS) - 1


def test_a_wrong_partition_count_is_found(admin: KafkaAdminClient, prefix: str):
    reports = full_name(prefix, topics.REPORTS)
    admin.create_topics({reports: {"num_partitions": 5, "configs": topics.REPORTS.config()}})
    topics.create(admin, prefix, 3)
    (wrong,) = diff_until(admin, prefix, 3, [(reports, "partitions")])
    assert (wrong.expected, wrong.found) == ("3", "5")
    assert "TOCSIN_KAFKA_PARTITIONS=5" in wrong.mend


@pytest.mark.parametrize(
    ("topic", "settings", "expected", "found"),
    [
        pytest.param(
            topics.EVENTS,
            {"retention.ms": "3600000"},
            "retention.ms=34560000000",
            "retention.ms=3600000",
            id="events kept for an hour",
        ),
        pytest.param(
            topics.ALERTS,
            {"cleanup.policy": "compact"},
            "cleanup.policy=delete",
            "cleanup.policy=compact",
            id="alerts that lose their revisions",
        ),
        pytest.param(
            topics.COVERAGE,
            {"cleanup.policy": "delete"},
            "cleanup.policy=compact",
            "cleanup.policy=delete",
            id="coverage that is never compacted",
        ),
    ],
)
def test_a_wrong_setting_is_found(
    admin: KafkaAdminClient,
    prefix: str,
    topic: Topic,
    settings: dict[str, str],
    expected: str,
    found: str,
):
    name = full_name(prefix, topic)
    admin.create_topics({name: {"num_partitions": 3, "configs": topic.config() | settings}})
    topics.create(admin, prefix, 3)
    (wrong,) = diff_until(admin, prefix, 3, [(name, "setting")])
    assert (wrong.expected, wrong.found) == (expected, found)


def test_the_mend_of_a_wrong_setting_mends_it(
    apache_kafka: KafkaNode, kafka_admin: KafkaAdminClient, prefix: str
):
    name = full_name(prefix, topics.EVENTS)
    changed = {**topics.EVENTS.config(), "retention.ms": "1000"}
    kafka_admin.create_topics({name: {"num_partitions": 3, "configs": changed}})
    topics.create(kafka_admin, prefix, 3)
    (wrong,) = diff_until(kafka_admin, prefix, 3, [(name, "setting")])
    mend = shlex.split(wrong.mend.replace("BROKER", apache_kafka.bootstrap))
    subprocess.run([sys.executable, *mend[1:]], check=True, capture_output=True)
    assert diff_until(kafka_admin, prefix, 3, []) == []


def test_a_setting_that_the_broker_does_not_tell_is_not_called_wrong(
    embedded_broker: EmbeddedBroker, prefix: str
):
    name = full_name(prefix, topics.REPORTS)
    with closing(KafkaAdminClient(bootstrap_servers=embedded_broker.bootstrap)) as admin:
        admin.create_topics({name: {"num_partitions": 3}})
        topics.create(admin, prefix, 3)
        expected = [(name, "not checkable")] * len(topics.REPORTS.config())
        found = diff_until(admin, prefix, 3, expected)
    assert [difference.found for difference in found] == [
        f"{setting} is not told" for setting in topics.REPORTS.config()
    ]


def test_a_refused_topic_is_named_with_the_reason(kafka_admin: KafkaAdminClient):
    with pytest.raises(topics.TopicError, match=r"no spaces\.reports\.v1.*[Ii]llegal|contains"):
        topics.create(kafka_admin, "no spaces", 3)
