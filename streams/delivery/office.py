"""The deliver stage at work: its partitions, and the courier that empties their mailboxes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from streams.agents.deliver import PostCore
from streams.agents.stage import Output, Stage
from streams.delivery.courier import Courier


class Post:
    """Runs the stage inside a Faust agent, with the courier beside it."""

    def __init__(self, app: Any, stage: Stage, courier: Courier) -> None:  # noqa: ANN401
        """Take the Faust app, the stage and the courier."""
        self._app = app
        self._stage = stage
        self._courier = courier

    def cores(self) -> list[PostCore]:
        """Return the partitions that are this worker's."""
        generation = self._app.consumer_generation_id
        return [core for core in self._stage.cores(generation) if isinstance(core, PostCore)]

    async def post(self, core: PostCore, make: Callable[[], Sequence[Output]]) -> bool:
        """Do something to a partition, send what comes of it; False where it is another's now."""
        return await self._stage.emit(self._app, core, make)

    async def flush(self) -> None:
        """Send what came of it, in whole batches."""
        await self._stage.flush(self._app)

    async def run(self, stream: Any) -> None:  # noqa: ANN401 - Faust's own type
        """Work through the batches of a Faust stream while the courier sends."""
        courier = asyncio.create_task(self._send())
        try:
            async for _ in self._stage.run(stream):
                pass
        finally:
            courier.cancel()
            await asyncio.gather(courier, return_exceptions=True)

    async def _send(self) -> None:
        try:
            await self._courier.run(self)
        except Exception as error:
            await self._app.crash(error)
            raise
