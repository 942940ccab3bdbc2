"""Whatever bytes a client of the decision service sends as protobuf, they are JSON for its models or a plain refusal.

The first byte chooses the message, the others are its bytes. What is read can be written and is read the same again;
it is not many times as long as it was, and the models read it or say why not.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any, NoReturn

from tests.fuzz.harness import fuzz, instrumented

with instrumented(__name__):
    from google.protobuf.json_format import Parse
    from pydantic import ValidationError

    from doorward.service.messages import DecideRequest, ReportRequest
    from doorward.service.server.proto_codec import RequestKind, _class_of, decode

MODELS: list[tuple[RequestKind, Any]] = [("DecideRequest", DecideRequest), ("ReportRequest", ReportRequest)]
REFUSALS = ("the body is no {}", "the body is no {} that can be read")
GROWTH = 40  # a byte may name a value of an enumeration, two bytes a field


def no_number(word: str) -> NoReturn:
    raise AssertionError(f"{word} is no JSON")


def target(data: bytes) -> None:
    kind, model = MODELS[data[0] % len(MODELS)] if data else MODELS[0]
    sent = data[1:]
    try:
        read = decode(kind, sent)
    except ValueError as error:
        refused = error
    else:
        check_read(kind, model, sent, read)
        return
    assert type(refused) is ValueError
    assert str(refused) in [words.format(kind) for words in REFUSALS], refused


def check_read(kind: RequestKind, model: Any, sent: bytes, read: bytes) -> None:
    assert len(read) <= GROWTH * len(sent) + GROWTH
    plain = json.loads(read, parse_constant=no_number)
    assert isinstance(plain, dict)
    again = decode(kind, Parse(read, _class_of(kind)()).SerializeToString())
    assert json.loads(again) == plain
    with suppress(ValidationError):
        model.model_validate_json(read)


if __name__ == "__main__":
    fuzz(target, "service_proto")
