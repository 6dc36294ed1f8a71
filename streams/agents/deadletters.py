"""Dead letters: what could not be read, with its original bytes, its reason and where it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from streams import topics
from streams.agents.stage import Output
from streams.codecs import Rejected
from streams.metrics import Metrics

#: The headers of a dead letter.
REASON: Final = "reason"
DETAIL: Final = "detail"
TOPIC: Final = "topic"
PARTITION: Final = "partition"
OFFSET: Final = "offset"
STAGE: Final = "stage"


class DeadLetters:
    """Makes dead letters of one stage's unreadable records."""

    def __init__(
        self, stage: str, topic: topics.Topic, layout: topics.Layout, metrics: Metrics
    ) -> None:
        """Take the stage, the topic it reads, how topics lie, and the metrics."""
        self._stage = stage
        self._source = layout.name(topic)
        self._topic = layout.name(topics.DEAD_LETTERS)
        self._partitions = layout.partitions
        self._metrics = metrics

    def decode(
        self,
        records: Iterable[Any],
        partition: int,
        decode: Callable[[bytes], Any],
    ) -> tuple[list[tuple[int, Any]], list[Output]]:
        """Decode raw records; return the readable ones with offsets, and the dead letters."""
        readable: list[tuple[int, Any]] = []
        dead: list[Output] = []
        for record in records:
            try:
                readable.append((record.offset, decode(record.value or b"")))
            except Rejected as rejected:
                dead.append(self.letter(record, partition, rejected))
        return readable, dead

    def letter(self, record: Any, partition: int, rejected: Rejected) -> Output:  # noqa: ANN401
        """Return the dead letter of a raw record."""
        self._metrics.dead_letters.labels(rejected.reason).inc()
        headers = {
            REASON: rejected.reason,
            DETAIL: rejected.detail[:500],
            STAGE: self._stage,
            TOPIC: self._source,
            PARTITION: str(partition),
            OFFSET: str(record.offset),
        }
        return Output(
            topic=self._topic,
            partition=partition % self._partitions,
            key=record.key,
            value=record.value or b"",
            headers=tuple((name, value.encode()) for name, value in headers.items()),
        )


def headers_of(headers: Sequence[tuple[str, bytes]]) -> dict[str, str]:
    """Return a dead letter's headers as text."""
    return {name: value.decode("utf-8", "replace") for name, value in headers}
