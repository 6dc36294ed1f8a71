"""Empties the mailboxes: sends what is due, takes in the answers, and says what became of it.

One courier works for all partitions of the outbox that a worker has. It wakes when something has
come in, when an answer has come, and when something that waited is due. A channel that has failed
for a day is `failing`: its owner is told, and it is tried on as before; the first success ends it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from time import monotonic
from typing import Any, Final, Protocol

import structlog
from msgspec.structs import replace

from detectors.delivery_records import Subscription, SubscriptionState
from streams import topics
from streams.agents.deliver import PostCore
from streams.agents.stage import Output
from streams.codecs import encode
from streams.delivery.mailbox import Outcome, Sending
from streams.delivery.means import Installation
from streams.metrics import Metrics
from streams.partitioning import partition_of
from streams.sinks.base import Answer, Delivered, Message, Retry, Sink
from streams.subscribing import TYPED
from streams.subscriptions import Directory, in_state

#: Messages on their way from one worker at a time.
_MOST_AT_ONCE: Final = 64
_IDLE_SECONDS: Final = 1.0
_FLUSH_SECONDS: Final = 0.1
_DEAD: Final = timedelta(hours=24)
#: Sinks for which an answered challenge is the proof; for the others somebody has to confirm.
_ANSWERING: Final = frozenset(("webhook",))
_CHALLENGE_AGAIN_SECONDS: Final = 60.0
_NEEDED: Final = "set TOCSIN_DELIVERY_KEY, and delivery.smtp.public_url for e-mail"
_log = structlog.get_logger(__name__)


class Office(Protocol):
    """The partitions of the outbox that are this worker's."""

    def cores(self) -> Sequence[PostCore]:
        """Return what keeps their mailboxes."""
        ...

    async def post(self, core: PostCore, make: Callable[[], Sequence[Output]]) -> bool:
        """Do something to a partition, keep what comes of it; False where it is another's now."""
        ...

    async def flush(self) -> None:
        """Send what came of it."""
        ...


