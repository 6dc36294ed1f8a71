"""Metrics: their names, their number, what silence looks like, and the server that shows them."""

import gzip
import http.client
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.parser import text_string_to_metric_families

from detectors.records import AlertState, Index, Severity, SourceHealth
from detectors.world.units import UNITS
from streams.metrics import (
    SEVERITY_LEVELS,
    Check,
    Metrics,
    Server,
    Stage,
    build_metrics,
    declare,
    serve,
    show_alerts,
    show_score,
    show_source,
)

HINTS = get_type_hints(Metrics, include_extras=True)
BUDGET = 5_000
KABUL = {"country": "AFG", "kind": "admin1", "unit": "AF-KAB"}
SUM = {"signal": "S0", "direction": "rise"}
RISE = {"signal": "S1", "direction": "rise"}
FEED = b"<feed xmlns='http://www.w3.org/2005/Atom'/>"


@pytest.mark.parametrize("short", HINTS)
def test_a_metric_follows_the_naming_of_prometheus(short: str) -> None:
    kind, spec = get_args(HINTS[short])
    assert re.fullmatch(r"tocsin_[a-z]+(_[a-z]+)*", spec.name)
    assert spec.name.endswith("_total") == (kind is Counter)
    assert bool(spec.buckets) == (kind is Histogram)
    assert list(spec.buckets) == sorted(set(spec.buckets))
    assert spec.help.endswith(".")


def test_a_registry_holds_the_metrics_once(registry: CollectorRegistry) -> None:
    build_metrics(registry)
    with pytest.raises(ValueError, match="Duplicated"):
        build_metrics(registry)


def test_two_registries_share_nothing(registry: CollectorRegistry) -> None:
    other = CollectorRegistry()
    build_metrics(registry).reports_late.inc()
    build_metrics(other)
    assert other.get_sample_value("tocsin_reports_late_total") == 0


def test_a_whole_installation_stays_within_the_series_budget(
    registry: CollectorRegistry, metrics: Metrics, records: Any
) -> None:
    _, _, fill = records
    fill(metrics, 1e9, 1, sources=60)
    series = sum(len(family.samples) for family in registry.collect())
    assert 1_000 < series <= BUDGET
    # With two signals more it still fits, were they of all units and both directions: each shows
    # alert levels, p-values in areas, and counts of revisions by state.
    areas = sum(unit.is_area for unit in UNITS.values())
    assert series + 2 * (2 * len(UNITS) + 2 * areas + 2 * len(get_args(AlertState))) <= BUDGET


