"""What the coder can do, as a table: language by language, beside naive baselines, with intervals.

Run: `make bench-coding`. Shares come with their counts and 95 % intervals (Wilson 1927). The naive
baselines: for false alarms and for violence, a search for any word of attack beside any name of a
monitored place in the same text; for the speed, a loop that only decodes and one that only looks up
the dictionaries. Golden cases were written without sight of the dictionaries, and have since
been seen by who wrote the rules: they show that nothing got worse, not how good it is elsewhere.
Sets that are not beside the checkout are left out, and it says so.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from cProfile import Profile
from pathlib import Path
from pstats import Stats
from random import Random

sys.path.append(str(Path(__file__).resolve().parents[2]))  # `tests` is not an installed package

from detectors.coding import code
from detectors.coding.eastern import CODES, eastern
from detectors.coding.lexicon import TRIGGERS, Hit, lexicon
from detectors.coding.opening import opened
from detectors.records import Report
from streams.codecs import decoder, encode
from streams.scenarios.render import render, truth
from tests import coding_measures as measures
from tests.coding_deaths import ucdp_deaths
from tests.coding_measures import Share

_ROUNDS = 3
_FIELDS = (
    "violent", "event", "mode", "admin1", "killed", "injured", "civilians_killed", "occurred",
    "actors",
)  # fmt: skip
#: The parts of the coder by their modules; what else there is, is the rest.
_PARTS = {
    "language": ("language",),
    "dictionaries": ("opening", "normalise", "script", "markup", "lexicon", "vocabulary"),
    "sentences": ("types", "plover", "english", "eastern", "tongue"),
    "places": ("places",),
    "numbers": ("casualties", "tolls", "lone", "victims", "victims_english", "victims_eastern"),
    "days": ("dates", "daywords", "calendar"),
    "speech": ("speech", "speakers", "statements", "accounts"),
    "contexts": ("contexts",),
    "sketch": ("sketch",),
    "credits": ("byline", "credits", "families"),
    "story": ("story", "actors"),
}
_PART_OF = {module: part for part, modules in _PARTS.items() for module in modules}


def naive(reports: Sequence[Report]) -> list[bool]:
    """Any word of attack or harm beside any monitored place: violence."""
    return [_is_naively_violent(report) for report in reports]


def _is_naively_violent(report: Report) -> bool:
    found = opened(report)
    hits: list[Hit] = (found.hits if found else None) or []
    words = any(name in TRIGGERS for hit in hits for name, _ in hit.entry.terms)
    return words and any(hit.entry.places for hit in hits)


def false_alarms() -> None:
    """World news that is coded as violence in a monitored unit."""
    print("\nfalse alarms: world news coded as violence in a monitored unit, at most 0.005")
    for name, language in measures.NTREX.items():
        share, _ = measures.false_alarms(name)
        base = Share()
        for alarm in naive(measures.world_news(name)):
            base.add(alarm)
        print(f"  {language} ({name})  {share}    naive {base}")


def headlines() -> None:
    """The province of real headlines in English."""
    print("\nprovince of UCDP headlines that name a place: answered at least .90, right .97")
    for file in measures.UCDP:
        told = measures.admin1(file)
        print(
            f"  {file[:30]:31} answered {told.answered}    of those with one {told.answered_one}"
            f"\n  {'':31} right {told.right}    by the first row alone {told.strict}"
        )


def deaths() -> None:
    """The dead of real headlines in English, beside UCDP's, which counts all sources together."""
    print("\nkilled in UCDP headlines that state a number, and UCDP's best number")
    for file in measures.UCDP:
        told = ucdp_deaths(file)
        print(f"  {file[:30]:31} read {told.read}    UCDP's in range {told.within}")
        print(f"  {'':31} equal {told.equal}    naive, the first number {told.naive}")
        for kind, count in told.kinds.most_common():
            print(f"  {'':31}   {kind:32}{count:5}  {count / told.read.of:.3f}")


def golden() -> None:
    """The golden cases, field by field."""
    print("\ngolden cases (seen)")
    for language in measures.LANGUAGES:
        shares, _ = measures.golden_shares(language)
        cases = measures.golden(language)
        base = Share()
        for case, said in zip(cases, naive([c.report for c in cases]), strict=True):
            base.add(said == measures.is_violent(case.expect))
        print(f"  {language}: naive violent {base}")
        for name in _FIELDS:
            if name in shares:
                print(f"    {name:17} {shares[name]}")


