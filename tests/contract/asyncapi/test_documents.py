"""Documents in the shapes that public ones have: what is read of each, and what is noted."""

from pathlib import Path
from typing import Any

import pytest

from contract.asyncapi.document import ApiDocument, DeclaredMessage, read_asyncapi
from contract.schemas import compile_schema, schema_problem, violations

FOLDER = Path(__file__).parent / "documents"
NAMES = sorted(path.relative_to(FOLDER).as_posix() for path in [*FOLDER.glob("*.*"), *FOLDER.glob("*/asyncapi.yaml")])


def read(name: str) -> ApiDocument:
    return read_asyncapi(FOLDER / name)


def sides(api: ApiDocument) -> dict[str, str]:
    return {name: "+".join(sorted(message.actions)) for name, message in api.messages.items()}


def notes(api: ApiDocument) -> list[tuple[int | None, str]]:
    return [(note.line, note.text) for note in api.notes]


def fits(api: ApiDocument, message: str, value: Any) -> bool:
    validator = compile_schema(api.messages[message].schema, api.registry)
    assert validator.quick is not None
    assert validator.quick.is_valid(value) == validator.judge.is_valid(value)
    return violations(validator, value) == ()


@pytest.mark.parametrize("name", NAMES)
def test_every_schema_stands_alone(name: str) -> None:
    api = read(name)
    for message in api.messages.values():
        assert schema_problem(message.schema) is None
        if isinstance(message.schema, dict):
            fits(api, message.name, {})
            for example in message.examples:
                assert fits(api, message.name, example.payload)
    assert all(note.path.is_file() and note.line for note in api.notes)
    assert [type(message) for message in api.messages.values()] == [DeclaredMessage] * len(api.messages)


class TestMarketFeed:
    API = read("market-feed.yaml")

    def test_messages(self) -> None:
        assert sides(self.API) == {
            "trade": "send",
            "status": "send",
            "subscribe": "receive",
            "pong": "send",
            "ping": "receive",
            "/heartbeats subscribe": "send",
        }
        assert self.API.notes == ()
        assert self.API.messages["subscribe"].replies == ("status",)
        assert self.API.messages["ping"].replies == ("pong",)
        trade = self.API.messages["trade"]
        assert (trade.title, trade.channels) == ("One trade", ("/trades/{symbol}",))
        assert [(one.name, one.payload, one.line) for one in trade.examples] == [
            ("sale", {"type": "trade", "price": 7.5, "side": "buy"}, 42)
        ]
        assert trade.where == ("components", "messages", "trade")
        assert str(self.API.document.error("wrong", trade.where)).endswith("market-feed.yaml:38:5: wrong")

    def test_parameters_and_the_handshake(self) -> None:
        channel = self.API.channels["/trades/{symbol}"]
        symbol, depth = channel.parameters["symbol"], channel.parameters["depth"]
        assert (channel.address, channel.servers) == ("/trades/{symbol}", ("public",))
        assert (symbol.enum, symbol.default, symbol.description) == (("wheat", "rye"), "rye", "What is traded.")
        assert (depth.enum, depth.default, depth.examples) == ((), None, ("1", "25"))
        assert channel.ws is not None
        assert (channel.ws.method, channel.ws.headers) == ("GET", None)
        assert channel.ws.query["required"] == ["since"]
        assert self.API.channels["/heartbeats"].ws is None

    def test_servers(self) -> None:
        assert {key: server.url for key, server in self.API.servers.items()} == {
            "public": "wss://feed.grain.example/v2",
            "trial": "ws://localhost:9000",
        }


class TestTuples:
    API = read("tuples.yaml")

    def test_messages(self) -> None:
        assert sides(self.API) == {
            "position.update/0": "send",
            "subscribe": "receive",
            "alarms.subscribe": "receive",
            "second": "receive",
        }
        assert self.API.notes == ()
        assert self.API.channels["alarms"].address is None

    @pytest.mark.parametrize(
        ("value", "valid"),
        [
            ([1, {"lat": 1, "lon": 2}, "position"], True),
            ([1, {"lat": 1, "lon": 2}, "position", "more", "and more"], True),
            ([1, {"lat": 1, "lon": 2}, "position", 4], False),
            ([1, {"lat": 1}, "position"], False),
            (["1"], False),
            ([1, {"lat": 1, "lon": 2, "speed": 3}], False),
            ([1, {"lat": 1, "lon": 2, "speed": 3, "course": 4}], True),
            ([], True),
        ],
    )
    def test_arrays(self, value: list[Any], valid: bool) -> None:
        assert fits(self.API, "position.update/0", value) is valid

    def test_references_into_what_moved(self) -> None:
        """`items` of Draft 07 is `prefixItems` now; a reference to one of its schemas still finds it."""
        assert fits(self.API, "second", {"lat": 1, "lon": 2})
        assert not fits(self.API, "second", {"lat": 1})
        assert fits(self.API, "subscribe", ["subscribe"])
        assert not fits(self.API, "subscribe", ["subscribe", 1])


