"""What the documents say is what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from detectors.budget import Budget
from detectors.monitor import Monitor
from detectors.timegrid import Grid
from streams import replay
from streams.cli import app
from streams.commands.play import split
from streams.commands.settings import markdown
from streams.commands.summary import cells, summarise
from streams.scenarios.render import facts

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_readme_has_the_settings_as_they_are() -> None:
    found = re.search(r"<!-- settings -->\n(.*)<!-- /settings -->", README, re.DOTALL)
    assert found is not None
    assert found[1] == markdown(), "put the output of `tocsin settings table` into README.md"


def test_the_readme_shows_what_the_demonstration_ends_with() -> None:
    reports, _ = split(replay.read("doha-2020"))
    revisions = list(Monitor().run(replay.timed(reports, Grid())))
    summary = summarise(
        revisions,
        facts("doha-2020"),
        Budget(),
        reports=len(reports),
        seconds=1.0,
        span=(reports[0].seen_at, reports[-1].seen_at),
    )
    table = README.partition("\nepisode ")[2].partition("```")[0].splitlines()[1:]
    assert [tuple(re.split(" {2,}", line)) for line in table] == [
        tuple(cell for cell in cells(row) if cell) for row in summary.called
    ]


def _commands(text: str) -> set[str]:
    return set(re.findall(r"^(?:\.venv/bin/)?tocsin ([a-z-]+)", text, re.MULTILINE))


@pytest.mark.parametrize("command", sorted(_commands(README)))
def test_every_command_of_the_readme_exists(command: str) -> None:
    answer = CliRunner().invoke(app, [command, "--help"])
    assert answer.exit_code == 0, answer.output


@pytest.mark.parametrize(
    "document", ["README.md", "CONTRIBUTING.md", "tests/README.md", "deploy/README.md"]
)
def test_every_make_target_named_in_a_document_exists(document: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = (ROOT / document).read_text(encoding="utf-8")
    named = set(re.findall(r"^make ([a-z-]+)|`make ([a-z-]+)", text, re.MULTILINE))
    assert {a or b for a, b in named} <= targets | {"bench"}


@pytest.mark.parametrize(
    "path",
    [str(p.relative_to(ROOT)) for p in ROOT.rglob("*.py") if ".venv" not in p.parts],
)
def test_no_file_is_too_long_to_hold_in_the_head(path: str) -> None:
    lines = len((ROOT / path).read_text(encoding="utf-8").splitlines())
    assert lines <= 460, f"{path} has {lines} lines: is it still one thing?"
