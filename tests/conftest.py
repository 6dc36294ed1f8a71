"""Fixtures shared by all tests: the brokers, and topic prefixes that keep tests apart."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from deploy.kafka.node import KafkaNode
from streams.broker import EmbeddedBroker


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests of the whole line, which take longest: so no worker waits at the end."""
    items.sort(key=lambda item: "kafka" not in item.path.parts)


@pytest.fixture(scope="session")
def embedded_broker() -> Iterator[EmbeddedBroker]:
    """The embedded broker, shared by the whole session: use `prefix` for topic names."""
    with EmbeddedBroker() as broker:
        yield broker


@pytest.fixture(scope="session")
def apache_kafka() -> Iterator[KafkaNode]:
    """Apache Kafka, shared by the whole session: use `prefix`, and never stop it."""
    with KafkaNode() as node:
        yield node


@pytest.fixture
def apache_kafka_fresh(tmp_path: Path) -> Iterator[Callable[[], KafkaNode]]:
    """Make Apache Kafka nodes of one's own, to kill and restart."""
    with ExitStack() as stack:

        def make() -> KafkaNode:
            return stack.enter_context(KafkaNode(tmp_path / f"kafka-{uuid.uuid4().hex[:8]}"))

        yield make


@pytest.fixture(params=["embedded_broker", "apache_kafka"])
def bootstrap(request: pytest.FixtureRequest) -> str:
    """The address of each broker in turn: the test runs on both."""
    return str(request.getfixturevalue(request.param).bootstrap)


@pytest.fixture
def prefix() -> str:
    """A topic prefix (`settings.kafka.prefix`) that no other test has."""
    return f"test-{uuid.uuid4().hex[:12]}"
