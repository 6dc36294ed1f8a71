"""How long the coder takes for a report, beside a naive coder on the same reports.

Run: `python tests/benchmarks/bench_coding.py`. The naive coder searches one regular expression that
is an alternation of every name and term, and a second one for numbers and days. Both are measured
in processor time on the bundled scenario's English reports (nearly all tell of violence in a
monitored country: the dearest case), on other news of about 500 characters made for the purpose,
and on a mixture of one such report in twenty.
"""

from __future__ import annotations

import csv
import re
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib import resources
from random import Random

from detectors.coding import code
from detectors.records import Report
from streams.scenarios.render import render

_AGENTS = ("The council", "A committee of ministers", "The central bank", "Researchers", "The club")
_DEEDS = (
    "approved a budget for schools and roads after a long debate",
    "said that prices had risen more slowly than expected this year",
    "opened a new library beside the old railway station",
    "found that the lake had warmed by one degree in twenty years",
    "signed a young player for three seasons",
    "will meet again in the autumn to settle the remaining questions",
)
_AT = datetime(2020, 3, 4, tzinfo=UTC)
_ROUNDS = 5


def _other_news(count: int) -> list[Report]:
    rng = Random(7)
    made = []
    for i in range(count):
        said = [f"{rng.choice(_AGENTS)} {rng.choice(_DEEDS)}." for _ in range(8)]
        made.append(
            Report(
                id=f"o:{i}", source="o", seen_at=_AT, title=said[0], text=" ".join(said[1:]),
                language="en",
            )
        )  # fmt: skip
    return made


def _naive() -> Callable[[Sequence[Report]], int]:
    words: set[str] = set()
    for package, table, column in (
        ("detectors.world", "places.csv", "name"),
        ("detectors.world", "elsewhere.csv", "name"),
        ("detectors.world", "actors.csv", "alias"),
        ("detectors.coding", "terms_en.csv", "term"),
    ):
        text = resources.files(package).joinpath(table).read_text(encoding="utf-8")
        words |= {row[column] for row in csv.DictReader(text.splitlines())}
    longest_first = sorted(words, key=len, reverse=True)
    names = re.compile(rf"\b(?:{'|'.join(map(re.escape, longest_first))})\b", re.IGNORECASE)
    numbers = re.compile(
        r"\b(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|(?:mon|tues|wednes|thurs|fri"
        r"|satur|sun)day|yesterday|today)\b",
        re.IGNORECASE,
    )

    def run(reports: Sequence[Report]) -> int:
        found = 0
        for report in reports:
            text = f"{report.title}\n{report.text}"
            found += len(names.findall(text)) + len(numbers.findall(text))
        return found

    return run


def _microseconds(work: Callable[[Sequence[Report]], object], reports: Sequence[Report]) -> float:
    best = float("inf")
    for _ in range(_ROUNDS):
        start = time.process_time()
        work(reports)
        best = min(best, time.process_time() - start)
    return 1e6 * best / len(reports)


def main() -> None:
    """Print microseconds for each report, and how many times as long the naive coder takes."""
    start = time.process_time()
    code([])
    print(f"dictionaries compiled in {time.process_time() - start:.2f} s")
    violent = [r for r in render() if r.language == "en"][:1000]
    other = _other_news(1000)
    mixed = other[:950] + violent[:50]
    naive = _naive()
    print(f"{'reports':22}{'characters':>11}{'coder µs':>10}{'naive µs':>10}{'ratio':>8}")
    for name, reports in (("violent", violent), ("other news", other), ("one in twenty", mixed)):
        size = sum(len(r.title) + len(r.text) for r in reports) / len(reports)
        ours = _microseconds(code, reports)
        theirs = _microseconds(naive, reports[:40])
        print(f"{name:22}{size:11.0f}{ours:10.1f}{theirs:10.1f}{theirs / ours:8.1f}")


if __name__ == "__main__":
    main()
