"""The commands that need no store and no broker."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
import typer

from detectors.records import Report
from detectors.signals import SIGNALS
from streams import topics
from streams.cli import app
from streams.codecs import TYPES, schema
from streams.commands import base
from streams.commands.settings import markdown, mask_url, rows
from streams.settings import Settings, load
from tests.filled_store import answer, tocsin

SECRETS = """
[kafka]
bootstrap = "broker:9092"
password = "hunter2"

[worker]
store = "postgresql://tocsin:hunter2@db/tocsin?sslkey=hunter2"

[[delivery.webhooks]]
name = "desk"
url = "https://hooks.example/T0/hunter2?k=hunter2"
secret = "whsec_hunter2"

[[sources]]
kind = "rss"
name = "wire"
url = "https://me:hunter2@feeds.example/rss?key=hunter2"
"""


def commands(group: Any, *names: str) -> list[tuple[str, ...]]:
    """The names of every command below a group."""
    if not hasattr(group, "commands"):
        return [names]
    return [path for name, each in group.commands.items() for path in commands(each, *names, name)]


@pytest.mark.parametrize("path", commands(typer.main.get_command(app)), ids=" ".join)
def test_every_help_teaches_by_example_and_tells_the_exit_codes(path: tuple[str, ...]) -> None:
    found = tocsin(*path, "--help")
    assert found.exit_code == 0
    assert "Examples" in found.stdout
    assert f"tocsin {path[0]}" in found.stdout or "tocsin --settings" in found.stdout
    assert "Exit codes" in found.stdout


# Settings


@pytest.mark.parametrize("options", [(), ("--json",)], ids=["in words", "as JSON"])
def test_no_secret_is_shown(options: tuple[str, ...], tmp_path: Path) -> None:
    file = tmp_path / "tocsin.toml"
    file.write_text(SECRETS)
    found = tocsin("--settings", str(file), "settings", "show", *options)
    assert found.exit_code == 0, found.stderr
    assert "broker:9092" in found.stdout
    assert "hooks.example" in found.stdout
    assert "hunter2" not in found.stdout


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:////data/store.sqlite", "sqlite:////data/store.sqlite"),
        ("sqlite:///store.sqlite", "sqlite:///store.sqlite"),
        ("postgresql://tocsin@db/tocsin", "postgresql://tocsin@db/tocsin"),
        ("https://feeds.example/rss", "https://feeds.example/rss"),
        ("http://[", "***"),
    ],
)
def test_a_url_without_secrets_is_shown_as_it_is(url: str, shown: str) -> None:
    assert mask_url(url) == shown


def test_a_wrong_setting_ends_with_one_line_that_names_it(tmp_path: Path) -> None:
    file = tmp_path / "tocsin.toml"
    file.write_text("[kafka]\npartition = 3\n")
    found = tocsin("--settings", str(file), "settings", "show")
    assert found.exit_code == 2
    assert "kafka.partition" in found.stderr
    assert found.stderr.count("\n") == 1


def test_the_table_has_every_setting_with_its_meaning() -> None:
    names = {row.name for row in rows()}
    for section, content in Settings().model_dump().items():
        if isinstance(content, dict):
            assert {f"{section}.{key}" for key in content} <= names
        else:
            assert section in names
    assert all(row.meaning for row in rows())
    assert markdown().count("\n") == len(list(rows())) + 2
    assert tocsin("settings", "table").stdout == markdown()
    assert [row["name"] for row in answer("settings", "table")] == [row.name for row in rows()]


@pytest.mark.parametrize(
    "row",
    [row for row in rows() if row.variable and row.default not in ("", "required")],
    ids=lambda row: row.variable,
)
def test_a_variable_of_the_table_sets_its_default(row: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv(row.variable, row.default)
    section, _, key = row.name.partition(".")
    held = getattr(load(), section)
    assert key in held.model_fields_set
    assert getattr(held, key) == getattr(getattr(Settings(), section), key)


# Signals, schemas, scenarios, topics


def test_signals_are_listed_and_explained_from_their_own_files() -> None:
    assert [each["name"] for each in answer("signals", "list")] == ["S0", *SIGNALS]
    told = tocsin("signals", "explain", "violence surge").stdout
    assert "S1 version" in told
    assert "PLOVER ASSAULT" in told
    assert "sum" in tocsin("signals", "explain", "S0").stdout


def test_schemas_are_those_of_the_codecs(tmp_path: Path) -> None:
    every = json.loads(tocsin("schema").stdout)
    assert len(every) == len(TYPES)
    report = json.loads(msgspec.json.encode(schema(Report)))
    assert json.loads(tocsin("schema", "Report").stdout) == report == every["report.v1"]
    found = tocsin("schema", "--out", str(tmp_path / "schemas"))
    assert found.exit_code == 0
    written = sorted((tmp_path / "schemas").iterdir())
    assert [path.name for path in written] == sorted(f"{tag}.schema.json" for tag in every)
    assert (
        json.loads(written[0].read_bytes()) == every[written[0].name.removesuffix(".schema.json")]
    )


def test_a_scenario_is_written_once(tmp_path: Path) -> None:
    file = tmp_path / "reports.jsonl"
    assert [each["name"] for each in answer("scenario", "list")] == ["doha-2020"]
    found = tocsin("scenario", "write", "doha-2020", str(file))
    assert found.exit_code == 0
    lines = file.read_bytes().splitlines()
    assert f"{len(lines)} reports" in found.stdout
    assert msgspec.json.decode(lines[0], type=Report)
    again = tocsin("scenario", "write", "doha-2020", str(file))
    assert again.exit_code == 2
    assert "--force" in again.stderr
    assert tocsin("scenario", "write", "doha-2020", str(file), "--force").exit_code == 0


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        (("signals", "explain", "S77"), 1, "did you mean S7"),
        (("schema", "Comand"), 1, "did you mean Command"),
        (("scenario", "write", "doha", "x.jsonl"), 1, "doha-2020"),
        (("topics", "diff"), 2, "TOCSIN_KAFKA_BOOTSTRAP"),
        (("dead-letters", "show", "first"), 2, "PARTITION:OFFSET"),
        (("dead-letters", "show", "0:0", "--raw", "--json"), 2, "exclude each other"),
        (("dead-letters", "list", "--reason", "broken"), 2, "did you mean broken_json"),
        (("dead-letters", "replay"), 2, "say which"),
        (("dead-letters", "replay", "0:1", "--all"), 2, "say which"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_what_cannot_be_done_ends_with_one_line_and_its_mend(
    command: tuple[str, ...], code: int, words: str
) -> None:
    found = tocsin(*command)
    assert found.exit_code == code
    assert words in found.stderr
    assert found.stderr.count("\n") == 1
    assert not found.stdout


def test_topics_are_listed_under_the_prefix_of_the_settings() -> None:
    assert answer("topics", "list", TOCSIN_KAFKA_PREFIX="x") == topics.listing("x")
    assert "tocsin.dead-letters.v1" in tocsin("topics", "list").stdout


# Errors


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (base.Problem("no"), 2, "no"),
        (base.Problem("none", base.NOTHING), 1, "none"),
        (FileNotFoundError(2, "No such file", "x"), 2, "No such file: x"),
    ],
    ids=["wrong usage", "nothing found", "a file that is not there"],
)
def test_an_expected_error_is_one_line(error: Exception, code: int, words: str) -> None:
    assert _run(error) == (code, f"Error: {words}\n")


def test_a_fault_of_ours_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        base.plain_errors(lambda: 1 / 0)()  # type: ignore[arg-type]


def _run(error: Exception) -> tuple[int, str]:
    program = typer.Typer()

    @program.command()
    @base.plain_errors
    def fail() -> None:
        raise error

    found = typer.testing.CliRunner().invoke(program, [])
    return found.exit_code, found.stderr
