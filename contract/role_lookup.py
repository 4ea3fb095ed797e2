"""What a contract.yaml refers to: messages, paths in them, close codes and error codes, references in templates."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from contract.choices import CLOSE_CODES
from contract.declared import Declared, path_flaw
from contract.findings import Phrase
from contract.folder import ContractFolder
from contract.mistakes import Mistake, Where, mistake
from contract.plain_words import near, quoted_name
from contract.roles import By, Side
from contract.schemas import Violation
from contract.templates import references

ANYWHERE = ("uuid", "uuid.NAME", "counter", "counter.NAME", "nonce.NAME", "value.NAME")
"""References that any template may have: values that are new each time, and those of the endpoint's wsproof.yaml."""
OF_USER = ("token", "user.MEMBER")
OF_MESSAGE = ("message.PATH",)
OF_PROBE = ("text", "group", *OF_USER)
OF_ANSWER = ("nonce", *OF_PROBE)
OF_GROUP = ("group", *OF_USER)

MOST_NAMES = 12
"""Names that are listed where none of them resembles what was written."""


class Kind(Protocol):
    """One kind of message."""

    @property
    def senders(self) -> frozenset[Side]:
        """The sides that may send it."""

    @property
    def declared(self) -> Declared:
        """What its schema names."""


class Described(Protocol):
    """What is known of an API before its roles are checked: `contract.model.Contract`, which checks them."""

    @property
    def folder(self) -> ContractFolder:
        """Its folder, with the roles."""

    @property
    def events(self) -> Mapping[str, Kind]:
        """The messages by name; empty: there is no document."""

    def name_of(self, value: Any, side: Side = "server") -> str | None:
        """The name that a message of a side bears."""

    def named(self, side: Side) -> list[str]:
        """The names of the messages of a side."""

    def check_payload(self, event: str, value: Any) -> tuple[Violation, ...]:
        """How a message breaks its schema."""

    def placed(self, violation: Violation, value: Any) -> Phrase:
        """Where it does, and what is wrong there."""


