"""Hypothesis strategies for any struct, read from its types and bounds."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec import inspect

_NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)


def records(type_: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    """Return a strategy for a struct type: every field filled, within its bounds."""
    return _struct(inspect.type_info(type_))


def _struct(info: Any) -> st.SearchStrategy[Any]:
    fields = {field.name: _of(field.type) for field in info.fields}
    return st.builds(info.cls, **fields)


def _of(info: Any) -> st.SearchStrategy[Any]:
    if isinstance(info, inspect.Metadata):
        return _of(info.type)
    if isinstance(info, inspect.UnionType):
        return st.one_of([_of(each) for each in info.types])
    if isinstance(info, inspect.VarTupleType):
        return st.lists(_of(info.item_type), max_size=3).map(tuple)
    if isinstance(info, inspect.DictType):
        return st.dictionaries(_of(info.key_type), _of(info.value_type), max_size=3)
    if isinstance(info, inspect.StructType):
        return _struct(info)
    return _plain(info)


def _plain(info: Any) -> st.SearchStrategy[Any]:
    match info:
        case inspect.NoneType():
            return st.none()
        case inspect.BoolType():
            return st.booleans()
        case inspect.LiteralType(values=values):
            return st.sampled_from(values)
        case inspect.StrType(pattern=str(pattern)):
            return st.from_regex(pattern, fullmatch=True)
        case inspect.StrType(min_length=least):
            return _NAMES.filter(lambda text: len(text) >= (least or 0))
        case inspect.IntType(ge=least, le=most):
            return st.integers(
                -1_000_000 if least is None else least, 10**9 if most is None else most
            )
        case inspect.FloatType(ge=least, gt=above, le=most):
            low, strictly = (above, True) if above is not None else (least, False)
            return st.floats(low, most, exclude_min=strictly, allow_nan=False, allow_infinity=False)
        case inspect.DateTimeType():
            return st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - the strategy adds the zone
        case inspect.DateType():
            return st.dates(date(1970, 1, 1), date(2100, 1, 1))
    raise NotImplementedError(f"no strategy for {info}")
