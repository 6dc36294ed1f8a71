"""Workers and brokers that are killed lose and double nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random

from deploy.kafka.node import KafkaNode
from detectors.records import Report
from tests.kafka import line


def test_a_worker_killed_at_ten_points_loses_and_doubles_nothing(
    apache_kafka: KafkaNode, prefix: str, reports: list[Report], expected: line.Revisions
) -> None:
    options = line.settings(apache_kafka.bootstrap, prefix, 3)
    options.worker.checkpoint_seconds = 0.2
    end = line.fed(options, reports)
    points = Random(20200229)
    for _ in range(10):
        with line.worker(options) as process:
            line.wait_until_it_works(process)
            # Where exactly it dies is left to chance: at work, in a checkpoint, between the two.
            time.sleep(points.uniform(0.0, 0.8))
            process.kill()
            assert process.wait(10) == -9
    with line.worker(options) as process:
        assert line.decided(options, end, process) == expected


def test_a_broker_killed_and_restarted_loses_nothing(
    apache_kafka_fresh: Callable[[], KafkaNode],
    prefix: str,
    reports: list[Report],
    expected: line.Revisions,
) -> None:
    node = apache_kafka_fresh()
    options = line.settings(node.bootstrap, prefix, 3)
    end = line.fed(options, reports)
    with line.worker(options) as process:
        line.wait_until_it_works(process)
        node.kill()
        node.restart()
        assert line.decided(options, end, process) == expected
