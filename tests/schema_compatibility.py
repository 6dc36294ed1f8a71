"""Whether a newer JSON Schema still reads everything that was written under an older one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

Schema = dict[str, Any]
_LOWER: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_SAME: Final = ("pattern", "format", "additionalProperties")


def breaks(old: Schema, new: Schema) -> list[str]:
    """Return what in `new` would refuse a value that `old` accepts; empty if nothing does.

    Made for the schemas that msgspec writes: objects without unknown fields, `$defs` by name.
    """
    return list(_breaks(old, new, _Defs(old, new), "$"))


class _Defs:
    def __init__(self, old: Schema, new: Schema) -> None:
        self.old = old.get("$defs", {})
        self.new = new.get("$defs", {})
        self.compared: set[tuple[str, str]] = set()


def _breaks(old: Schema, new: Schema, defs: _Defs, at: str) -> Iterator[str]:
    if "$ref" in old and "$ref" in new:
        names = old["$ref"].rpartition("/")[2], new["$ref"].rpartition("/")[2]
        if names in defs.compared:
            return
        defs.compared.add(names)
        at = names[0]
    old, new = _resolved(old, defs.old), _resolved(new, defs.new)
    old_kinds, new_kinds = old.get("anyOf", [old]), new.get("anyOf", [new])
    if len(old_kinds) == 1 and len(new_kinds) == 1:
        yield from _plain(old_kinds[0], new_kinds[0], defs, at)
        return
    for kind in old_kinds:
        found = [list(_breaks(kind, other, defs, at)) for other in new_kinds]
        if all(found):
            yield f"{at}: {_name(kind)} is no longer accepted"


def _resolved(schema: Schema, defs: dict[str, Schema]) -> Schema:
    return defs[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def _name(schema: Schema) -> str:
    return str(schema.get("$ref") or schema.get("type") or schema.get("enum"))


def _plain(old: Schema, new: Schema, defs: _Defs, at: str) -> Iterator[str]:
    if "enum" in new or "const" in new:
        accepted = new.get("enum", [new.get("const")])
        written = old.get("enum", [old["const"]] if "const" in old else None)
        gone = (
            ["all but some values"]
            if written is None
            else [v for v in written if v not in accepted]
        )
        yield from (f"{at}: {value!r} is no longer accepted" for value in gone)
        return
    if "type" in new and not _widens(old, new["type"]):
        yield f"{at}: was {old.get('type')}, is {new['type']}"
        return
    yield from _bounds(old, new, at)
    if "properties" in old or "properties" in new:
        yield from _object(old, new, defs, at)
    if isinstance(old.get("items"), dict) and isinstance(new.get("items"), dict):
        yield from _breaks(old["items"], new["items"], defs, f"{at}[]")


def _widens(old: Schema, new: object) -> bool:
    kind = "string" if "enum" in old else old.get("type")
    return kind == new or (kind, new) == ("integer", "number")


def _bounds(old: Schema, new: Schema, at: str) -> Iterator[str]:
    written = old.get("enum", [old["const"]] if "const" in old else ())
    if written and all(isinstance(value, str) for value in written):
        longest = new.get("maxLength", float("inf"))
        lengths = [len(value) for value in written]
        if new.get("minLength", 0) <= min(lengths) and max(lengths) <= longest:
            return  # any text of such a length is accepted now
    for key in _LOWER:
        if key in new and new[key] > old.get(key, float("-inf")):
            yield f"{at}: {key} was {old.get(key)}, is {new[key]}"
    for key in _UPPER:
        if key in new and new[key] < old.get(key, float("inf")):
            yield f"{at}: {key} was {old.get(key)}, is {new[key]}"
    for key in _SAME:
        if key in new and new[key] != old.get(key) and new[key] is not True:
            yield f"{at}: {key} was {old.get(key)}, is {new[key]}"


def _object(old: Schema, new: Schema, defs: _Defs, at: str) -> Iterator[str]:
    before, after = old.get("properties", {}), new.get("properties", {})
    for name in before:
        if name in after:
            yield from _breaks(before[name], after[name], defs, f"{at}.{name}")
        else:
            yield f"{at}.{name}: removed"
    for name in sorted(set(new.get("required", ())) - set(old.get("required", ()))):
        yield f"{at}.{name}: now required"
