"""Which partition a key belongs to: Kafka's own rule, so that any client agrees."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from aiokafka.partitioner import murmur2

from detectors.world.units import UNITS


@lru_cache(maxsize=65_536)
def partition_of(key: str, partitions: int) -> int:
    """Return the partition of a key among so many (Kafka's default partitioner, murmur2)."""
    return int((murmur2(key.encode()) & 0x7FFFFFFF) % partitions)


def units_of(partition: int, partitions: int) -> list[str]:
    """Return the units whose events come in one partition."""
    return _of(UNITS, partition, partitions)


def _of(keys: Iterable[str], partition: int, partitions: int) -> list[str]:
    return [key for key in keys if partition_of(key, partitions) == partition]
