"""Rules, routes and runbook: valid, tested, and without a loose end between them."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_type_hints

import promql_parser
import pytest
import yaml

from streams.metrics import Metrics

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
RULES = DEPLOY / "prometheus" / "rules.yml"
ROUTES = DEPLOY / "alertmanager" / "alertmanager.yml"
GROUPS = yaml.safe_load(RULES.read_text())["groups"]
ALERTS = [rule for group in GROUPS for rule in group["rules"] if "alert" in rule]
RECORDED = {rule["record"] for group in GROUPS for rule in group["rules"] if "record" in rule}
EVERY = [(rule.get("alert") or rule["record"], rule) for g in GROUPS for rule in g["rules"]]
OF_PROMETHEUS = {"up", "scrape_samples_post_metric_relabeling"}


def anchors() -> set[str]:
    """The anchors of the runbook's headings, made as renderers of Markdown make them."""
    headings = re.findall(r"^#+ (.+)$", (DEPLOY / "RUNBOOK.md").read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}


def test_promtool_accepts_the_rules_and_the_configuration(run: Callable[..., str]) -> None:
    run("promtool", "check", "rules", RULES)
    run("promtool", "check", "config", RULES.with_name("prometheus.yml"))


def test_the_rules_do_what_their_cases_say(run: Callable[..., str]) -> None:
    run("promtool", "test", "rules", RULES.with_name("rules_test.yml"))


@pytest.mark.parametrize("rule", ALERTS, ids=lambda r: f"{r['alert']} {r['labels']['severity']}")
def test_an_alert_is_complete(rule: dict[str, Any]) -> None:
    assert {"for", "keep_firing_for"} <= set(rule)
    assert rule["labels"]["severity"] in {"none", "info", "watch", "warning", "critical"}
    assert rule["labels"]["audience"] in {"operator", "analyst"}
    notes = rule["annotations"]
    assert notes["summary"].endswith(".")
    assert notes["description"].endswith(".")
    page, _, anchor = notes["runbook_url"].partition("#")
    assert (DEPLOY.parent / page).samefile(DEPLOY / "RUNBOOK.md")
    assert anchor == rule["alert"].lower()
    assert anchor in anchors()


def test_the_runbook_has_no_section_without_an_alert_and_no_loose_link() -> None:
    assert anchors() - {"runbook"} == {rule["alert"].lower() for rule in ALERTS}
    linked = set(re.findall(r"\]\(#([^)]+)\)", (DEPLOY / "RUNBOOK.md").read_text()))
    assert linked <= anchors()


def test_every_section_of_the_runbook_says_what_to_do() -> None:
    sections = (DEPLOY / "RUNBOOK.md").read_text().split("\n## ")[1:]
    for section in sections:
        for part in ("**Means.**", "**Look at.**", "**Do.**"):
            assert part in section, section.splitlines()[0]


def test_every_alert_has_a_case_in_which_it_fires() -> None:
    cases = RULES.with_name("rules_test.yml").read_text()
    untested = {rule["alert"] for rule in ALERTS if rule["alert"] not in cases}
    assert untested <= {"TocsinSourceDark", "TocsinUnitDark"}  # by their common ending
    assert 'alertname=~".*Dark"' in cases


@pytest.mark.parametrize("rule", [rule for _, rule in EVERY], ids=[name for name, _ in EVERY])
def test_a_rule_names_metrics_that_exist(rule: dict[str, Any]) -> None:
    hints = get_type_hints(Metrics, include_extras=True)
    known = {hint.__metadata__[0].name for hint in hints.values()} | RECORDED | OF_PROMETHEUS
    used: set[str] = set()

    def visit(node: Any) -> bool:
        if isinstance(node, promql_parser.VectorSelector) and node.name:
            used.add(node.name)
        return True

    promql_parser.walk(promql_parser.parse(rule["expr"]), visit)
    assert {re.sub(r"_bucket$", "", name) for name in used} <= known