class TestScore:
    @pytest.mark.parametrize(
        ("changes", "state", "p"),
        [
            pytest.param({}, "ok", 0.02, id="a scored unit shows its p-value"),
            pytest.param(
                {"coverage": "thin"}, "thin", 0.02, id="a thin unit shows its p-value, and is thin"
            ),
            pytest.param(
                {"state": "learning", "p": None}, "learning", None, id="a learning unit has none"
            ),
            pytest.param(
                {"state": "unknown", "coverage": "dark", "p": None, "observed": None,
                 "expected": None}, "dark", None, id="a dark unit has none",
            ),
            pytest.param(
                {"state": "learning", "coverage": "dark", "p": None}, "dark", None,
                id="dark weighs more than learning",
            ),
        ],
    )  # fmt: skip
    def test_what_is_unknown_has_no_sample(
        self, registry: CollectorRegistry, metrics: Metrics, records: Any, changes: Any,
        state: str, p: float | None,
    ) -> None:  # fmt: skip
        score, _, _ = records
        show_score(metrics, score())  # what was known before must not remain
        show_score(metrics, score(**changes))
        value = registry.get_sample_value
        assert value("tocsin_score_p_value_ratio", KABUL | SUM) == p
        states = {
            each: value("tocsin_unit_data_state", KABUL | {"state": each})
            for each in ("ok", "thin", "dark", "learning")
        }
        assert states == {each: float(each == state) for each in states}

    def test_a_count_that_is_not_known_is_not_zero(
        self, registry: CollectorRegistry, metrics: Metrics, records: Any
    ) -> None:
        score, _, _ = records
        show_score(metrics, score(observed=0))
        name = "tocsin_indicator_observed_incidents"
        assert registry.get_sample_value(name, KABUL) == 0
        show_score(metrics, score(observed=None, expected=None, p=None, state="unknown"))
        assert registry.get_sample_value(name, KABUL) is None

    def test_the_index_is_a_chance_while_it_is_known(
        self, registry: CollectorRegistry, metrics: Metrics, records: Any
    ) -> None:
        score, _, _ = records
        show_score(metrics, score(index=Index(0.34, 0.21, 0.49, 14, "untrained", ())))
        name = "tocsin_instability_index"
        assert registry.get_sample_value(name, KABUL) == 0.34
        show_score(metrics, score(direction="fall"))  # which never has one, and takes none away
        show_score(metrics, score(signal="S1"))
        assert registry.get_sample_value(name, KABUL) == 0.34
        show_score(metrics, score(state="unknown", coverage="dark", p=None, strength=None))
        assert registry.get_sample_value(name, KABUL) is None

    def test_evidence_is_shown_by_direction_while_it_is_known(
        self, registry: CollectorRegistry, metrics: Metrics, records: Any
    ) -> None:
        score, _, _ = records
        rise, fall = (KABUL | {"direction": way} for way in ("rise", "fall"))
        show_score(metrics, score(strength=0.0))
        show_score(metrics, score(strength=2.5, direction="fall"))
        show_score(metrics, score(signal="S1", strength=9.0))  # a part, and not the sum
        value = registry.get_sample_value
        name = "tocsin_evidence_nats"
        assert (value(name, rise), value(name, fall)) == (0.0, 2.5)
        show_score(metrics, score(state="learning", p=None, strength=None))
        assert (value(name, rise), value(name, fall)) == (None, 2.5)

    def test_a_single_signal_says_nothing_of_the_state_and_the_counts(
        self, registry: CollectorRegistry, metrics: Metrics, records: Any
    ) -> None:
        score, _, _ = records
        show_score(metrics, score(observed=7))
        silent = {"p": None, "observed": None, "expected": None, "strength": None}
        show_score(metrics, score(signal="S6", state="learning", **silent))
        show_score(metrics, score(signal="M1", direction="fall", coverage_share=0.4, **silent))
        value = registry.get_sample_value
        assert value("tocsin_indicator_observed_incidents", KABUL) == 7
        assert value("tocsin_unit_data_state", KABUL | {"state": "ok"}) == 1
        assert value("tocsin_unit_coverage_ratio", KABUL) == 0.4

    @pytest.mark.parametrize(
        ("unit", "kind", "country", "shown"),
        [
            pytest.param("AF-KAB", "admin1", "AFG", 0.02, id="a province shows each signal"),
            pytest.param("AFG", "country", "AFG", 0.02, id="and so does a country"),
            pytest.param("ttp", "actor", "PAK", None, id="a group only their sum"),
        ],
    )
    def test_p_values_of_single_signals_are_of_areas(
        self, registry: CollectorRegistry, metrics: Metrics, records: Any, unit: str, kind: str,
        country: str, shown: float | None,
    ) -> None:  # fmt: skip
        score, _, _ = records
        show_score(metrics, score(unit, signal="S1"))
        show_score(metrics, score(unit, p=0.07))
        of = {"unit": unit, "kind": kind, "country": country}
        value = registry.get_sample_value
        assert value("tocsin_score_p_value_ratio", of | RISE) == shown
        assert value("tocsin_score_p_value_ratio", of | SUM) == 0.07

    def test_a_unit_that_is_not_watched_is_an_error(self, metrics: Metrics, records: Any) -> None:
        score, _, _ = records
        with pytest.raises(KeyError, match="XX-YY"):
            show_score(metrics, score("XX-YY"))


