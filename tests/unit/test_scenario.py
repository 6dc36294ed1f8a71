"""The rendered scenario: complete, in order, dated rightly, telling no more than a report would."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from datetime import UTC, date, timedelta
from hashlib import blake2b, sha256
from pathlib import Path
from random import Random

import msgspec
import pytest

from detectors.records import Report
from streams.scenarios.choice import weighted
from streams.scenarios.language import LANGUAGES, language
from streams.scenarios.outlets import outlets
from streams.scenarios.render import SCENARIOS, Truth, facts, render, truth, write

NAME = "doha-2020"
CHECKOUT = Path(__file__).resolve().parents[2]
GOLDEN = CHECKOUT / "tests" / "golden" / "scenario-doha-2020.sha256"
NORTH = {"AF-BAL", "AF-KDZ", "AF-FYB", "AF-JOW"}
NOISE = {
    "sport", "economy", "weather", "science", "election", "elsewhere", "civil", "anniversary",
    "hypothetical", "negated", "threat", "context",
}  # fmt: skip

REPORTS = tuple(render(NAME))
TRUTH = tuple(truth(NAME))
FACTS = {f.incident: f for f in facts(NAME)}
PAIRS = tuple(zip(REPORTS, TRUTH, strict=True))
TOLD = tuple((r, t, FACTS[t.incident]) for r, t in PAIRS if t.incident is not None)


def test_the_number_of_reports_is_about_as_announced() -> None:
    assert 3_400 <= len(REPORTS) <= 3_800
    noise = [t for t in TRUTH if t.incident is None]
    assert 550 <= len(noise) <= 620
    assert {t.kind for t in noise} == NOISE


def test_each_kind_of_report_occurs() -> None:
    kinds = Counter(t.kind for t in TRUTH if t.incident is not None)
    assert set(kinds) == {
        "first", "second", "translation", "reprint", "revision", "counter", "claim", "denial",
    }  # fmt: skip
    assert min(kinds.values()) >= 20


def test_reports_come_in_the_order_of_seeing_and_id_with_whole_seconds() -> None:
    assert list(REPORTS) == sorted(REPORTS, key=lambda r: (r.seen_at, r.id))
    for report in REPORTS:
        assert report.published_at is not None
        assert report.seen_at.microsecond == report.published_at.microsecond == 0
        assert timedelta(0) < report.seen_at - report.published_at < timedelta(hours=1)
        assert date(2020, 1, 1) <= report.seen_at.date() <= date(2020, 7, 6)


def test_ids_are_unique_and_a_function_of_source_and_content_alone() -> None:
    assert len({r.id for r in REPORTS}) == len(REPORTS)
    for report in REPORTS:
        assert report.published_at is not None
        content = f"{report.title}\n{report.text}\n{report.published_at.isoformat()}"
        assert (
            report.id == f"{report.source}/{blake2b(content.encode(), digest_size=8).hexdigest()}"
        )


def test_no_field_tells_the_truth() -> None:
    sources = {o.source: o for o in outlets(NAME)}
    for report in REPORTS:
        outlet = sources[report.source]
        assert (report.publisher, report.language) == (outlet.family, outlet.language)
        assert report.record is None
        assert report.url is None
    assert not set(Truth.__struct_fields__) & set(Report.__struct_fields__)


def test_truth_is_in_the_order_of_the_reports() -> None:
    assert [t.report for t in TRUTH] == [r.id for r in REPORTS]


def test_the_export_decodes_as_reports_and_has_not_changed(tmp_path: Path) -> None:
    target = tmp_path / "reports.jsonl"
    assert write(NAME, target) == len(REPORTS)
    content = target.read_bytes()
    decoder = msgspec.json.Decoder(Report)
    assert tuple(decoder.decode(line) for line in content.splitlines()) == REPORTS
    assert sha256(content).hexdigest() == GOLDEN.read_text(encoding="utf-8").strip()


def test_another_process_with_another_hash_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    target = tmp_path / "again.jsonl"
    code = (
        "import sys; from pathlib import Path; from streams.scenarios.render import write;"
        "write(sys.argv[1], Path(sys.argv[2]))"
    )
    environment = {"PYTHONHASHSEED": "12345", "PYTHONPATH": str(CHECKOUT)}
    subprocess.run(
        [sys.executable, "-c", code, NAME, str(target)], check=True, cwd=CHECKOUT, env=environment
    )
    assert sha256(target.read_bytes()).hexdigest() == GOLDEN.read_text(encoding="utf-8").strip()


def test_languages_have_their_shares() -> None:
    counts = Counter(r.language for r in REPORTS)
    assert set(counts) == set(LANGUAGES)
    assert 0.82 <= counts["en"] / len(REPORTS) <= 0.88
    told = {t.incident: set() for _, t, _ in TOLD}
    for report, true, _ in TOLD:
        told[true.incident].add(report.language)
    only_other = sum("en" not in found for found in told.values())
    assert 0.04 <= only_other / len(told) <= 0.07


def test_the_silent_outlet_has_no_report_in_its_outage_and_many_around_it() -> None:
    silent = [o for o in outlets(NAME) if o.outage]
    assert [o.source for o in silent] == ["oxus-dispatch"]
    first, last = silent[0].outage or (date.max, date.min)
    assert (first, last) == (date(2020, 4, 10), date(2020, 4, 19))
    days = [
        day.date()
        for r in REPORTS
        if r.source == "oxus-dispatch"
        for day in (r.seen_at, r.published_at)
        if day is not None
    ]
    assert not [day for day in days if first <= day <= last]
    assert min(days) < first < last < max(days)


def test_nothing_of_the_outage_is_filled_in_afterwards() -> None:
    """What the outlet says of an incident never rests on a first report that was lost."""
    firsts = {(t.incident, r.source) for r, t, _ in TOLD if t.kind == "first"}
    for report, true, fact in TOLD:
        if report.source == "oxus-dispatch" and true.kind == "revision":
            own = (true.incident, report.source) in firsts
            others = any(i == true.incident for i, _ in firsts)
            assert own or others, fact


def test_the_dominant_outlet_carries_about_two_thirds_of_the_north() -> None:
    sources = Counter(r.source for r, _, f in TOLD if f.admin1 in NORTH)
    assert 0.6 <= sources["oxus-dispatch"] / sum(sources.values()) <= 0.7


def test_first_reports_come_with_realistic_delays() -> None:
    first: dict[int, int] = {}
    for report, _, fact in TOLD:
        first.setdefault(fact.incident, (report.seen_at.date() - fact.day_start).days)
    delays = sorted(first.values())
    assert len(delays) >= 0.98 * len(FACTS)
    assert delays[0] >= 0
    assert delays[len(delays) // 2] == 1
    assert 2 <= delays[int(len(delays) * 0.9)] <= 3


def test_the_date_of_publication_is_the_same_in_kabul_and_islamabad() -> None:
    for report in REPORTS:
        assert report.published_at is not None
        local = report.published_at.astimezone(UTC) + timedelta(hours=5)
        assert local.date() == report.published_at.date()


def test_a_reprint_is_nearly_its_original_and_of_another_family() -> None:
    originals: dict[int, list[Report]] = {}
    for report, true, fact in TOLD:
        if true.kind == "reprint":
            known = originals.get(fact.incident, [])
            assert any(_overlap(report.text, o.text) > 0.8 for o in known), report
            assert all(o.publisher != report.publisher for o in known if _same(o, report))
        else:
            originals.setdefault(fact.incident, []).append(report)


def _same(one: Report, two: Report) -> bool:
    return _overlap(one.text, two.text) > 0.8


def _overlap(reprint: str, original: str) -> float:
    one, two = set(reprint.split()), set(original.split())
    return len(one & two) / len(one)


TODAY = {"en": "today", "fa": "امروز", "ps": "نن", "ur": "آج"}
YESTERDAY = {"en": "yesterday", "fa": "دیروز", "ps": "پرون", "ur": "گزشتہ روز"}
#: A weekday after these words is the day on which something was said, not done.
SAID = re.compile(r"(?:said on|statement on) $")


def _days(report: Report) -> list[date]:
    """Resolve every day phrase in the text relative to its publication."""
    assert report.published_at is not None
    code = report.language or "en"
    words, published = language(code).words, report.published_at.date()
    text = report.text.translate({ord(w): str(n) for n, w in enumerate(words.digits)})
    found = [published] * len(re.findall(rf"(?i)\b{TODAY[code]}\b", text))
    found += [published - timedelta(days=1)] * len(re.findall(rf"(?i)\b{YESTERDAY[code]}\b", text))
    named = "|".join(sorted(map(re.escape, words.weekdays), key=len, reverse=True))
    for match in re.finditer(rf"(?<![\w\u200c])(?:{named})(?!\w)", text):
        if not SAID.search(text[: match.start()]):
            back = (published.weekday() - words.weekdays.index(match[0])) % 7
            found.append(published - timedelta(days=back))
    months = "|".join(words.months)
    forms = [rf"(?P<d>\d+) (?P<m>{months})\b", rf"\b(?P<m>{months}) (?P<d>\d+)\b"]
    forms.append(rf"د (?P<m>{months}) په (?P<d>\d+)مه")
    for form in forms:
        for match in re.finditer(form, text):
            found.append(date(2020, words.months.index(match["m"]) + 1, int(match["d"])))
    return found


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_day_phrase_is_a_day_of_the_incident(code: str) -> None:
    for report, true, fact in TOLD:
        if report.language != code:
            continue
        days = _days(report)
        if (fact.day_end - fact.day_start).days <= 2:
            assert days, report
        assert all(fact.day_start <= day <= fact.day_end for day in days), (report, true, fact)


@pytest.mark.parametrize("mark", ["{", "}", " ,", "..", ",.", ",,", "  ", "None", "a a ", " a an "])
def test_no_text_shows_a_seam_of_its_template(mark: str) -> None:
    for report in REPORTS:
        assert mark not in report.title, report
        assert mark not in report.text, report


def test_texts_have_one_to_four_sentences_and_differ() -> None:
    for report in REPORTS:
        sentences = re.findall(r"[.۔](?= |$)", report.text)
        assert 1 <= len(sentences) <= 4, report
    english = [r.text for r, t, _ in TOLD if r.language == "en" and t.kind == "first"]
    assert len(set(english)) > 0.99 * len(english)


def test_an_unknown_scenario_is_an_error() -> None:
    with pytest.raises(KeyError):
        list(render("nowhere-1999"))
    assert set(SCENARIOS) == {NAME}


def test_weights_of_nothing_are_an_error() -> None:
    with pytest.raises(IndexError):
        weighted({}, Random(1))
