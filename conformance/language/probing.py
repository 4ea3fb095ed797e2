"""The procedures that every contract has without writing them, made of its roles.

    open, open_with   connect, say what the client says first, and wait for the acknowledgement
    prepare           what makes the probe possible, and a first probe
    ready             both
    probe             one exchange that shows that a message was understood: a barrier, and a sign of life
    probe_send, probe_expect, probe_absent    its parts
    probe_overheard   what other connections get of it, where it is a post that reaches all of its group
    reacts_to_binary, reacts_to_too_large     one of the reactions that the contract permits

A scenario that uses them is about any contract. A contract's own `scenarios/procedures.yaml` wins. Where a role is
not declared, what needs it is inconclusive when it is played.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.language.values import substitute
from contract.files import Document
from contract.folder import CONTRACT
from contract.model import Contract
from contract.paths import nested
from contract.requirements import deciding, requirements_of
from contract.roles import Awaited, Outcome, Outcomes

Steps = list[dict[str, Any]]

OPTIONS = {"fragments": 1, "interleave": False, "escape": False}
"""How a probe is sent, as `send` has it."""

TEXT = {"nonce": None, "text": "${nonce.${nonce}} probe"}
"""The probe's text, and the name of the nonce in it that tells it from all others."""

ACTOR = {"actor": "${actor}"}
SAID = {"nonce": "${nonce}", "text": "${text}"}


def role_procedures(contract: Contract) -> Document:
    """A document that has them. Its path is that of the contract's roles, for errors."""
    return Document(contract.folder.path / CONTRACT, {"procedures": dict(_Procedures(contract).all())}, None)


class _Procedures:
    """Makes the procedures of one contract."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.roles = contract.roles
        self.requirements = requirements_of(contract.folder)

    def all(self) -> Iterator[tuple[str, Any]]:
        first = {"call": "probe", "with": ACTOR, **self._charged("joined", "probe")}
        sent = {"call": "probe_send", "with": {**ACTOR, **SAID, **{name: f"${{{name}}}" for name in OPTIONS}}}
        answered = {"call": "probe_expect", "with": {**ACTOR, **SAID}}
        own_nonce = {**TEXT, "nonce": "probe-${call}"}
        yield "open", _procedure({}, self._open({}))
        with_options = {"deflate": "${deflate}", "narrow": "${narrow}"}
        yield "open_with", _procedure({"deflate": False, "narrow": False}, self._open(with_options))
        yield "prepare", _procedure({}, [*self._prepare(), first])
        yield "ready", _procedure({}, [{"call": "open", "with": ACTOR}, {"call": "prepare", "with": ACTOR}])
        yield "probe", _procedure({**own_nonce, **OPTIONS}, [sent, answered])
        yield "probe_send", _procedure({**TEXT, **OPTIONS}, self._send())
        yield "probe_expect", _procedure(TEXT, self._expect())
        yield "probe_overheard", _procedure(TEXT, self._expect() if self._is_heard_by_all() else [])
        yield "probe_absent", {"parameters": {"actors": None, **TEXT}, "steps": self._absent()}
        for name, cause, and_more in REACTIONS:
            yield name, _procedure({"requirement": None}, self._reaction(cause, and_more))

    def _charged(self, *checks: str) -> dict[str, Any]:
        """What a step is charged to: the requirements that these checks decide, if there are any."""
        found = [deciding(self.requirements, check) for check in checks]
        names = [one[0] for one in found if one is not None]
        return {"requirement": names} if names else {}

    def _open(self, options: Mapping[str, Any]) -> Steps:
        steps: Steps = [{"connect": {**ACTOR, **options}, **self._charged("handshake")}]
        role = self.roles.acknowledgement
        if role is None:
            return steps
        if role.send is not None:
            steps.append({"send": {**ACTOR, "message": role.send}})
        charge = self._charged("acknowledged") or self._charged("handshake")
        return [*steps, {"expect": {**ACTOR, **_awaited(role.expect), "within": "ack_timeout"}, **charge}]

    def _prepare(self) -> Steps:
        prepare = self.roles.probe.prepare if self.roles.probe is not None else ()
        return [{"send": {**ACTOR, "message": one["send"]}} for one in prepare]

    def _send(self) -> Steps:
        probe = self.roles.probe
        message = {"$probe": ""} if probe is None else probe.message
        return [{"send": {**ACTOR, "message": message, **{name: f"${{{name}}}" for name in OPTIONS}}}]

    def _expect(self) -> Steps:
        return [{"expect": {**ACTOR, **one}, **self._charged("probe")} for one in self._answers()]

    def _is_heard_by_all(self) -> bool:
        """Whether the probe is a post that reaches the other connections of its group as well."""
        flow, probe = self.contract.flow, self.roles.probe
        if flow is None or flow.post is None or probe is None or flow.owed not in ("subscribers", "all"):
            return False
        return self.contract.name_of(probe.send, "client") == flow.post.name

    def _absent(self) -> Steps:
        return [{"expect_nothing": {"actors": "${actors}", **one}} for one in self._answers()]

    def _answers(self) -> Steps:
        """What shows that a probe was understood."""
        probe = self.roles.probe
        if probe is None:
            return [{"match": {"$probe": ""}}]
        texts = [{"match": probe.expect_text}] if probe.expect_text is not None else []
        # `${nonce}` in a contract is the nonce; in a call, it is the name of one.
        return [substitute(one, {"nonce": "${nonce.${nonce}}"}) for one in texts or map(_awaited, probe.expect)]

    def _reaction(self, cause: str, and_more: Steps) -> Steps:
        """One of the outcomes that are permitted; a close with another code is another matter."""
        of: Steps = []
        declared = self.roles.errors.reactions.get(cause, DEFAULT.get(cause, ()))
        for one in declared:
            of += self._outcome(one)
        if any(one.close for one in declared):
            others = ["${requirement}", *self._charged("failure-code").get("requirement", ())]
            of += [{"closed": True, "fails": {"requirement": others, "level": "SHOULD", **OTHER_CODE}}, *and_more]
        return [{"expect_one": {**ACTOR, "of": of or [{"closed": True}]}}]

    def _outcome(self, one: Outcome) -> Steps:
        if one.close:
            return [{"close": list(one.close)}]
        errors = self.roles.errors
        if not one.error or errors.name is None:
            return []
        if one.code is None or errors.code is None:
            return [{"event": errors.name}]
        return [{"event": errors.name, "match": nested(errors.code, {"$error_code": one.code})}]


OTHER_CODE = {
    "message": "the close code is not the one for this cause",
    "message_ja": "クローズコードがこの原因に対するものと異なります",
}

DEFAULT: Mapping[str, Outcomes] = {"too-large": (Outcome(close=("too_large",)),)}
"""What a cause leads to where the contract does not say: RFC 6455 has a code for it."""

REACTIONS: tuple[tuple[str, str, Steps], ...] = (
    ("reacts_to_binary", "binary", []),
    # A server may close before the rest is read, and what is unread then resets the connection.
    ("reacts_to_binary_in_fragments", "binary", [{"end": True}]),
    ("reacts_to_too_large", "too-large", [{"end": True}]),
)


def _procedure(parameters: Mapping[str, Any], steps: Steps) -> dict[str, Any]:
    return {"parameters": {"actor": None, **parameters}, "steps": steps}


def _awaited(one: Awaited) -> dict[str, Any]:
    return {"event": one.name} if one.match is None else {"event": one.name, "match": one.match}
