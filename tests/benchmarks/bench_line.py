"""The benchmark of the line: how fast, how late, how soon back, how big. `make bench` runs it.

On one broker and one machine, in one run, each in a process of its own:

(a) a stock Faust agent that does nothing with the bytes it gets;
(b) a loop on bare aiokafka that only decodes the reports;
(c) Tocsin's whole line with one worker, from the first report until the alert stage has reached
    the end of stream time;
(d) the same line in process, from encoded reports, without Kafka.

Then, with a worker each: the time from the report that triggers an alert to the alert record, at
100 reports a second with fine steps of one second; and the time from a SIGKILL of the worker until
a new one has taken stream time further. The workload is that of `workload.py`. The table goes to
stdout, progress to stderr, and with `--json FILE` the figures to a file.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import platform
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, Final

import line_latency
import workload
from line_parts import Options

HERE: Final = Path(__file__).resolve().parent
sys.path.append(str(HERE.parents[1]))  # `deploy` is not an installed package

from deploy.kafka.node import KafkaNode  # noqa: E402
from detectors.records import Tick  # noqa: E402
from streams import kafka, replay, topics  # noqa: E402
from streams.broker import EmbeddedBroker  # noqa: E402

Figures = dict[str, Any]
_PART_SECONDS: Final = 300.0
_KILL_AT: Final = 0.4  # of the records
_AIMS: Final = {
    "line_to_stock": "c / a, reports a second: above 1",
    "line_to_inline": "c / d, reports a CPU second: at least 0.6",
    "inline": "d, reports a CPU second: at least 20,000",
    "latency_p99": "p99 beyond the step: below 1 s",
}


def say(text: str) -> None:
    """Tell on stderr how far the benchmark is."""
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


class Part:
    """A part of `line_parts.py` at work in its own process."""

    def __init__(self, name: str, options: Options) -> None:
        self.name = name
        self.last: Figures = {}  # how far it is
        self.result: Figures | None = None
        self._changed = threading.Condition()
        text = json.dumps({key: getattr(options, key) for key in options.__struct_fields__})
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "line_parts.py"), name, text],
            stdout=subprocess.PIPE,
            text=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        stdout = self._process.stdout
        for line in stdout or ():
            told = json.loads(line)
            with self._changed:
                if "progress" in told:
                    self.last = told
                else:
                    self.result = told
                self._changed.notify_all()
        self._process.wait()
        with self._changed:
            self._changed.notify_all()

    def until(self, reached: Any, seconds: float = _PART_SECONDS) -> None:
        """Wait until what the part tells is so.

        Raises:
            RuntimeError: it ended before, or took too long.
        """
        with self._changed:
            self._changed.wait_for(lambda: reached() or self._process.poll() is not None, seconds)
            if not reached():
                raise RuntimeError(f"{self.name} did not come to its end: last {self.last}")

    def finish(self) -> Figures:
        """Wait for its figures and its end."""
        self.until(lambda: self.result is not None)
        self._process.wait(60)
        return self.result or {}

    def time(self) -> int:
        """Return the stream time it has reached, seconds."""
        return int(self.last.get("time", 0))

    def kill(self) -> None:
        """End it as a loss of power would."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """End it if it still runs."""
        if self._process.poll() is None:
            self.kill()


@contextmanager
def started(name: str, options: Options) -> Iterator[Part]:
    """Run a part; it is gone at the end of the block."""
    part = Part(name, options)
    try:
        yield part
    finally:
        part.stop()


def make_topics(options: Options) -> None:
    """Make the topics of a line of its own."""
    settings = options.settings().kafka
    with closing(kafka.admin(settings)) as admin:
        topics.create(admin, settings.prefix, settings.partitions)


async def load(options: Options, records: Iterable[replay.Fed]) -> int:
    """Send records to the reports topic; return the time of the last tick, seconds."""
    settings = options.settings().kafka
    producer = kafka.producer(settings)
    await producer.start()
    try:
        return await replay.feed(producer, kafka.layout(settings), records)
    finally:
        await producer.stop()


def loaded(base: Options, count: int, **more: Any) -> Options:
    """Make a line's topics and load so many reports; return the options of its parts."""
    options = Options(
        bootstrap=base.bootstrap,
        idempotent=base.idempotent,
        prefix=f"bench-{uuid.uuid4().hex[:8]}",
        reports=count,
        **more,
    )
    make_topics(options)
    fed = list(replay.timed(workload.feed_of(count), options.settings().grid()))
    options.end = asyncio.run(load(options, fed))
    options.records = sum(options.partitions if isinstance(record, Tick) else 1 for record in fed)
    return options