def test_workspace() -> None:
    api = read("workspace.yaml")
    assert sides(api) == {
        "hello": "send",
        "emoji": "send",
        "message": "send",
        "outgoing": "receive",
        "unused": "",
    }
    assert notes(api) == [
        (6, "there is no security scheme 'unknown'"),
        (16, "$ref to '#/components/messages/missing': workspace.yaml has nothing at '#/components/messages/missing'"),
        (28, "no operation sends or receives the message 'unused'"),
    ]
    assert fits(api, "emoji", {"type": "emoji", "at": "2026-01-01T00:00:00Z"})
    assert not fits(api, "emoji", {"type": "emoji", "at": "now"})
    assert fits(api, "unused", None)
    assert [scheme.in_ for scheme in api.servers["production"].security] == ["query"]


def test_helpdesk() -> None:
    api = read("helpdesk.yaml")
    assert sides(api) == {
        "openTicket": "receive",
        "ticketOpened": "send",
        "closeTicket": "receive",
        "failure": "send",
        "ticketClosed": "send",
    }
    opening, opened = api.messages["openTicket"], api.messages["ticketOpened"]
    assert opening.replies == ("ticketOpened", "failure")
    assert opening.correlation == opened.correlation == "meta.request/id"
    # The message wins over its traits, and a later trait over an earlier one: null removes.
    assert (opening.title, opening.description) == ("Open a ticket", "")
    assert (opened.title, opened.description) == ("Common", "Of the trait.")
    assert fits(api, "ticketOpened", {"ticket": 1})
    assert {message.channels for message in api.messages.values()} == {("desk",)}
    assert api.channels["desk"].parameters["team"].default == "red"
    assert api.extensions == {"x-team": "support"}
    assert [line for line, _ in notes(api)] == [18, 23, 24, 34]


def test_sensors() -> None:
    api = read("sensors.yaml")
    assert sides(api) == {"measured": "receive", "A title that the trait decides": "send"}
    # In 2.x a trait is a patch of the message.
    assert api.messages["measured"].title == "A title that the trait decides"
    assert not fits(api, "measured", {"lux": 0})
    assert fits(api, "measured", {"lux": 1})
    assert all(message.checked for message in api.messages.values())
    assert [line for line, _ in notes(api)] == [5, 18, 32]


def test_speech() -> None:
    """JSON, with characters that YAML's parser does not know; examples that stand in the schema."""
    api = read("speech.json")
    assert sides(api) == {"transcript": "send", "End of speech": "send", "audio": "receive"}
    (example,) = api.messages["transcript"].examples
    assert (example.payload["text"], example.line) == ("hello 😀", 23)
    assert notes(api) == [
        (6, "message 'audio': the payload is application/octet-stream; it is not checked"),
        (
            23,
            "message 'transcript': example 'schema 2' does not fit the schema: the message: expected the member 'text'",
        ),
    ]
    assert (api.messages["audio"].checked, api.messages["audio"].schema) == (False, True)


class TestFormats:
    API = read("formats.yaml")

    def test_what_is_not_checked(self) -> None:
        unchecked = {name for name, message in self.API.messages.items() if not message.checked}
        assert unchecked == {"avro", "protobuf", "unheardOf", "binary"}
        assert all(self.API.messages[name].schema is True for name in {*unchecked, "nothing"})
        assert notes(self.API) == [
            (12, "message 'avro': the payload is described in Avro; it is not checked"),
            (15, "message 'unheardOf': the payload is described in 'application/x-mystery'; it is not checked"),
            (16, "message 'binary': the payload is application/msgpack; it is not checked"),
            (17, "message 'nothing' has no payload: any JSON is valid"),
            (39, "maxLength: ignored beside $ref, as before JSON Schema 2019-09"),
            (45, "message 'protobuf': the payload is described in Protocol Buffers; it is not checked"),
        ]

    @pytest.mark.parametrize(
        ("message", "value", "valid"),
        [
            ("openapi", {"size": None, "colour": None, "shape": None}, True),
            ("openapi", {"size": 0}, False),
            ("openapi", {"shape": 1}, False),
            ("draft04", {"n": 9}, False),
            ("draft04", {"n": 8.9}, True),
            ("newest", [1, "abc"], True),
            ("newest", [1, "abcd"], False),
            ("newest", [1, "abc", 1], False),
            ("asyncapi", [1, "abcd", 1], True),
            ("asyncapi", ["1"], False),
        ],
    )
    def test_drafts(self, message: str, value: Any, valid: bool) -> None:
        assert fits(self.API, message, value) is valid