def test_amtool_accepts_the_routes(run: Callable[..., str]) -> None:
    run("amtool", "check-config", ROUTES)


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        pytest.param(
            {"alertname": "TocsinWatchdog", "audience": "operator", "severity": "none"},
            "watchdog", id="the watchdog goes its own way",
        ),
        pytest.param(
            {"alertname": "TocsinInstability", "audience": "analyst", "severity": "critical",
             "country": "AFG", "unit": "AF-KAB"}, "analyst",
            id="an analyst alert goes to the analysts, also when it is critical",
        ),
        pytest.param(
            {"alertname": "TocsinWorkerAbsent", "audience": "operator", "severity": "critical"},
            "operator", id="a critical operator alert goes to the operator",
        ),
        pytest.param({"alertname": "New"}, "operator", id="an unknown one goes to the operator"),
    ],
)  # fmt: skip
def test_an_alert_finds_its_receiver(
    run: Callable[..., str], labels: dict[str, str], receiver: str
) -> None:
    pairs = [f"{name}={value}" for name, value in labels.items()]
    wanted = f"--verify.receivers={receiver}"
    run("amtool", "config", "routes", "test", f"--config.file={ROUTES}", wanted, *pairs)


def test_receivers_stay_on_loopback_until_an_operator_names_them() -> None:
    for receiver in yaml.safe_load(ROUTES.read_text())["receivers"]:
        for webhook in receiver["webhook_configs"]:
            assert webhook["url"].startswith("http://127.0.0.1:")


class TestAlertmanager:
    """What a real Alertmanager hides, and what it must not."""

    KABUL = ("country=AFG", "unit=AF-KAB", "signal=S1", "audience=analyst")

    def shown(
        self, run: Callable[..., str], start: Any, tmp: Path, *alerts: Any, expected: int
    ) -> list[Any]:
        server = start(
            "prometheus-alertmanager", f"--config.file={ROUTES}", f"--storage.path={tmp}",
            "--cluster.listen-address=",
        )  # fmt: skip
        url = f"--alertmanager.url={server.url}"
        for labels in alerts:
            run("amtool", url, "alert", "add", *labels)
        # The inhibitor takes alerts in by and by: ask until no more are hidden than should be.
        active: list[Any] = []
        for _ in range(200):
            active = json.loads(run("amtool", url, "-o", "json", "alert", "query"))
            if len(active) == expected:
                break
            try:
                server.process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
        return [each["labels"] for each in active]

    def test_the_highest_severity_hides_the_lower_ones_of_its_own_signal_and_unit(
        self, run: Callable[..., str], start: Any, tmp_path: Path
    ) -> None:
        name = "alertname=TocsinInstability"
        active = self.shown(
            run, start, tmp_path,
            (name, "severity=watch", "direction=rise", *self.KABUL),
            (name, "severity=warning", "direction=rise", *self.KABUL),
            (name, "severity=critical", "direction=rise", *self.KABUL),
            (name, "severity=watch", "direction=fall", *self.KABUL),
            ("alertname=TocsinInstabilityUnconfirmed", "severity=info", "direction=rise",
             *self.KABUL), expected=3,
        )  # fmt: skip
        seen = {(each["alertname"], each["severity"], each["direction"]) for each in active}
        assert seen == {
            ("TocsinInstability", "critical", "rise"),
            ("TocsinInstability", "watch", "fall"),
            ("TocsinInstabilityUnconfirmed", "info", "rise"),
        }

    def test_no_operator_alert_hides_an_analyst_alert(
        self, run: Callable[..., str], start: Any, tmp_path: Path
    ) -> None:
        operator = ("audience=operator", "severity=critical")
        active = self.shown(
            run, start, tmp_path,
            ("alertname=TocsinWorkerAbsent", *operator),
            ("alertname=TocsinWorkerDown", "instance=a", *operator),
            ("alertname=TocsinCountryDark", "country=AFG", *operator),
            ("alertname=TocsinUnitDark", "country=AFG", "unit=AF-KAB", "severity=warning",
             "audience=operator"),
            ("alertname=TocsinUnitDark", "country=PAK", "unit=PK-SD", "severity=warning",
             "audience=operator"),
            ("alertname=TocsinInstability", "severity=watch", "direction=rise", *self.KABUL),
            expected=4,
        )  # fmt: skip
        seen = sorted((each["alertname"], each.get("unit", "")) for each in active)
        assert seen == [
            ("TocsinCountryDark", ""), ("TocsinInstability", "AF-KAB"),
            ("TocsinUnitDark", "PK-SD"), ("TocsinWorkerAbsent", ""),
        ]  # fmt: skip
