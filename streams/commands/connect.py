"""The broker, for commands: short waits, quiet clients, and one line when nobody answers."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Final

from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from streams import kafka
from streams.commands.base import NOTHING, Problem
from streams.settings import Settings
from streams.topics import Topic

_BOOTSTRAP_MS: Final = 5_000


def quiet() -> None:
    """Keep the clients from logging: what fails is said by the command."""
    for name in ("kafka", "aiokafka"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


@contextmanager
def admin(settings: Settings) -> Iterator[KafkaAdminClient]:
    """Connect an administration client.

    Raises:
        SettingsError: No broker is set.
        Problem: No broker answers within 5 s.
    """
    quiet()
    address = kafka.bootstrap(settings.kafka)
    options = kafka.kafka_python_options(settings.kafka)
    try:
        client = KafkaAdminClient(**options, bootstrap_timeout_ms=_BOOTSTRAP_MS)
    except (KafkaError, OSError) as error:
        raise Problem(
            f"no Kafka broker answers at {address} ({error}): start it, or set "
            "TOCSIN_KAFKA_BOOTSTRAP",
            NOTHING,
        ) from error
    with closing(client):
        yield client


def partition_counts(settings: Settings, *topics: Topic) -> dict[str, int]:
    """Return how many partitions topics have on the broker, by their full names.

    Raises:
        Problem: No broker answers, or a topic is missing.
    """
    layout = kafka.layout(settings.kafka)
    names = [layout.name(topic) for topic in topics]
    with admin(settings) as client:
        # Asked for by name, a topic that is missing would be made by some brokers.
        missing = sorted(set(names) - set(client.list_topics()))
        if missing:
            text = f"the broker has no topic {', '.join(missing)}: tocsin topics create"
            raise Problem(text, NOTHING)
        described = client.describe_topics(names)
    return {topic["name"]: len(topic["partitions"]) for topic in described}