class TestBroken:
    API = read("broken.yaml")

    def test_the_rest_is_read(self) -> None:
        assert sides(self.API) == {
            "partly": "send",
            "wholly": "send",
            "lost": "send",
            "wrong": "receive",
            "circle": "send",
        }
        checked = {name for name, message in self.API.messages.items() if message.checked}
        assert checked == {"partly", "wrong", "circle"}
        assert not fits(self.API, "partly", {})
        assert fits(self.API, "circle", {})
        assert not fits(self.API, "circle", [])
        assert not fits(self.API, "wrong", {"both": 1})
        assert not fits(self.API, "wrong", {"names": {"a": 1}})
        assert [example.name for example in self.API.messages["wrong"].examples] == ["fits"]

    def test_each_mistake_has_its_place(self) -> None:
        remote = "only local files are read; download it and refer to the copy"
        unchecked = "this part is not checked"
        lost = f"there is no file {FOLDER / 'lost.yaml'}"
        assert notes(self.API) == [
            (5, "expected a server: a mapping"),
            (11, f"$ref to 'https://schemas.example/messages.yaml#/remote': {remote}"),
            (12, f"$ref to 'https://schemas.example/a.json': {remote}; {unchecked}"),
            (13, f"$ref to 'http://schemas.example/b.json': {remote}; {unchecked}"),
            (14, f"$ref to 'lost.yaml#/b': {lost}; {unchecked}"),
            (15, "expected a message: a mapping"),
            (22, "required: expected a list of the names of members; it is not checked"),
            (
                24,
                "type: expected one or more of array, boolean, integer, null, number, object, string; "
                "it is not checked",
            ),
            (25, "pattern: expected a regular expression; it is not checked"),
            (25, "minLength: expected a number of 0 or more; it is not checked"),
            (26, "expected a schema: a mapping, true or false; it is not checked"),
            (27, "expected a schema: a mapping, true or false; it is not checked"),
            (28, "patternProperties: expected a regular expression as the name; it is not checked"),
            (29, "maxLength: ignored beside $ref, as before JSON Schema 2019-09"),
            (32, "message 'wrong': example 'spoilt' does not fit the schema: /list: expected array, got integer 1"),
            (34, "the operation has no message"),
            (35, "expected a channel: a mapping"),
            (43, "oneOf: there is no message in it"),
            (44, "oneOf: there is no message in it"),
            (48, "the schema refers to nothing but itself; this part is not checked"),
        ]


class TestTrees:
    API = read("tree.yaml")

    def test_recursion_stays_a_reference(self) -> None:
        assert notes(self.API) == [
            (11, "$ref to '#/components/messages/wrapped': that is a message; its payload is taken"),
            (32, "no operation sends or receives the message 'wrapped'"),
        ]
        schema = self.API.messages["tree"].schema
        assert schema.keys() == {"$ref"}
        assert schema["$ref"].startswith((FOLDER / "tree.yaml").as_uri())
        assert schema["$ref"].endswith("#/components/schemas/node")
        # A validator takes in whole resources; so this one has nothing else of the document.
        resource = self.API.registry.get_or_retrieve(schema["$ref"].partition("#")[0]).value.contents
        assert resource.keys() == {"components"}
        assert resource["components"]["schemas"].keys() == {"node"}

    def test_whoever_reads_a_document_may_refer_to_its_schemas(self) -> None:
        uri = (FOLDER / "tree.yaml").as_uri()
        for place in ("components/schemas/node", "channels/trees/messages/tree/payload"):
            validator = compile_schema({"$ref": f"{uri}#/{place}"}, self.API.registry)
            assert violations(validator, {"name": "a", "children": [{"name": "b"}]}) == ()
            assert violations(validator, {"name": "a", "children": [{"name": 1}]}) != ()

    @pytest.mark.parametrize(
        ("message", "value", "valid"),
        [
            ("tree", {"name": "a", "children": [{"name": "b", "children": []}]}, True),
            ("tree", {"name": "a", "children": [{"name": "b", "children": [{}]}]}, False),
            ("tree", {"name": "a", "parent": 1}, False),
            ("forest", [{"name": "a"}], True),
            ("forest", [{}], False),
            ("linked", {"next": {"next": {}}}, True),
            ("linked", {"next": {"next": 1}}, False),
            ("trees.wrapped", 1, True),
            ("trees.wrapped", None, False),
            ("strange", {"a": 1}, True),
            ("strange", {"a": "1"}, False),
            ("pasted", {"lines": [{"article": "a"}]}, True),
            ("pasted", {"lines": [{}]}, False),
            ("named", {"self": {"part": 1, "anchored": True}}, True),
            ("named", {"self": {"part": "1"}}, False),
            ("named", {"self": {"self": {"anchored": 1}}}, False),
        ],
    )
    def test_values(self, message: str, value: Any, valid: bool) -> None:
        assert fits(self.API, message, value) is valid


