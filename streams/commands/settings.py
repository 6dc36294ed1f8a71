"""`tocsin settings`: what is set, and the table of all that can be."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from textwrap import dedent
from typing import TYPE_CHECKING, Any, Final, get_args, get_origin
from urllib.parse import urlsplit, urlunsplit

import typer
from msgspec import Struct
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from streams.commands import base

if TYPE_CHECKING:
    from streams.settings import Settings

MASK: Final = "***"


class Row(Struct, frozen=True):
    """One setting of the table."""

    name: str
    variable: str | None  # None: a key of a list's items, which only the file has
    default: str
    meaning: str


def register(app: typer.Typer) -> None:
    """Add `tocsin settings`."""
    group = typer.Typer(help="What is set, and what can be.", no_args_is_help=True)
    group.command(
        "show",
        epilog=base.epilog(
            "tocsin settings show", "TOCSIN_KAFKA_PARTITIONS=8 tocsin settings show --json"
        ),
    )(show)
    group.command(
        "table", epilog=base.epilog("tocsin settings table", "tocsin settings table --json")
    )(table)
    app.add_typer(group, name="settings")


@base.plain_errors
def show(ctx: typer.Context, json: base.Json = False) -> None:
    """Show every setting as it is now, with secrets masked, and whether it was set."""
    settings = base.open_settings(ctx)
    shown = masked(settings)
    if json:
        base.print_json(shown)
        return
    rows = []
    for section, content in shown.items():
        held = getattr(settings, section)
        if not isinstance(held, BaseModel):
            rows.append((section, _plain(content), _origin(settings, section)))
            continue
        for key, value in content.items():
            rows.append((f"{section}.{key}", _plain(value), _origin(held, key)))
    base.print_table(("setting", "value", "from"), rows)


def _origin(model: BaseModel, key: str) -> str:
    return "set" if key in model.model_fields_set else "default"


def _plain(value: Any) -> str:  # noqa: ANN401 - what JSON has
    if value is None or value == "":
        return "not set"
    if isinstance(value, list):
        return "; ".join(map(_plain, value)) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{k}={_plain(v)}" for k, v in value.items() if v not in (None, []))
    return str(value).lower() if isinstance(value, bool) else str(value)


def masked(settings: Settings) -> dict[str, Any]:
    """Return the settings as JSON values, without anything secret.

    Besides what is declared secret: passwords and queries in URLs, and the paths of webhooks,
    which for many services are the secret.
    """
    shown: dict[str, Any] = settings.model_dump(mode="json")
    if shown["kafka"]["password"] is not None:
        shown["kafka"]["password"] = MASK
    if shown["worker"]["store"] is not None:
        shown["worker"]["store"] = mask_url(shown["worker"]["store"])
    for webhook in shown["delivery"]["webhooks"]:
        webhook["secret"] = MASK
        webhook["url"] = mask_url(webhook["url"], path=True)
    for source in shown["sources"]:
        if source["url"] is not None:
            source["url"] = mask_url(source["url"])
    return shown


def mask_url(url: str, *, path: bool = False) -> str:
    """Return a URL without its password and query, and if asked without its path.

    >>> mask_url("postgresql://tocsin:secret@db/tocsin")
    'postgresql://tocsin:***@db/tocsin'
    >>> mask_url("https://hooks.example/T0/B1?k=v", path=True)
    'https://hooks.example/***?***'
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return MASK
    user, at, host = parts.netloc.rpartition("@")
    name, colon, _ = user.partition(":")
    netloc = f"{name}{colon}{MASK if colon else ''}{at}{host}"
    shown = f"/{MASK}" if path and parts.path.strip("/") else parts.path
    if not netloc and url.startswith(f"{parts.scheme}:///"):
        shown = f"//{shown}"  # SQLite's URLs have no host, and need all their slashes
    return urlunsplit((parts.scheme, netloc, shown, MASK if parts.query else "", ""))


# The table


@base.plain_errors
def table(json: base.Json = False) -> None:
    """Print the table of all settings as Markdown: name, variable, default, meaning."""
    if json:
        base.print_json(list(rows()))
    else:
        typer.echo(markdown(), nl=False)


def rows() -> Iterator[Row]:
    """Yield every setting, in the order of the settings' sections."""
    from streams.settings import Settings

    for section, field in Settings.model_fields.items():
        model = field.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            for name, inner in model.model_fields.items():
                variable = f"TOCSIN_{section}_{name}".upper()
                yield from _rows(f"{section}.{name}", variable, inner, inner.description)
        else:
            yield from _rows(section, f"TOCSIN_{section}".upper(), field, field.description)


def _rows(name: str, variable: str, field: FieldInfo, meaning: str | None) -> Iterator[Row]:
    yield Row(name, variable, _default(field), meaning or "")
    mark = "[]" if get_origin(field.annotation) is tuple else ""
    for model in get_args(field.annotation):
        if isinstance(model, type) and issubclass(model, BaseModel):
            said = _attribute_docstrings(model)
            for key, inner in model.model_fields.items():
                text = inner.description or said.get(key, "")
                yield Row(f"{name}{mark}.{key}", None, _default(inner), text)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    default = field.get_default(call_default_factory=True)
    if default is None or default in ((), ""):
        return ""
    return str(default).lower() if isinstance(default, bool) else str(default)


def _attribute_docstrings(model: type[BaseModel]) -> dict[str, str]:
    """Return the strings written below a class's attributes, by attribute."""
    (body,) = ast.parse(dedent(inspect.getsource(model))).body
    found: dict[str, str] = {}
    if isinstance(body, ast.ClassDef):
        for before, after in zip(body.body, body.body[1:], strict=False):
            is_text = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
            if (
                is_text
                and isinstance(before, ast.AnnAssign)
                and isinstance(before.target, ast.Name)
            ):
                found[before.target.id] = str(after.value.value)  # type: ignore[attr-defined]
    return found


def markdown() -> str:
    """Return the table of all settings in Markdown."""
    lines = ["| setting | environment variable | default | meaning |", "|---|---|---|---|"]
    for row in rows():
        variable = f"`{row.variable}`" if row.variable else ""
        default = row.default if row.default in ("", "required") else f"`{row.default}`"
        meaning = row.meaning.replace("|", r"\|")
        lines.append(f"| `{row.name}` | {variable} | {default} | {meaning} |")
    return "\n".join(lines) + "\n"
