"""Binary protobuf, to and from JSON: with Arcjet's own classes, with our own, and with what nobody should send."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from itertools import chain
from typing import Any

import pytest
from arcjet.proto.decide.v1alpha1 import decide_pb2 as arcjets
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st
from tests.service.wire.contents import contents

from doorward.service.messages import DecideRequest, ReportRequest, Rule
from doorward.service.server import proto_codec
from doorward.service.server.proto_codec import LONGEST, MOST_PARTS, decode, encode

REQUESTS: list[proto_codec.RequestKind] = ["DecideRequest", "ReportRequest"]
RESPONSES: list[proto_codec.ResponseKind] = ["DecideResponse", "ReportResponse"]
MODELS = {"DecideRequest": DecideRequest, "ReportRequest": ReportRequest}


def class_of(kind: str, whose: str) -> type[Message]:
    return getattr(arcjets, kind) if whose == "arcjet" else proto_codec._class_of(kind)


def message_of(kind: str, content: dict[str, Any]) -> bytes:
    return json_format.ParseDict(content, class_of(kind, "doorward")()).SerializeToString()


def encoded(field: int, payload: bytes) -> bytes:
    """One field of bytes on the wire."""
    return varint(field << 3 | 2) + varint(len(payload)) + payload


def varint(number: int) -> bytes:
    low = bytearray()
    while number > 127:
        low.append(number & 127 | 128)
        number >>= 7
    return bytes([*low, number])


# --- the messages are Arcjet's


def fields_of(kinds: dict[str, Descriptor]) -> dict[tuple[str, str], tuple[Any, ...]]:
    every = chain(kinds.values(), *(kind.nested_types for kind in kinds.values()))
    return {(kind.full_name, field.name): shape_of(field) for kind in every for field in kind.fields}


def shape_of(field: FieldDescriptor) -> tuple[Any, ...]:
    # An enumeration with one value, as their versions are, is a number here.
    version = field.name == "version"
    of = field.message_type.full_name if field.message_type else field.enum_type.full_name if field.enum_type else ""
    oneof = field.containing_oneof.name if field.containing_oneof else ""
    return field.number, field.is_repeated, oneof, *(() if version else (field.type, of))


def test_all_that_arcjet_has_is_the_same_here() -> None:
    """Fields and values have the numbers, types and oneofs that they have in Arcjet's SDK; our own begin at 1000."""
    ours = proto_codec._pool().FindFileByName("decide.proto")
    mine, theirs = (fields_of(dict(file.message_types_by_name)) for file in (ours, arcjets.DESCRIPTOR))
    assert {name: shape for name, shape in mine.items() if name in theirs} == theirs
    whose = {kind.full_name for kind in arcjets.DESCRIPTOR.message_types_by_name.values()}
    added = {name: shape[0] for name, shape in mine.items() if name not in theirs and name[0] in whose}
    assert added
    assert min(added.values()) >= 1000
    for name, enum in arcjets.DESCRIPTOR.enum_types_by_name.items():
        if not name.endswith("RuleVersion"):
            here = ours.enum_types_by_name[name].values_by_name
            assert {value.name: here[value.name].number for value in enum.values} == {
                value.name: value.number for value in enum.values
            }


@pytest.mark.parametrize("first", ["arcjet", "doorward"])
def test_both_live_in_one_process(first: str) -> None:
    """Whichever is imported first, each has its own messages of the same names."""
    arcjet = "from arcjet.proto.decide.v1alpha1 import decide_pb2"
    doorward = "from doorward.service.server import proto_codec"
    lines = [arcjet, doorward] if first == "arcjet" else [doorward, "proto_codec.encode('ReportResponse', {})", arcjet]
    script = "\n".join([
        *lines,
        "sent = decide_pb2.DecideRequest(sdk_version='1', characteristics=['a']).SerializeToString()",
        "print(proto_codec.decode('DecideRequest', sent).decode())",
    ])  # fmt: skip
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"sdkVersion": "1", "characteristics": ["a"]}


# --- there and back