def test_locked() -> None:
    api = read("locked.yaml")
    assert {key: server.url for key, server in api.servers.items()} == {
        "query": "wss://locks.example/a",
        "header": "wss://north.locks.example",
        "other": "ws://localhost:8080/{where}",
    }
    schemes = {
        key: [(one.key, one.type, one.in_, one.name, one.scheme) for one in server.security]
        for key, server in api.servers.items()
    }
    assert schemes == {
        "query": [("query", "httpApiKey", "query", "key", "")],
        "header": [("bearer", "http", "", "", "bearer"), ("", "apiKey", "user", "", "")],
        "other": [("both", "userPassword", "", "", "")],
    }
    channel = api.channels["lock"]
    assert (channel.address, channel.servers) == ("/lock", ("query", "other"))
    assert channel.ws is not None
    assert channel.ws.method == "POST"
    assert violations(compile_schema(channel.ws.query, api.registry), {"trace": 1}) != ()
    assert [line for line, _ in notes(api)] == [10, 24]


def test_anchors() -> None:
    api = read("anchors.yaml")
    assert (api.version, sides(api), api.notes) == ("1.5", {"report": "send", "order": "receive"}, ())
    (example,) = api.messages["report"].examples
    assert example.payload == {"kind": "report", "200": "ok"}
    assert not fits(api, "report", {"kind": "report", "true": 1})
    assert not fits(api, "report", {"kind": "report", "more": 1})
    assert not fits(api, "report", {})
    assert api.messages["report"].schema["maxProperties"] == 3
    assert fits(api, "order", {"kind": "", "more": 1})


class TestSplit:
    API = read("split/asyncapi.yaml")

    def test_messages(self) -> None:
        assert sides(self.API) == {"placed": "send", "place": "receive", "news": "send"}
        assert self.API.messages["place"].replies == ("placed",)
        assert self.API.messages["placed"].correlation == "order"
        assert self.API.messages["placed"].title == "An order was placed"
        assert self.API.messages["place"].where == ("channels", "orders")
        assert [example.name for example in self.API.messages["place"].examples] == ["right"]
        assert self.API.servers["local"].url == "ws://localhost:7000"

    def test_a_note_names_the_file(self) -> None:
        (note,) = self.API.notes
        assert (note.path.name, note.line, note.column) == ("common.yaml", 14, 52)
        assert str(note).startswith(f"{FOLDER}/split/common.yaml:14:52: message 'place': example 'wrong' does not fit")

    @pytest.mark.parametrize(
        ("message", "value", "valid"),
        [
            ("place", {"articles": [{"id": "a"}], "parent": {"articles": []}}, True),
            ("place", {"articles": [], "parent": {}}, False),
            ("place", {"articles": [{"id": ""}]}, False),
            ("placed", {"order": 0}, False),
            ("placed", {"order": 1}, True),
            ("news", {"id": "abc"}, False),
        ],
    )
    def test_each_file_has_its_draft(self, message: str, value: Any, valid: bool) -> None:
        assert fits(self.API, message, value) is valid

    def test_schemas_can_be_rewritten_in_all_files(self) -> None:
        def longer(schema: Any) -> Any:
            if isinstance(schema, list):
                return [longer(one) for one in schema]
            if not isinstance(schema, dict):
                return schema
            changed = {name: longer(member) for name, member in schema.items()}
            return changed | {"maxLength": 3} if "x-limit" in schema else changed

        api = read_asyncapi(FOLDER / "split" / "asyncapi.yaml", longer)
        assert fits(api, "news", {"id": "abc"})
        assert fits(api, "place", {"articles": [{"id": "abc"}]})
        assert not fits(api, "news", {"id": "abcd"})

    def test_the_registry_reads_other_files(self) -> None:
        uri = (FOLDER / "split" / "schemas" / "order.json").as_uri()
        validator = compile_schema({"$ref": f"{uri}#/definitions/id"}, read("tree.yaml").registry)
        assert violations(validator, 1) == ()
        assert violations(validator, 0) != ()


def test_sections() -> None:
    api = read("sections/asyncapi.yaml")
    assert (api.title, api.notes) == ("Sections", ())
    assert sides(api) == {"number": "send", "stop": "send", "start": "receive", "/more publish": "receive"}
    assert [example.payload for example in api.messages["number"].examples] == [{"value": 7}]
    assert not fits(api, "number", {"value": "7"})
    assert api.channels["/numbers"].servers == ("the server",)
    assert [scheme.scheme for scheme in api.servers["the server"].security] == ["basic"]
    assert api.messages["start"].where == ("components", "messages", "start")
