"""The alerts of the scenario are the same bytes, however the line is cut, fed or served."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from deploy.kafka.node import KafkaNode
from detectors.records import Report
from streams.broker import EmbeddedBroker
from tests.kafka import line


@pytest.mark.parametrize("partitions", [1, 3, 8])
def test_the_number_of_partitions_changes_nothing(
    apache_kafka: KafkaNode,
    prefix: str,
    reports: list[Report],
    expected: line.Revisions,
    partitions: int,
) -> None:
    options = line.settings(apache_kafka.bootstrap, prefix, partitions)
    end = line.fed(options, reports)
    with line.worker(options) as process:
        assert line.decided(options, end, process) == expected


def test_two_workers_come_to_the_same_as_one(
    apache_kafka: KafkaNode, prefix: str, reports: list[Report], expected: line.Revisions
) -> None:
    options = line.settings(apache_kafka.bootstrap, prefix, 3)
    end = line.fed(options, reports)
    with line.worker(options, "one") as one, line.worker(options, "two") as two:
        assert line.decided(options, end, one, two) == expected


def test_the_embedded_broker_serves_as_well(
    embedded_broker: EmbeddedBroker, prefix: str, reports: list[Report], expected: line.Revisions
) -> None:
    options = line.settings(embedded_broker.bootstrap, prefix, 3, embedded=True)
    end = line.fed(options, reports)
    with line.worker(options) as process:
        assert line.decided(options, end, process) == expected


@pytest.mark.parametrize(
    "arrival",
    [
        pytest.param(lambda reports: line.shuffled(reports, 7), id="shuffled within a minute"),
        pytest.param(line.doubled, id="every report twice"),
        pytest.param(
            lambda reports: line.shuffled(line.doubled(reports), 8), id="twice and shuffled"
        ),
    ],
)
def test_the_order_of_arrival_within_a_step_changes_nothing(
    apache_kafka: KafkaNode,
    prefix: str,
    reports: list[Report],
    expected: line.Revisions,
    arrival: Callable[[list[Report]], list[Report]],
) -> None:
    options = line.settings(apache_kafka.bootstrap, prefix, 3)
    end = line.fed(options, arrival(reports))
    with line.worker(options) as process:
        assert line.decided(options, end, process) == expected