@pytest.mark.parametrize("whose", ["arcjet", "doorward"])
@pytest.mark.parametrize("kind", REQUESTS)
@given(data=st.data())
def test_requests_keep_what_they_say(kind: proto_codec.RequestKind, whose: str, data: st.DataObject) -> None:
    """What a client wrote is in the JSON, and nothing else."""
    made = class_of(kind, whose)
    content = data.draw(contents(made.DESCRIPTOR))
    message = json_format.ParseDict(content, made())
    read = json.loads(decode(kind, message.SerializeToString()))
    assert json_format.ParseDict(read, made()) == message


@pytest.mark.parametrize("whose", ["arcjet", "doorward"])
@pytest.mark.parametrize("kind", RESPONSES)
@given(data=st.data())
def test_answers_keep_what_they_say(kind: proto_codec.ResponseKind, whose: str, data: st.DataObject) -> None:
    """What the service says is what a client reads."""
    made = class_of(kind, whose)
    content = data.draw(contents(made.DESCRIPTOR))
    assert made.FromString(encode(kind, content)) == json_format.ParseDict(content, made())


@pytest.mark.parametrize("kind", REQUESTS)
@given(data=st.data())
def test_all_that_arcjets_sdks_can_send_is_read(kind: proto_codec.RequestKind, data: st.DataObject) -> None:
    """The models read whatever Arcjet's messages can hold, but for floats that JSON has no number for."""
    made = class_of(kind, "arcjet")
    message = json_format.ParseDict(data.draw(contents(made.DESCRIPTOR)), made())
    MODELS[kind].model_validate_json(decode(kind, message.SerializeToString()))


# --- what is not known


def test_unknown_fields_are_ignored() -> None:
    """Of a later version of the SDK, at any depth."""
    details = encoded(1, b"192.0.2.1") + encoded(77, b"later") + varint(78 << 3) + varint(2**63)
    later = encoded(4, details) + encoded(900, b"\xff\xfe")
    assert json.loads(decode("DecideRequest", later)) == {"details": {"ip": "192.0.2.1"}}


def test_an_unknown_rule_is_a_rule_without_kind() -> None:
    """It stays in its place, so that the others keep theirs."""
    rules = [encoded(4, b"\x08\x02"), encoded(99, b"\x08\x02"), b""]
    read = decode("DecideRequest", b"".join(encoded(5, rule) for rule in rules))
    assert json.loads(read) == {"rules": [{"shield": {"mode": "MODE_LIVE"}}, {}, {}]}
    assert DecideRequest.model_validate_json(read).rules[1:] == [Rule(), Rule()]


def test_the_last_of_two_kinds_is_the_rule() -> None:
    """As protobuf has it for members of a oneof."""
    both = encoded(4, b"\x08\x02") + encoded(6, b"\x08\x01")
    assert json.loads(decode("DecideRequest", encoded(5, both))) == {"rules": [{"botV2": {"mode": "MODE_DRY_RUN"}}]}


def test_values_of_no_name_are_numbers() -> None:
    """An enumeration may have grown; the models take the number for no value."""
    read = decode("DecideRequest", b"\x08\x63" + encoded(5, encoded(4, b"\x08\x63")))
    assert json.loads(read) == {"sdkStack": 99, "rules": [{"shield": {"mode": 99}}]}
    (rule,) = DecideRequest.model_validate_json(read).rules
    assert rule.shield is not None
    assert rule.shield.mode == "UNSPECIFIED"


# --- what nobody should send


def refusal(kind: proto_codec.RequestKind, data: bytes) -> str:
    with pytest.raises(ValueError, match=kind) as caught:
        decode(kind, data)
    assert type(caught.value) is ValueError
    assert caught.value.__cause__ is None
    return str(caught.value)


WHOLE = message_of("DecideRequest", {"details": {"ip": "192.0.2.1", "headers": {"host": "example.com"}}})
DEEP = b""
for _ in range(150):
    DEEP = encoded(1001, DEEP)