def scenario() -> None:
    """The bundled scenario, language by language: its prose is this project's own."""
    print("\nbundled scenario")
    for language, n in measures.scenario().items():
        rows = (("violent", "reports"), ("place right", "placed"), ("day right", "dated"))
        told = "  ".join(f"{name} {Share(n[name], n[of])}" for name, of in rows)
        print(f"  {language}: {told}  false alarms {Share(n['false alarms'], n['other news'])}")


def _microseconds(work: Callable[[Sequence[Report]], object], reports: Sequence[Report]) -> float:
    best = float("inf")
    for _ in range(_ROUNDS):
        start = time.process_time()
        work(reports)
        best = min(best, time.process_time() - start)
    return 1e6 * best / len(reports)


def speed() -> None:
    """Microseconds a report, beside a loop that only decodes and one that only matches."""
    about = {t.report: t for t in truth()}
    by_kind: dict[str, list[Report]] = {}
    for report in render():
        kind = "violent" if about[report.id].incident is not None else "other"
        by_kind.setdefault(f"{report.language} {kind}", []).append(report)
    rng = Random(7)
    mixed = [rng.choice(by_kind[rng.choice(sorted(by_kind))]) for _ in range(2_000)]
    by_kind["mixed, half violent"] = mixed
    code(mixed)  # what is compiled at first use counts for none of them
    decode = decoder(Report)
    print("\nspeed, one core, microseconds a report")
    print(f"  {'reports':22}{'number':>8}{'characters':>12}{'whole':>8}{'decode':>8}{'match':>8}")
    for name, reports in sorted(by_kind.items()):
        raw = [encode(report) for report in reports]
        size = sum(len(r.title) + len(r.text) for r in reports) / len(reports)
        whole = _microseconds(code, reports)
        only_decode = _microseconds(lambda _, raw=raw: [decode(value) for value in raw], reports)
        only_match = _microseconds(lambda some: [opened(r) for r in some], reports)
        figures = f"{size:12.0f}{whole:8.1f}{only_decode:8.1f}{only_match:8.1f}"
        print(f"  {name:22}{len(reports):8}{figures}")
    _print_parts(mixed)


def _print_parts(reports: Sequence[Report]) -> None:
    """Print which part of the coder takes which share of the time."""
    profile = Profile()
    profile.runcall(code, reports)
    spent: dict[str, float] = {}
    for module, seconds in _spent(profile):
        part = _PART_OF.get(module, "the rest")
        spent[part] = spent.get(part, 0.0) + seconds
    whole = sum(spent.values())
    print("\nits parts, mixed, half violent: shares of the time (cProfile makes calls dearer)")
    for part, seconds in sorted(spent.items(), key=lambda item: -item[1]):
        print(f"  {part:22}{seconds / whole:8.3f}")


def _spent(profile: Profile) -> Iterator[tuple[str, float]]:
    """Yield a module, or a package, of this project and the seconds spent in one of its functions.

    What is spent in others' functions counts for the modules that call them.
    """
    stats = Stats(profile).stats  # type: ignore[attr-defined] # not in the types of pstats
    for (file, _, _), (_, _, seconds, _, callers) in stats.items():
        if "detectors" in Path(file).parts:
            yield _module(file), seconds
            continue
        for (caller, _, _), (_, _, part, _) in callers.items():
            yield _module(caller), part


def _module(file: str) -> str:
    path = Path(file)
    return path.parent.name if path.stem == "__init__" else path.stem


def main() -> None:
    """Print the tables."""
    start = time.process_time()
    lexicon()
    for language in CODES:
        eastern(language)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"dictionaries compiled in {time.process_time() - start:.2f} s, {peak:.0f} MiB in all")
    if measures.SHARED.is_dir():
        false_alarms()
        headlines()
        deaths()
    else:
        print("world news and UCDP headlines: not beside this checkout, left out")
    golden()
    scenario()
    speed()


if __name__ == "__main__":
    main()
