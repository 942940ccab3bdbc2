"""What messages may hold, as hypothesis makes it up: in the proto3 JSON mapping, for any protobuf class."""

from __future__ import annotations

import base64
from datetime import datetime
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from hypothesis import strategies as st

DEEPEST = 6
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
TIMES = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)).map(lambda time: f"{time.isoformat()}Z")  # noqa: DTZ001
SCALARS = {
    FieldDescriptor.CPPTYPE_INT32: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_UINT32: st.integers(0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: st.integers(0, 2**64 - 1).map(str),
    FieldDescriptor.CPPTYPE_BOOL: st.booleans(),
    FieldDescriptor.CPPTYPE_DOUBLE: st.floats(allow_nan=False, allow_infinity=False),
    FieldDescriptor.CPPTYPE_STRING: TEXT,
}
BYTES = st.binary(max_size=12).map(lambda raw: base64.b64encode(raw).decode())


@cache
def contents(kind: Descriptor, depth: int = DEEPEST) -> st.SearchStrategy[dict[str, Any]]:
    """A message of this kind, with at most one member of each oneof."""
    fields = [field for field in kind.fields if depth or field.message_type is None]
    plain = {field.json_name: _value(field, depth) for field in fields if field.containing_oneof is None}
    members = [{field.json_name: _value(field, depth)} for field in fields if field.containing_oneof is not None]
    chosen = st.one_of(st.just({}), *map(st.fixed_dictionaries, members))
    return st.builds(lambda some, one: {**some, **one}, st.fixed_dictionaries({}, optional=plain), chosen)


def _value(field: FieldDescriptor, depth: int) -> st.SearchStrategy[Any]:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return st.dictionaries(TEXT, _single(field.message_type.fields_by_name["value"], depth), max_size=2)
    return st.lists(_single(field, depth), max_size=2) if field.is_repeated else _single(field, depth)


def _single(field: FieldDescriptor, depth: int) -> st.SearchStrategy[Any]:
    if field.message_type is not None:
        times = field.message_type.full_name == "google.protobuf.Timestamp"
        return TIMES if times else st.deferred(lambda: contents(field.message_type, depth - 1))
    if field.enum_type is not None:
        return st.sampled_from([value.name for value in field.enum_type.values])
    return BYTES if field.type == FieldDescriptor.TYPE_BYTES else SCALARS[field.cpp_type]