FAR_TIME = encoded(5, encoded(3, encoded(1, encoded(4, b"\x08" + varint(2**62)))))
MALFORMED: dict[str, tuple[proto_codec.RequestKind, bytes]] = {
    "text": ("DecideRequest", b'{"details": {}}'),
    "cut": ("DecideRequest", WHOLE[:-1]),
    "no-utf-8": ("DecideRequest", encoded(4, encoded(5, b"/caf\xe9"))),
    "surrogate": ("DecideRequest", encoded(4, encoded(5, b"\xed\xa0\x80"))),
    "field-zero": ("DecideRequest", b"\x02\x00"),
    "long-varint": ("DecideRequest", b"\x08" + b"\xff" * 11),
    "length-beyond": ("DecideRequest", b"\x22" + varint(2**31)),
    "wrong-type": ("DecideRequest", encoded(4, encoded(6, b"\xff"))),
    "open-group": ("DecideRequest", b"\x0b"),
    "deep": ("ReportRequest", DEEP),
    "deep-groups": ("DecideRequest", b"\x0b" * 10_000),
    "no-such-time": ("ReportRequest", FAR_TIME),
}


@pytest.mark.parametrize(("kind", "data"), MALFORMED.values(), ids=MALFORMED)
def test_malformed_bytes_are_refused(kind: proto_codec.RequestKind, data: bytes) -> None:
    """With a plain message that has nothing of what was sent, and nothing of the library's words."""
    assert refusal(kind, data) in (f"the body is no {kind}", f"the body is no {kind} that can be read")


def test_size_is_bounded() -> None:
    """In bytes, and in parts: some of two bytes, some of one."""
    assert "bytes" in refusal("DecideRequest", bytes(LONGEST + 1))
    assert "items" in refusal("DecideRequest", encoded(5, b"") * (MOST_PARTS + 1))
    assert "items" in refusal("DecideRequest", encoded(5, encoded(3, encoded(2, b"\1" * (MOST_PARTS + 1)))))
    names = [encoded(6, encoded(1, str(number).encode())) for number in range(MOST_PARTS + 1)]
    assert "items" in refusal("DecideRequest", encoded(4, b"".join(names)))


def test_what_is_large_and_plain_is_read() -> None:
    """A long path, a body and many headers are a visitor's to send: without an answer applications fail open."""
    headers = {f"x-{number}": "a" * 100 for number in range(5_000)}
    message = {"details": {"path": "/" + "a" * 100_000, "body": "QUJD" * 100_000, "headers": headers}}
    assert json.loads(decode("DecideRequest", message_of("DecideRequest", message))) == message


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")], ids=str)
def test_floats_without_number_stay_json(number: float) -> None:
    """As text, which JSON has; not as words that strict readers refuse."""
    threshold = b"\x11" + struct.pack("<d", number)
    read = decode("DecideRequest", encoded(5, encoded(8, threshold)))

    def refused(word: str) -> None:
        raise AssertionError(word)

    json.loads(read, parse_constant=refused)
    assert len(DecideRequest.model_validate_json(read).rules) == 1


WRONG_ANSWERS = {
    "unknown-field": {"verdict": {}},
    "unknown-name": {"decision": {"conclusion": "DENIED"}},
    "too-large": {"decision": {"ttl": 2**32}},
    "nan": {"decision": {"ipDetails": {"latitude": float("nan")}}},
    "surrogate": {"decision": {"id": "\ud800"}},
    "two-reasons": {"decision": {"reason": {"shield": {}, "error": {}}}},
}


@pytest.mark.parametrize("answer", WRONG_ANSWERS.values(), ids=WRONG_ANSWERS)
def test_answers_that_cannot_be_sent(answer: dict[str, Any]) -> None:
    """A mistake of the service's own is told, and is never sent as something else."""
    with pytest.raises(ValueError, match="cannot be sent"):
        encode("DecideResponse", answer)


def test_the_extra_is_named() -> None:
    """Without protobuf the import says what to install."""
    script = "import sys; sys.modules['google.protobuf'] = None; import doorward.service.server.proto_codec"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "ImportError: binary protobuf needs: pip install 'doorward[arcjet]'" in done.stderr