class Courier:
    """Sends the messages of one worker."""

    def __init__(
        self,
        layout: topics.Layout,
        subscriptions: Directory,
        sinks: Mapping[str, Sink],
        means: Installation,
        metrics: Metrics,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Take the topics, all subscriptions, the sinks by name, the secrets, metrics and clock."""
        self._layout = layout
        self._subscriptions = subscriptions
        self._sinks = sinks
        self._means = means
        self._metrics = metrics
        self._now = now
        self._woken = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._proving: set[str] = set()
        self._looked = 0.0
        self._turn = 0

    def wake(self) -> None:
        """Have it look for something to send."""
        self._woken.set()

    async def run(self, office: Office) -> None:
        """Work until cancelled."""
        flushed = 0.0
        try:
            while True:
                self._woken.clear()
                self._look_around(office)
                for core in self._in_turn(office.cores()):
                    await self._work(core, office)
                if monotonic() - flushed >= _FLUSH_SECONDS:
                    await office.flush()
                    flushed = monotonic()
                for task in [each for each in self._tasks if each.done()]:
                    self._tasks.discard(task)
                    task.result()  # what went wrong there ends the worker
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), _IDLE_SECONDS)
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _in_turn(self, cores: Sequence[PostCore]) -> Sequence[PostCore]:
        """Return the partitions, each time another one first: all get their share of the slots."""
        self._turn += 1
        start = self._turn % max(1, len(cores))
        return [*cores[start:], *cores[:start]]

    def _look_around(self, office: Office) -> None:
        """Once a second: look at all that waits, at new addresses, and at how things stand."""
        if monotonic() - self._looked < _IDLE_SECONDS:
            return
        self._looked = monotonic()
        pending = [s for s in self._subscriptions.all() if s.state == "pending"]
        for core in office.cores():
            core.stir()
            for subscription in pending:
                if self._has_to_prove(core, subscription):
                    self._proving.add(subscription.id)
                    self._begin(self._prove(core, subscription, office))
        self._measure(office.cores())

    async def _work(self, core: PostCore, office: Office) -> None:
        """Send what is due in one partition."""
        for name in list(core.stirred):
            if len(self._tasks) >= _MOST_AT_ONCE:
                return  # the others are looked at when one has come back
            mailbox, now = core.mailbox(name), self._now()
            subscription = self._subscriptions.get(name)
            outcome = mailbox.settle(subscription, now)
            if outcome.deliveries:
                await office.post(core, partial(self._became, core, name, outcome))
            while subscription is not None and len(self._tasks) < _MOST_AT_ONCE:
                sending = mailbox.next(subscription, now)
                if sending is None:
                    core.stirred.pop(name, None)
                    break
                self._begin(self._send(core, subscription, sending, office))
            else:
                if subscription is None:
                    core.stirred.pop(name, None)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(lambda _: self.wake())

    async def _send(
        self, core: PostCore, subscription: Subscription, sending: Sending, office: Office
    ) -> None:
        answer = await self._try(sending.message, subscription)
        mailbox, outputs = core.mailbox(subscription.id), list[Output]()

        def told() -> list[Output]:
            now, failing = self._now(), mailbox.box.failing_since
            outcome = mailbox.answer(sending, subscription, answer, now)
            outputs.extend(self._became(core, mailbox.name, outcome))
            outputs.extend(self._changed(subscription, answer, failing, now))
            core.stirred.setdefault(mailbox.name)
            return outputs

        # Where the partition is another's by now, that worker sends it again under the same id.
        await office.post(core, told)
        if any(each.topic == self._layout.name(topics.SUBSCRIPTIONS) for each in outputs):
            await self._tell_owner(subscription, answer)

    def _changed(
        self,
        subscription: Subscription,
        answer: Answer,
        failing: datetime | None,
        now: datetime,
    ) -> list[Output]:
        """Return the subscription in its new state, where an answer changes it."""
        if isinstance(answer, Delivered):
            if subscription.state == "failing":
                return [self._state(subscription, "active", "it works again")]
        elif failing and now - failing >= _DEAD and subscription.state == "active":
            reason = f"nothing has arrived since {failing:%Y-%m-%d %H:%M} UTC: {answer.reason}"
            return [self._state(subscription, "failing", reason)]
        return []

    async def _try(self, message: Message, subscription: Subscription) -> Answer:
        sink = self._sinks.get(subscription.sink)
        if sink is None:
            return Retry(0.0, f"there is no sink {subscription.sink!r} here: configure it")
        try:
            answer = await sink.send(message, subscription, self._means.secrets(subscription))
        except Exception as error:  # a defect of one sink must not stop the others
            _log.exception("sink_failed", sink=subscription.sink, message=message.id)
            answer = Retry(0.0, f"a defect of the sink: {type(error).__name__}")
        status = {Delivered: "delivered", Retry: "retry"}.get(type(answer), "rejected")
        self._metrics.deliveries.labels(subscription.sink, status).inc()
        if isinstance(answer, Delivered):
            self._metrics.delivered.labels(subscription.sink).set_to_current_time()
        return answer

    def _became(self, core: PostCore, name: str, outcome: Outcome) -> list[Output]:
        """Return the records of what became of parcels, and the dead letters."""
        letters = core.finish(name, outcome)
        topic, partition = self._layout.name(topics.DELIVERIES), core.partition
        records = [Output(topic, partition, name.encode(), encode(d)) for d in outcome.deliveries]
        for parcel in outcome.given_up:
            _log.warning("delivery_given_up", alert=parcel.alert.id, subscription=name)
        return [*records, *letters]

    def _state(self, subscription: Subscription, state: SubscriptionState, reason: str) -> Output:
        """Return a subscription in another state."""
        changed = in_state(subscription, state, reason[:500], self._now())
        _log.warning("subscription_changed", id=subscription.id, state=state, reason=reason)
        topic = self._layout.name(topics.SUBSCRIPTIONS)
        return Output(topic, 0, subscription.id.encode(), encode(changed))

    async def _tell_owner(self, subscription: Subscription, answer: Answer) -> None:
        """Tell who owns a subscription that its channel is dead, or works again, by e-mail."""
        mail = self._sinks.get("email")
        if mail is None or not subscription.owner:
            return
        broken = None if isinstance(answer, Delivered) else answer.reason
        what = "works again" if broken is None else f"does not work: {broken}"
        text = f"The subscription {subscription.id} ({subscription.sink}) {what}."
        now = self._now()
        notice = Message(f"notice/{subscription.id}/{now:%Y%m%dT%H%M%SZ}", "notice", now, text=text)
        owner = replace(subscription, sink="email", address=subscription.owner)
        told = await mail.send(notice, owner, None)
        if not isinstance(told, Delivered):
            _log.warning("owner_not_told", id=subscription.id, reason=told.reason)

    def _has_to_prove(self, core: PostCore, subscription: Subscription) -> bool:
        if subscription.state != "pending" or subscription.sink not in TYPED:
            return False
        if subscription.id in self._proving:
            return False
        mine = partition_of(subscription.id, self._layout.partitions) == core.partition
        return mine and core.mailbox(subscription.id).box.challenged < subscription.secret

    async def _prove(self, core: PostCore, subscription: Subscription, office: Office) -> None:
        """Ask an address whether it wants alerts; who asks it to is not always who reads there."""
        text = self._means.challenge(subscription)
        if text is None:
            _log.warning("cannot_challenge", id=subscription.id, mend=_NEEDED)
            return  # until the settings have it and the worker is started anew
        id = f"challenge/{subscription.id}/{subscription.secret}"
        message = Message(id, "challenge", self._now(), text=text)
        answer = await self._try(message, subscription)
        if isinstance(answer, Retry):
            later = asyncio.get_running_loop().call_later
            later(_CHALLENGE_AGAIN_SECONDS, self._proving.discard, subscription.id)
            return
        self._proving.discard(subscription.id)

        def told() -> list[Output]:
            core.mailbox(subscription.id).box.challenged = subscription.secret
            core.touch(subscription.id)
            if not isinstance(answer, Delivered):
                return [self._state(subscription, "pending", f"challenged: {answer.reason}")]
            if subscription.sink in _ANSWERING:
                return [self._state(subscription, "active", "it answered the challenge")]
            return []

        await office.post(core, told)

    def _measure(self, cores: Sequence[PostCore]) -> None:
        waiting: Counter[str] = Counter()
        for core in cores:
            for name, mailbox in core.mailboxes.items():
                subscription = self._subscriptions.get(name)
                if subscription is not None:
                    waiting[subscription.sink] += mailbox.waiting
        for sink in self._sinks:
            self._metrics.waiting.labels(sink).set(waiting[sink])
        failing = Counter(s.sink for s in self._subscriptions.all() if s.state == "failing")
        for sink in self._sinks:
            self._metrics.failing.labels(sink).set(failing[sink])
