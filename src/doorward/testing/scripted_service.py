"""A decision service that answers by a script: a client's ``transport`` in tests."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

from doorward.clock import NANOSECONDS
from doorward.errors import ConfigurationError, ServiceError
from doorward.ids import SERVICE_PREFIX, decision_id
from doorward.service.client.transport import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doorward.service.client.transport import Call

EVERYTHING = "*"
LONGEST = 366 * 86_400
_WORDS = ("allow", "deny", "error", "away", "slow")
_LIMIT_SECONDS = 60.0


class ScriptedService:
    """A decision service that answers what it was told, and asks nobody: a client's ``transport`` in tests.

    ::

        service = ScriptedService({"signup": 30, "email": "deny"})
        aj = Doorward(rules, service="https://service.example", key="test", transport=service)

        assert aj.protect(request).headers["Retry-After"] == "30"
        assert service.asked[0]["rules"][0]["name"] == "signup"

        service.say("*", "away")        # from now on it cannot be reached: each rule goes on as its on_error says
        aj.protect(request)

        aj.close()                      # what waits to be reported is sent now
        assert service.reported[-1]["decision"]["conclusion"] == "CONCLUSION_ALLOW"

    Answers are ``"allow"``, which is that of a rule that the script does not name; ``"deny"``; a number of seconds for
    which the client is denied; ``"error"``, when the service cannot evaluate the rule; and of questions in which the
    rule occurs, ``"away"``, when the service cannot be reached, and ``"slow"``, when it does not answer before the
    deadline, for which nobody has to wait here. The name ``"*"`` stands for all other rules, and for reports.

    Only what a client leaves open is asked: limits, and rules that need a look-up. All other rules decide in the
    client, as ever. It counts nothing: a limit that it allows has all but one of its units left. After five questions
    in a row without an answer a client stops asking for a while, as it would with any service.

    For clients that block and that await, in any threads.

    Args:
        script: Answers by the names of rules.
        refusing: Seconds for which it refuses the client of its own accord, whatever it is asked; 0 for not.

    Attributes:
        asked: The questions so far, as plain dictionaries: ``DecideRequest`` in the proto3 JSON mapping.
        reported: The decisions that a client made by itself, the same way: ``SingleReport``.
        refunded: The charges that were taken back, by the names that they were given: ``signup#1`` and so on.

    Raises:
        ConfigurationError: An answer is none of these.
    """

    def __init__(self, script: Mapping[str, str | float] | None = None, *, refusing: float = 0.0) -> None:
        self._lock = threading.Lock()
        self._script: dict[str, str | float] = {}
        for rule, answer in (script or {}).items():
            self.say(rule, answer)
        self.refuse(refusing)
        self.asked: list[dict[str, Any]] = []
        self.reported: list[dict[str, Any]] = []
        self.refunded: list[str] = []

    def say(self, rule: str, answer: str | float) -> None:
        """Answer so about a rule from now on.

        Raises:
            ConfigurationError: That is no answer.
        """
        if not (answer in _WORDS or _is_span(answer)):
            raise ConfigurationError("script", f"answers are {', '.join(_WORDS)} or seconds, not {answer!r}")
        self._script[rule] = answer

    def refuse(self, seconds: float) -> None:
        """Refuse clients of its own accord from now on, for so long; 0 to end that.

        Raises:
            ConfigurationError: That is no time.
        """
        if not (seconds == 0 or _is_span(seconds)):
            raise ConfigurationError("refusing", f"must be seconds, up to 366 days of them, not {seconds!r}")
        self._refusing = seconds

    # --- the transport

    def send(self, call: Call) -> Reply:
        """What the script says."""
        message: dict[str, Any] = json.loads(call.body)
        if call.path.endswith("/Report"):
            return self._told(message)
        if "details" not in message:  # asks whether the service is back
            self._reach([])
            return _reply({"decision": self._decision([])})
        with self._lock:
            self.asked.append(message)
        rules: list[dict[str, Any]] = message.get("rules", [])
        self._reach([rule.get("name", "") for rule in rules])
        return _reply({"decision": self._decision([self._result(rule) for rule in rules])})

    async def asend(self, call: Call) -> Reply:
        """As :meth:`send`."""
        return self.send(call)

    def _told(self, message: dict[str, Any]) -> Reply:
        self._reach([])
        more, refunds = message.pop("more", []), message.pop("refunds", [])
        with self._lock:
            self.reported += [report for report in (message, *more) if "decision" in report]
            self.refunded += refunds
        return _reply({})

    def _answer(self, rule: str) -> str | float:
        return self._script.get(rule, self._script.get(EVERYTHING, "allow"))

    def _reach(self, rules: list[str]) -> None:
        answers = [self._answer(rule) for rule in (*rules, EVERYTHING)]
        if "away" in answers:
            raise ServiceError("the decision service cannot be reached: the script says that it is away")
        if "slow" in answers:
            from doorward.service.client.trouble import TooLate  # brings httpx

            raise TooLate

    # --- what is answered

    def _decision(self, results: list[dict[str, Any]]) -> dict[str, Any]:
        denied = self._refusing or any(result["conclusion"] == "CONCLUSION_DENY" for result in results)
        decision = {
            "id": decision_id(NANOSECONDS * len(self.asked), prefix=SERVICE_PREFIX),
            "conclusion": "CONCLUSION_DENY" if denied else "CONCLUSION_ALLOW",
            "ruleResults": results,
        }
        if not self._refusing:
            return decision
        reason = {"rule": {"rule": "ban", "message": "the script says so", "retrySeconds": self._refusing}}
        return {**decision, "refusal": _result("service", "DENY", reason, "RUN", self._refusing)}

    def _result(self, rule: dict[str, Any]) -> dict[str, Any]:
        name = rule.get("name", "")
        answer = self._answer(name)
        kind, fields = next((kind, fields) for kind, fields in rule.items() if kind != "name")
        state = "RUN" if fields.get("mode") == "MODE_LIVE" else "DRY_RUN"
        if answer == "error":
            return _result(name, "ERROR", {"error": {"message": "the script says so"}}, state)
        denied = answer != "allow"
        if kind == "rateLimit":
            seconds = _LIMIT_SECONDS if isinstance(answer, str) else answer
            charge = f"{name}#{len(self.asked)}"
            limit = _limit(fields, charge, seconds if denied else 0.0)
            return _result(name, "DENY" if denied else "ALLOW", {"rateLimit": limit}, state, seconds if denied else 0)
        return _result(name, "DENY" if denied else "ALLOW", _FOUND[kind, denied], state)


_FOUND: dict[tuple[str, bool], dict[str, Any]] = {
    ("email", False): {"email": {"emailTypes": []}},
    ("email", True): {"email": {"emailTypes": ["EMAIL_TYPE_NO_MX_RECORDS"], "detail": "the script says so"}},
    ("botV2", False): {"botV2": {"allowed": ["UNKNOWN_BOT"], "verified": True}},
    ("botV2", True): {"botV2": {"denied": ["UNKNOWN_BOT"], "spoofed": True, "evidence": ["the script says so"]}},
}


def _limit(fields: dict[str, Any], charge: str, refused: float) -> dict[str, Any]:
    units, window = int(fields["units"]), int(fields["nanoseconds"]) / NANOSECONDS
    seconds = refused or min(window, LONGEST)
    return {
        "max": units,
        "remaining": 0 if refused else units - 1,
        "resetInSeconds": round(seconds),
        "resetSeconds": seconds,
        "windowInSeconds": round(min(window, LONGEST)),
        "charges": [] if refused else [charge],
    }


def _result(name: str, conclusion: str, reason: dict[str, Any], state: str, ttl: float = 0.0) -> dict[str, Any]:
    return {
        "rule": name,
        "state": f"RULE_STATE_{state}",
        "conclusion": f"CONCLUSION_{conclusion}",
        "reason": reason,
        "ttl": round(ttl),
    }


def _reply(message: dict[str, Any]) -> Reply:
    return Reply(200, "application/json", json.dumps(message).encode())


def _is_span(answer: object) -> bool:
    return isinstance(answer, int | float) and not isinstance(answer, bool) and 0 < answer <= LONGEST


__all__ = ["ScriptedService"]