class Lookup:
    """Looks up what the roles of one contract refer to; each method gives what is wrong with one reference."""

    def __init__(self, contract: Described, value: Mapping[str, Any]) -> None:
        self.contract = contract
        self.value = value
        self._is_nameless = contract.folder.asyncapi is None and not contract.folder.roles.messages.name
        self.close_codes = {*CLOSE_CODES, *(value.get("close_codes") or {})}

    # Messages

    def name(self, where: Where, name: str, by: By | None) -> Iterator[Mistake]:
        """A message's name, and the side that sends it; None: whichever. Without a document, any name may be."""
        events = self.contract.events
        if self._is_nameless:
            yield mistake(where, "needs an asyncapi.yaml or `messages.name`: nothing tells the names of messages")
            self._is_nameless = False  # said once, it is said of all
        if not events:
            return
        if name not in events:
            yield mistake(where, f"no message {quoted_name(name)} in {self._document}{_known(name, events)}")
        elif by not in (None, "either", *events[name].senders):
            other = "client" if by == "server" else "server"
            yield mistake(where, f"expected a message of the {by}; {quoted_name(name)} is one of the {other}")

    def awaited(self, where: Where, one: Any, by: By | None) -> Iterator[Mistake]:
        """A message that is awaited: its name, and the path of its id."""
        name = name_of(one)
        yield from self.name(where if isinstance(one, str) else (*where, "name"), name, by)
        if isinstance(one, dict) and "id" in one:
            yield from self.path((*where, "id"), one["id"], name)

    def paths(self, where: Where, one: Mapping[str, Any], names: Iterable[str], message: str) -> Iterator[Mistake]:
        """Several members of one role that are paths into the same message."""
        for name in names:
            if name in one:
                yield from self.path((*where, name), one[name], message)

    def path(self, where: Where, path: str, name: str) -> Iterator[Mistake]:
        """A path into a message of a name; of an unknown one, nothing can be told."""
        flaw = self._flaw(path, name) if name in self.contract.events else None
        if flaw is not None:
            yield mistake(where, f"{flaw}, in the message {quoted_name(name)}")

    def somewhere(self, where: Where, path: str, names: Iterable[str] = ()) -> Iterator[Mistake]:
        """A path that leads somewhere in one of the messages at least; without `names`, in any of them."""
        known = [name for name in (names or self.contract.events) if name in self.contract.events]
        flaws = [self._flaw(path, name) for name in known]
        if flaws and None not in flaws:
            yield mistake(where, f"{quoted_name(path)} leads to nothing in any of these messages: {_listed(known)}")

    def _flaw(self, path: str, name: str) -> str | None:
        declared = self.contract.events[name].declared
        parts = {one.at for one in self.contract.folder.roles.messages.payload}
        if not parts:
            return path_flaw(path, declared)
        # The document describes a part of each message: of the rest, nothing is known.
        part = parts.pop()
        if parts or not path.startswith(f"{part}."):
            return None
        return path_flaw(path.removeprefix(f"{part}."), declared, part)

    def sent(self, where: Where, message: Any, allowed: Iterable[str], name: str | None = None) -> Iterator[Mistake]:
        """A message that a client sends, as a template: its references, and the name that it bears."""
        yield from self.template(where, message, allowed)
        events = self.contract.events
        if not events or isinstance(message, str):
            return
        found = self.contract.name_of(message, "client")
        if name is not None and name in events and found != name:
            bears = "no name" if found is None else f"the name {quoted_name(found)}"
            yield mistake(where, f"expected a message {quoted_name(name)}; this one bears {bears}")
        elif name is None and found is None:
            clients = _listed(self.contract.named("client"))
            yield mistake(where, f"expected a message that a client sends; this one bears no name (known: {clients})")
        elif name is None and found is not None:
            yield from self.name(where, found, "client")
        if found in events and not references(message):
            wrong = self.contract.check_payload(str(found), message)
            if wrong:
                text = f"breaks the schema of {quoted_name(found)}: {self.contract.placed(wrong[0], message)}"
                yield mistake(where, text)

    # Templates

    def template(self, where: Where, template: Any, allowed: Iterable[str]) -> Iterator[Mistake]:
        """The references of a template; `message.PATH` stands for all that begin so."""
        known = {*allowed, *ANYWHERE}
        kinds = {one.partition(".")[0] for one in known}
        shapes = {(one.partition(".")[0], "." in one) for one in known}
        for step, inner in _texts(template):
            for found in sorted(references(inner)):
                plain = found.rpartition(":")[2]
                kind, dot, _ = plain.partition(".")
                if (kind, bool(dot)) not in shapes:
                    names = ", ".join(f"${{{one}}}" for one in sorted(known))
                    meant = near(kind, kinds) or f"; known: {names}"
                    yield mistake((*where, *step), f"unknown reference ${{{found}}}{meant}")

    # Outcomes

    def outcomes(self, where: Where, value: Any, *, handshake: bool = False) -> Iterator[Mistake]:
        """Outcomes: their close codes and error codes; only a handshake is refused with a status."""
        listed = value if isinstance(value, list) else [value]
        for index, one in enumerate(listed):
            yield from self._outcome((*where, index) if isinstance(value, list) else where, one, handshake)

    def _outcome(self, where: Where, one: Any, handshake: bool) -> Iterator[Mistake]:
        if (one == "error" or "error" in one) and "message" not in self._errors:
            yield mistake(where, "needs `errors.message`, which says what an error message is")
        if one == "error":
            return
        codes = one.get("close", ())
        for code in codes if isinstance(codes, list) else [codes] if codes else ():
            if isinstance(code, str) and code not in self.close_codes:
                text = f"no close code {quoted_name(code)} in `close_codes`{_known(code, self.close_codes)}"
                yield mistake((*where, "close"), text)
        if "status" in one and not handshake:
            yield mistake((*where, "status"), "only a handshake is refused with a status; expected `close` or `error`")
        if "error" in one:
            yield from self._error_code((*where, "error"), str(one["error"]))

    def _error_code(self, where: Where, code: str) -> Iterator[Mistake]:
        known = [*map(str, self._errors.get("codes") or ())]
        message = self._errors.get("message")
        if known and code not in known:
            yield mistake(where, f"no error code {quoted_name(code)} in `errors.codes`{_known(code, known)}")
        if message is not None and "code" not in message:
            yield mistake(where, "needs `errors.message.code`, which says where an error message has its code")

    @property
    def _errors(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.value.get("errors") or {}
        return found

    @property
    def _document(self) -> str:
        asyncapi = self.contract.folder.asyncapi
        return asyncapi.name if asyncapi is not None else "the document"


def name_of(one: Any) -> str:
    """The name of a message that is awaited."""
    return str(one if isinstance(one, str) else one["name"])


def _known(name: str, known: Iterable[str]) -> str:
    return near(name, known) or f"; known: {_listed(known)}"


def _listed(names: Iterable[str]) -> str:
    known = sorted(names)
    more = f" and {len(known) - MOST_NAMES} more" if len(known) > MOST_NAMES else ""
    return (", ".join(known[:MOST_NAMES]) or "none") + more


def _texts(value: Any, where: Where = ()) -> Iterator[tuple[Where, str]]:
    """All texts in a template with their places; a member's name is at the member."""
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, dict):
        for name, member in value.items():
            yield (*where, name), name
            yield from _texts(member, (*where, name))
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from _texts(member, (*where, index))
