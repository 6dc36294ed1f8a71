"""How far stream time has come: the minimum over all partitions upstream (as Flink does it)."""

from __future__ import annotations

from msgspec import Struct

from detectors.records import Tick
from detectors.timegrid import seconds


class Watermarks(Struct):
    """The progress of each partition upstream, in seconds."""

    of: int = 0  # partitions upstream; 0 until the first tick
    times: dict[int, int] = {}

    def note(self, tick: Tick) -> int | None:
        """Take a tick in; return the stream time that all partitions have passed, if all told."""
        self.of = tick.of
        self.times[tick.partition] = max(seconds(tick.time), self.times.get(tick.partition, 0))
        if len(self.times) < self.of:
            return None
        return min(self.times.values())
