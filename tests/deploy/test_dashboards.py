"""The boards: Grafana fails silently on a bad one, so everything around it is checked here."""

import json
import math
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints

import promql_parser
import pytest
import yaml

from detectors.world.units import UNITS, inside
from streams.metrics import Metrics

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
BOARDS = {
    path.stem: json.loads(path.read_text())
    for path in sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))
}
#: What Grafana puts in; a board's own variables are taken at "All".
BUILT_IN = {"__rate_interval": "5m"}
SUFFIXES = re.compile(r"_(bucket|sum|count)$")
#: Written by Prometheus itself, out of our rules.
OF_PROMETHEUS = {"ALERTS"}


class Target(NamedTuple):
    board: str
    panel: str
    expr: str


def targets() -> Iterator[Target]:
    for name, board in BOARDS.items():
        for panel in board["panels"]:
            for target in panel.get("targets", []):
                yield Target(name, panel["title"], target["expr"])


def variables(board: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["allValue"] for each in board["templating"].get("list", [])}


def substituted(target: Target) -> str:
    """The expression as Grafana sends it; an undeclared variable is an error."""
    values = BUILT_IN | variables(BOARDS[target.board])
    return re.sub(r"\$\{?(\w+)\}?", lambda found: values[found[1]], target.expr)


def names(expr: str) -> set[str]:
    found: set[str] = set()

    def visit(node: Any) -> bool:
        if isinstance(node, promql_parser.VectorSelector) and node.name:
            found.add(node.name)
        return True

    promql_parser.walk(promql_parser.parse(expr), visit)
    return found


ALL = list(targets())
IDS = [f"{each.board}, {each.panel}: {each.expr[:50]}" for each in ALL]
SHOWN = {
    (name, panel["title"]): panel for name, board in BOARDS.items() for panel in board["panels"]
}


def test_the_committed_boards_are_what_the_code_makes() -> None:
    script = [sys.executable, str(DEPLOY / "dashboards.py"), "--check"]
    done = subprocess.run(script, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"run python deploy/dashboards.py: {done.stdout}{done.stderr}"


def test_there_are_two_boards_of_different_uid() -> None:
    assert {board["uid"] for board in BOARDS.values()} == {"tocsin-analyst", "tocsin-operator"}
    assert all(len(board["uid"]) <= 40 for board in BOARDS.values())


@pytest.mark.parametrize("name", BOARDS)
def test_panels_are_numbered_once_and_lie_in_the_grid_without_overlap(name: str) -> None:
    panels = BOARDS[name]["panels"]
    assert max(Counter(panel["id"] for panel in panels).values()) == 1
    places = [panel["gridPos"] for panel in panels]
    assert all(at["x"] >= 0 and at["w"] > 0 and at["x"] + at["w"] <= 24 for at in places)
    for one, other in combinations(places, 2):
        apart = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert apart or above, (one, other)


@pytest.mark.parametrize("key", SHOWN, ids=lambda key: ": ".join(key))
def test_a_panel_says_what_it_shows_and_in_which_unit(key: tuple[str, str]) -> None:
    panel = SHOWN[key]
    assert panel["title"]
    assert panel["description"].endswith(".")
    if panel["type"] != "text":
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["targets"]


def test_titles_differ_within_a_board() -> None:
    assert len(SHOWN) == sum(len(board["panels"]) for board in BOARDS.values())


@pytest.mark.parametrize("name", BOARDS)
def test_a_board_reads_the_provisioned_source_only(name: str) -> None:
    provisioned = yaml.safe_load(
        (DEPLOY / "grafana/provisioning/datasources/prometheus.yaml").read_text()
    )
    uids = {each["uid"] for each in provisioned["datasources"]}
    used = set(re.findall(r'"datasource": \{[^}]*"uid": "([^"]+)"', json.dumps(BOARDS[name])))
    assert used == uids


@pytest.mark.parametrize("target", ALL, ids=IDS)
def test_an_expression_parses_and_names_metrics_that_exist(target: Target) -> None:
    hints = get_type_hints(Metrics, include_extras=True)
    known = {hint.__metadata__[0].name for hint in hints.values()} | OF_PROMETHEUS
    used = names(substituted(target))
    assert used
    assert {SUFFIXES.sub("", name) for name in used} <= known


@pytest.mark.parametrize("target", ALL, ids=IDS)
def test_an_expression_returns_data_on_a_real_prometheus(
    target: Target, recorded: tuple[Any, int]
) -> None:
    server, end = recorded
    reply = server.get("/api/v1/query", query=substituted(target), time=str(end))
    values = [float(row["value"][1]) for row in reply["data"]["result"]]
    assert any(math.isfinite(value) for value in values), reply


def test_the_variables_find_the_units_on_a_real_prometheus(recorded: tuple[Any, int]) -> None:
    server, _ = recorded
    whole = 'tocsin_unit_data_state{kind="country"}'
    for label, wanted, count in (
        ("kind", "tocsin_unit_data_state", 5),
        ("country", whole, 2),
        ("unit", "tocsin_unit_data_state", len(UNITS)),
        # A country's provinces, borders and relations, and the groups that are registered there.
        ("unit", 'tocsin_unit_data_state{country=~".*(AFG).*",kind!="actor"}', len(inside("AFG"))),
    ):
        found = server.get(f"/api/v1/label/{label}/values", **{"match[]": wanted})
        assert len(found["data"]) == count, wanted


def test_the_index_is_shown_by_unit_on_a_real_prometheus(recorded: tuple[Any, int]) -> None:
    server, end = recorded
    panel = SHOWN["tocsin-analyst", "Instability index"]
    assert panel["fieldConfig"]["defaults"]["unit"] == "percentunit"
    target = Target("tocsin-analyst", panel["title"], panel["targets"][0]["expr"])
    reply = server.get("/api/v1/query", query=substituted(target), time=str(end))
    units = {row["metric"]["unit"] for row in reply["data"]["result"]}
    assert units == {code for code, unit in UNITS.items() if unit.is_area}


def test_every_metric_is_on_a_board() -> None:
    hints = get_type_hints(Metrics, include_extras=True)
    known = {hint.__metadata__[0].name for hint in hints.values()}
    shown = {SUFFIXES.sub("", name) for target in ALL for name in names(substituted(target))}
    assert known <= shown
