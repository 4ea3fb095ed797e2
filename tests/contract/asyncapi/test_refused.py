"""What is no AsyncAPI document, and what would take too long to read."""

from pathlib import Path

import pytest

from contract.asyncapi.document import read_asyncapi
from contract.errors import ContractError
from contract.schemas import compile_schema

HEAD = "asyncapi: 3.0.0\ninfo: {title: t, version: 1.0.0}\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "asyncapi.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("[]\n", ":1:1: expected an AsyncAPI document: a mapping with the member 'asyncapi'"),
        ("openapi: 3.0.0\n", ":1:1: expected an AsyncAPI document: a mapping with the member 'asyncapi'"),
        ("info: {}\nasyncapi: 1.2.0\n", ":2:1: asyncapi: expected version 2 or 3; got '1.2.0'"),
        ("asyncapi: [3]\n", ":1:1: asyncapi: expected version 2 or 3; got '[3]'"),
        ("asyncapi: 3.0.0\nchannels: {}\n", ":1:1: expected the member 'info'"),
        ("asyncapi: 2.6.0\ninfo: {}\n", ":1:1: expected the member 'channels'"),
        (f"{HEAD}channels: []\n", ":3:1: channels: expected a mapping of names to values"),
        (f"{HEAD}channels: {{}}\nchannels: {{}}\n", ":4:1: duplicate key 'channels'"),
        ("asyncapi: &here {more: *here}\n", ": nested more than 100 levels deep"),
        ("asyncapi: [\n", ":2:1: invalid YAML: "),
        ("", ":1:1: the file is empty"),
    ],
)
def test_with_its_place(tmp_path: Path, text: str, error: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ContractError) as caught:
        read_asyncapi(path)
    assert str(caught.value).removeprefix(str(path)).startswith(error)


def test_a_document_without_messages(tmp_path: Path) -> None:
    api = read_asyncapi(written(tmp_path, f"{HEAD}channels: {{}}\n"))
    assert (api.title, api.version, api.messages, api.channels, api.notes) == ("t", "1.0.0", {}, {}, ())


def test_aliases_that_stand_for_millions_of_values(tmp_path: Path) -> None:
    lines = ["x-0: &n0 [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]"]
    lines += [f"x-{n}: &n{n} [{', '.join([f'*n{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(ContractError, match="more than 1000000 values, with the aliases written out"):
        read_asyncapi(written(tmp_path, HEAD + "\n".join(lines)))


def test_a_chain_of_schemas_that_no_call_could_follow(tmp_path: Path) -> None:
    lines = [f'    s{n}: {{$ref: "#/components/schemas/s{n + 1}"}}' for n in range(500)]
    text = (
        f'{HEAD}channels: {{c: {{messages: {{m: {{payload: {{$ref: "#/components/schemas/s0"}}}}}}}}}}\n'
        'operations: {o: {action: send, channel: {$ref: "#/channels/c"}}}\n'
        "components:\n  schemas:\n" + "\n".join(lines) + "\n    s500: {type: string}\n"
    )
    api = read_asyncapi(written(tmp_path, text))
    validator = compile_schema(api.messages["m"].schema, api.registry)
    assert validator.judge.is_valid(1)
    assert {note.text for note in api.notes} == {
        "more than 30 schemas refer to each other in a chain; the rest is not checked"
    }


def test_a_place_that_is_no_file(tmp_path: Path) -> None:
    text = f"{HEAD}channels: {{c: {{$ref: '.'}}, d: {{$ref: 'file://host/x.yaml'}}, e: {{$ref: '#c'}}}}\n"
    api = read_asyncapi(written(tmp_path, text))
    assert [note.text for note in api.notes] == [
        f"$ref to '.': there is no file {tmp_path}",
        "$ref to 'file://host/x.yaml': only local files are read; download it and refer to the copy",
        "$ref to '#c': '#c' is not a JSON pointer; one starts with '#/'",
    ]
    assert api.channels == {}