class TestAlerts:
    def level(self, registry: CollectorRegistry, unit: str = "AF-KAB") -> float | None:
        labels = KABUL | {"unit": unit} | RISE
        return registry.get_sample_value("tocsin_alert_severity_level", labels)

    @pytest.mark.parametrize(
        ("state", "stands"),
        [
            ("open", True), ("acknowledged", True), ("frozen", True),
            ("resolved", False), ("expired", False), ("retracted", False),
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("severity", get_args(Severity))
    def test_an_alert_has_a_level_while_it_stands(
        self, registry: CollectorRegistry, metrics: Metrics, records: Any, state: str,
        stands: bool, severity: Severity,
    ) -> None:  # fmt: skip
        _, alert, _ = records
        show_alerts(metrics, [alert(state=state, severity=severity)], [])
        watched = [("AF-KAB", "S1", "rise")]
        show_alerts(metrics, [alert(state=state, severity=severity)], watched)
        assert self.level(registry) == (SEVERITY_LEVELS[severity] if stands else 0)

    def test_a_watched_unit_without_an_alert_is_at_zero_and_others_are_absent(
        self, registry: CollectorRegistry, metrics: Metrics
    ) -> None:
        assert self.level(registry) is None
        show_alerts(metrics, [], [("AF-KAB", "S1", "rise")])
        assert self.level(registry) == 0
        assert self.level(registry, "AF-HER") is None

    def test_alerts_are_counted_by_severity_and_state(
        self, registry: CollectorRegistry, metrics: Metrics, records: Any
    ) -> None:
        _, alert, _ = records
        show_alerts(metrics, [alert(), alert("PK-SD"), alert("PK-PB", state="expired")], [])
        count = registry.get_sample_value
        assert count("tocsin_alerts", {"severity": "watch", "state": "open"}) == 2
        assert count("tocsin_alerts", {"severity": "watch", "state": "expired"}) == 1
        assert count("tocsin_alerts", {"severity": "critical", "state": "open"}) == 0


def test_what_is_declared_counts_from_zero(registry: CollectorRegistry, metrics: Metrics) -> None:
    declare(metrics, stages=get_args(Stage), sources=["a"], sinks=["webhook"], reasons=["schema"])
    value = registry.get_sample_value
    assert value("tocsin_dead_letters_total", {"reason": "schema"}) == 0
    assert value("tocsin_deliveries_total", {"sink": "webhook", "status": "rejected"}) == 0
    assert value("tocsin_records_processed_total", {"stage": "detect"}) == 0


class Life:
    """What the worker would answer about itself."""

    sick: str | None = None
    unready: str | None = "recovering state"
    feed: bytes = FEED

    def broken(self) -> bytes:
        raise RuntimeError("the store is gone")


@pytest.fixture
def life() -> Life:
    return Life()


@pytest.fixture
def server(registry: CollectorRegistry, metrics: Metrics, life: Life) -> Iterator[Server]:
    healthy: Check = lambda: life.sick  # noqa: E731
    ready: Check = lambda: life.unready  # noqa: E731
    with serve(registry, healthy=healthy, ready=ready, feed=lambda: life.feed) as server:
        yield server


def ask(
    server: Server, path: str, method: str = "GET", **headers: str
) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers=named)
        reply = connection.getresponse()
        return reply, reply.read()
    finally:
        connection.close()


class TestServer:
    def test_it_shows_the_metrics_as_text(self, server: Server, metrics: Metrics) -> None:
        metrics.reports_late.inc(3)
        reply, body = ask(server, "/metrics")
        assert (reply.getheader("Content-Type") or "").startswith("text/plain")
        families = {each.name: each for each in text_string_to_metric_families(body.decode())}
        assert families["tocsin_reports_late"].samples[0].value == 3

    def test_it_shows_openmetrics_to_who_asks_and_packs_it(self, server: Server) -> None:
        accept = "application/openmetrics-text; version=1.0.0"
        reply, body = ask(server, "/metrics", Accept=accept, Accept_Encoding="gzip")
        assert (reply.getheader("Content-Type") or "").startswith("application/openmetrics-text")
        assert gzip.decompress(body).endswith(b"# EOF\n")

    def test_a_full_scrape_pleases_promtool(
        self, server: Server, metrics: Metrics, records: Any, run: Callable[..., str]
    ) -> None:
        _, _, fill = records
        fill(metrics, 1e9, 1)
        _, body = ask(server, "/metrics")
        assert run("promtool", "check", "metrics", given=body.decode()) == ""

    @pytest.mark.parametrize(
        ("path", "sick", "unready", "status", "said"),
        [
            pytest.param("/healthz", None, "no", 200, b"ok\n", id="healthy though not ready"),
            pytest.param("/healthz", "stuck", None, 503, b"stuck\n", id="not healthy, and why"),
            pytest.param("/readyz", "stuck", None, 200, b"ok\n", id="ready"),
            pytest.param("/readyz", None, "recovering", 503, b"recovering\n", id="not ready"),
            pytest.param("/", None, None, 404, b"not found\n", id="nothing else"),
        ],
    )
    def test_it_tells_how_the_worker_is(
        self, server: Server, life: Life, path: str, sick: str | None, unready: str | None,
        status: int, said: bytes,
    ) -> None:  # fmt: skip
        life.sick, life.unready = sick, unready
        reply, body = ask(server, path)
        assert (reply.status, body) == (status, said)

    def test_a_feed_that_is_known_is_not_sent_again(self, server: Server, life: Life) -> None:
        reply, body = ask(server, "/feed.atom?since=1")
        etag = reply.getheader("ETag") or ""
        assert (reply.status, body) == (200, FEED)
        assert (reply.getheader("Content-Type") or "").startswith("application/atom+xml")
        for known in (etag, f'"other", W/{etag}', "*"):
            reply, body = ask(server, "/feed.atom", If_None_Match=known)
            assert (reply.status, body, reply.getheader("ETag")) == (304, b"", etag)
        life.feed = FEED.replace(b"/>", b"></feed>")
        reply, body = ask(server, "/feed.atom", If_None_Match=etag)
        assert (reply.status, body) == (200, life.feed)

    def test_a_head_request_gets_no_body(self, server: Server) -> None:
        reply, body = ask(server, "/feed.atom", "HEAD")
        assert (reply.status, body) == (200, b"")
        assert reply.getheader("Content-Length") == str(len(FEED))

    def test_a_failure_is_told_without_its_inside(
        self, registry: CollectorRegistry, metrics: Metrics, life: Life
    ) -> None:
        with serve(registry, feed=life.broken) as server:
            reply, body = ask(server, "/feed.atom")
            assert (reply.status, body) == (500, b"internal error\n")
            assert ask(server, "/healthz")[0].status == 200

    def test_without_a_feed_there_is_none(self, registry: CollectorRegistry) -> None:
        with serve(registry) as server:
            assert ask(server, "/feed.atom")[0].status == 404

    def test_once_closed_it_listens_no_more(self, registry: CollectorRegistry) -> None:
        with serve(registry) as server:
            port = server.port
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        with pytest.raises(ConnectionRefusedError):
            connection.request("GET", "/healthz")
        with serve(registry, port=port) as again:
            assert again.port == port


def test_a_real_prometheus_scrapes_a_worker_with_the_shipped_configuration(
    registry: CollectorRegistry, metrics: Metrics, records: Any, start: Any, tmp_path: Path
) -> None:
    _, _, fill = records
    fill(metrics, 1e9, 1)
    shipped = Path(__file__).resolve().parents[2] / "deploy" / "prometheus"
    shutil.copy(shipped / "rules.yml", tmp_path)
    with serve(registry) as server:
        config = (shipped / "prometheus.yml").read_text()
        for old, new in (
            ("worker:9108", f"127.0.0.1:{server.port}"),
            ("alertmanager:9093", "127.0.0.1:1"),
            ("scrape_interval: 15s", "scrape_interval: 1s"),
            ("scrape_timeout: 10s", "scrape_timeout: 1s"),
        ):
            assert old in config
            config = config.replace(old, new)
        (tmp_path / "prometheus.yml").write_text(config)
        prometheus = start(
            "prometheus", f"--config.file={tmp_path / 'prometheus.yml'}",
            f"--storage.tsdb.path={tmp_path / 'data'}",
        )  # fmt: skip
        # The query answers with nothing until the first scrape; asking is the wait.
        found: list[Any] = []
        for _ in range(600):
            reply = prometheus.get(
                "/api/v1/query", query='scrape_samples_post_metric_relabeling{job="tocsin"}'
            )
            if found := reply["data"]["result"]:
                break
            try:
                prometheus.process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
        assert found, prometheus.log.read_text()[-2000:]
        assert 500 < float(found[0]["value"][1]) <= BUDGET
        groups = prometheus.get("/api/v1/rules")["data"]["groups"]
        assert len(groups) == 3
        up = prometheus.get("/api/v1/query", query='up{job="tocsin"}')["data"]["result"]
        assert up[0]["value"][1] == "1"


def test_a_source_is_in_one_state(registry: CollectorRegistry, metrics: Metrics) -> None:
    at = datetime(2026, 1, 10, tzinfo=UTC)
    show_source(metrics, SourceHealth("a", at, "ok", 1.0, 9, 9.0))
    show_source(metrics, SourceHealth("a", at, "dark", 0.0, 0, 9.0))
    value = registry.get_sample_value
    states = [
        value("tocsin_source_state", {"source": "a", "state": each})
        for each in ("ok", "thin", "dark")
    ]
    assert states == [0, 0, 1]
    assert value("tocsin_source_share_ratio", {"source": "a"}) == 0