def throughput(base: Options, count: int, rounds: int, profile: bool) -> Figures:
    """Run parts (a) to (d) over the same reports, (c) and (d) in turn for so many rounds."""
    found: Figures = {}
    pairs: list[tuple[Figures, Figures]] = []
    for turn in range(rounds):
        say(f"loading {count:,} reports")
        options = loaded(base, count)
        options.profile = profile
        for name in ("line", "inline") if turn else ("stock", "bare", "line", "inline"):
            say(f"running {name}")
            with started(name, options) as part:
                found[name] = part.finish()
            say(f"{name}: {found[name]['reports_per_second']:,.0f} reports/s")
        pairs.append((found["line"], found["inline"]))
    # A machine that others share is slower at one time than at another: the middle pair counts.
    pairs.sort(key=_of_inline)
    found["line"], found["inline"] = pairs[len(pairs) // 2]
    found["line_to_inline"] = [_of_inline(pair) for pair in pairs]
    return found


def _of_inline(pair: tuple[Figures, Figures]) -> float:
    line, inline = (part["reports_per_cpu_second"] for part in pair)
    return float(line / inline)


def recovery(base: Options, count: int) -> Figures:
    """Kill a worker in the middle of its work; time another until it is further."""
    say(f"recovery: loading {count:,} reports")
    options = loaded(base, count, instance="bench" if base.idempotent else None)
    with started("line", options) as first:
        first.until(lambda: first.last.get("progress", 0) >= _KILL_AT * options.records)
        reached = first.time()
        first.kill()
        killed = time.monotonic()
    say("recovery: worker killed, starting another")
    with started("line", options) as second:
        second.until(lambda: second.time() > reached)
        return {"seconds": time.monotonic() - killed, "stream_time_at_kill": reached}


def latency(base: Options, seconds: int) -> Figures:
    """Time alerts from the report that triggers them."""
    options = Options(
        bootstrap=base.bootstrap,
        idempotent=base.idempotent,
        prefix=f"bench-{uuid.uuid4().hex[:8]}",
        fine=1,
    )
    make_topics(options)
    say("latency: five weeks without incidents")
    end = time.time()
    history = line_latency.history(options, end)
    asyncio.run(load(options, history))
    with started("line", options) as worker:
        worker.until(lambda: worker.time() >= end - line_latency.HISTORY_ENDS)
        say(f"latency: {seconds} s at {line_latency.RATE} reports/s")
        return asyncio.run(line_latency.measure(options, seconds))


@contextmanager
def broker(which: str) -> Iterator[Options]:
    """Have a broker: `embedded`, `kafka` (Apache Kafka), or the address of one that runs."""
    with ExitStack() as stack:
        if which == "embedded":
            address = stack.enter_context(EmbeddedBroker()).bootstrap
        elif which == "kafka":
            address = stack.enter_context(KafkaNode()).bootstrap
        else:
            address = which
        yield Options(bootstrap=address, idempotent=which != "embedded")


def verdicts(found: Figures) -> dict[str, tuple[float, bool]]:
    """Return the ratios and whether they are as they should be."""
    parts, late = found["throughput"], found["latency"]
    stock = parts["line"]["reports_per_second"] / parts["stock"]["reports_per_second"]
    line = _of_inline((parts["line"], parts["inline"]))
    inline = parts["inline"]["reports_per_cpu_second"]
    beyond = late["beyond_step_seconds"]["p99"]
    return {
        "line_to_stock": (stock, stock > 1),
        "line_to_inline": (line, line >= 0.6),
        "inline": (inline, inline >= 20_000),
        "latency_p99": (beyond, beyond < 1),
    }


def show(found: Figures) -> None:
    """Print the tables."""
    names = {
        "stock": "(a) stock Faust, does nothing",
        "bare": "(b) bare aiokafka, decodes",
        "line": "(c) Tocsin, one worker",
        "inline": "(d) Tocsin in process",
    }
    print(f"{found['broker']}, {found['machine']}, Python {found['python']}")
    print(f"\n{'':32}{'reports/s':>11}{'per CPU s':>11}{'CPU µs each':>13}{'peak MiB':>10}")
    for name, title in names.items():
        r = found["throughput"][name]
        print(
            f"{title:32}{r['reports_per_second']:11,.0f}{r['reports_per_cpu_second']:11,.0f}"
            f"{r['cpu_microseconds_per_report']:13.1f}{r['peak_rss_bytes'] / 2**20:10.0f}"
        )
    print(f"\n{'stage of (c)':32}{'records':>11}{'seconds':>11}{'of the whole':>13}")
    line = found["throughput"]["line"]
    for name, stage in line["stages"].items():
        share = stage["seconds"] / line["wall_seconds"]
        print(f"{name:32}{stage['records']:11,.0f}{stage['seconds']:11.1f}{share:13.0%}")
    late = found["latency"]
    print(f"\nreport to alert, {late['alerts']} of {late['triggers']} triggers, in seconds")
    for name in ("total_seconds", "wait_for_step_seconds", "beyond_step_seconds"):
        print(
            f"{name.replace('_', ' '):32}p50 {late[name]['p50']:.3f}   p99 {late[name]['p99']:.3f}"
        )
    print(f"\n{'SIGKILL to stream time going on':32}{found['recovery']['seconds']:.1f} s")
    ratios = found["throughput"]["line_to_inline"]
    print(f"{'c / d in each round':32}{'  '.join(f'{ratio:.2f}' for ratio in ratios)}")
    print("\naims")
    for name, (value, met) in verdicts(found).items():
        print(f"{_AIMS[name]:52}{value:12,.2f}  {'met' if met else 'NOT MET'}")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument(
        "--broker", default="kafka", help="embedded, kafka (Apache Kafka; default), or an address"
    )
    parser.add_argument("--reports", type=int, default=200_000, help="reports of (a) to (d)")
    parser.add_argument("--rounds", type=int, default=3, help="how often (c) and (d) are run")
    parser.add_argument("--recovery-reports", type=int, default=60_000)
    parser.add_argument("--latency-seconds", type=int, default=60)
    parser.add_argument("--json", type=Path, help="write the figures here too")
    parser.add_argument("--profile", action="store_true", help="profile (c) and (d), to stderr")
    told = parser.parse_args()
    say(f"starting the broker: {told.broker}")
    with broker(told.broker) as base:
        found: Figures = {
            "broker": {"kafka": "Apache Kafka", "embedded": "embedded broker"}.get(
                told.broker, told.broker
            ),
            "machine": f"{platform.machine()}, {os.cpu_count()} cores",
            "python": platform.python_version(),
            "throughput": throughput(base, told.reports, told.rounds, told.profile),
            "latency": latency(base, told.latency_seconds),
            "recovery": recovery(base, told.recovery_reports),
        }
    show(found)
    if told.json:
        found["aims"] = {
            name: {"aim": _AIMS[name], "value": value, "met": met}
            for name, (value, met) in verdicts(found).items()
        }
        told.json.write_text(json.dumps(found, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
