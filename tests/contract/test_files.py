"""YAML files with places, and what is refused."""

from pathlib import Path
from typing import Any

import pytest

from contract.errors import ContractError
from contract.files import MAX_FILE_BYTES, Document, load_yaml, parse_yaml, read_text

TEXT = """\
# A comment
name: value
list:
  - first
  - {inner: [1, 2], "quoted key": yes}
empty:
"""


def document(tmp_path: Path, text: str = TEXT) -> Document:
    path = tmp_path / "file.yaml"
    path.write_text(text, encoding="utf-8")
    return load_yaml(path)


def refused(tmp_path: Path, content: bytes) -> str:
    path = tmp_path / "file.yaml"
    path.write_bytes(content)
    with pytest.raises(ContractError) as caught:
        load_yaml(path)
    return str(caught.value).removeprefix(str(path))


class TestError:
    @pytest.mark.parametrize(
        ("error", "text"),
        [
            (ContractError("wrong"), "wrong"),
            (ContractError("wrong", "a.yaml"), "a.yaml: wrong"),
            (ContractError("wrong", Path("a.yaml"), 3), "a.yaml:3: wrong"),
            (ContractError("wrong", "a.yaml", 3, 7), "a.yaml:3:7: wrong"),
        ],
    )
    def test_text(self, error: ContractError, text: str) -> None:
        assert str(error) == text
        assert error.message == "wrong"


class TestPositions:
    @pytest.mark.parametrize(
        ("where", "place"),
        [
            ((), (2, 1)),
            (("name",), (2, 1)),
            (("list",), (3, 1)),
            (("list", 0), (4, 5)),
            (("list", 1, "inner"), (5, 6)),
            (("list", 1, "inner", 1), (5, 17)),
            (("list", 1, "quoted key"), (5, 21)),
            (("list", 7), (3, 1)),
            (("list", 1, "missing", "deeper"), (5, 5)),
            (("missing",), (2, 1)),
            (("name", "deeper", 3), (2, 1)),
        ],
    )
    def test_the_deepest_part_that_is_there(
        self, tmp_path: Path, where: tuple[str | int, ...], place: tuple[int, int]
    ) -> None:
        read = document(tmp_path)
        assert read.position(where) == place
        error = read.error("wrong", where)
        assert (error.line, error.column, error.file) == (*place, str(read.path))

    def test_columns_count_characters(self, tmp_path: Path) -> None:
        assert document(tmp_path, '{"あ😀": 1, b: 2}').position(("b",)) == (1, 11)

    def test_a_value_without_a_file(self) -> None:
        assert Document(Path("none"), {}, None).position(("a",)) == (1, 1)


class TestValues:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("true", True),
            ("no", "no"),
            ("on", "on"),
            ("Yes", "Yes"),
            ("True", "True"),
            ("~", None),
            ("null", None),
            ("", None),
            ("12", 12),
            ("-12", -12),
            ("012", 12),
            ("0x10", "0x10"),
            ("0o7", "0o7"),
            ("1_000", "1_000"),
            ("12:30", "12:30"),
            ("1.5", 1.5),
            ("1.", 1.0),
            (".5", 0.5),
            ("1e3", 1000.0),
            ("2025-07-28", "2025-07-28"),
            (".inf", ".inf"),
            ("=", "="),
            ('"12"', "12"),
            ("'a'", "a"),
            ("{}", {}),
        ],
    )
    def test_yaml_1_2(self, tmp_path: Path, text: str, value: Any) -> None:
        found = document(tmp_path, f"a: {text}\n").value["a"]
        assert (found, type(found)) == (value, type(value))

    def test_json_is_yaml(self, tmp_path: Path) -> None:
        assert document(tmp_path, '{"a": [1, null, "\\u3042"]}').value == {"a": [1, None, "あ"]}

    def test_a_key_is_its_text(self, tmp_path: Path) -> None:
        assert document(tmp_path, "{null: 1, true: {200: 2}, 1.0: 3, ~: 4}").value == {
            "null": 1,
            "true": {"200": 2},
            "1.0": 3,
            "~": 4,
        }


class TestRefused:
    @pytest.mark.parametrize(
        ("content", "error"),
        [
            (b"", ":1:1: the file is empty"),
            (b"# only a comment\n", ":1:1: the file is empty"),
            (b"a: 1\nb: 2\na: 3\n", ":3:1: duplicate key 'a'"),
            (b"a:\n  - {b: 1, b: 2}\n", ":2:12: duplicate key 'b'"),
            (b"1: x\n'1': y\n", ":2:1: duplicate key '1'"),
            (b"a: &x 1\nb: *x\n", ":2:4: YAML aliases are not supported; write the value out"),
            (b"a: 1\nb: \xff\n", ":2: expected UTF-8"),
            (b"a: 1\n\tb: 2\n", ":2:1: invalid YAML: "),
            (b"a: [1, 2\n", ":2:1: invalid YAML: "),
            (b"a: 1\n---\nb: 2\n", ":2:1: invalid YAML: "),
            (b"a: !!python/object/apply:os.getcwd []\n", ":1:4: invalid YAML: could not determine"),
            (b"a: !!int [1]\n", ":1:4: invalid YAML: expected a scalar node"),
            (b"a: !!int x\n", ": invalid YAML: invalid literal"),
            (b"a: !own 1\n", ":1:4: invalid YAML: could not determine"),
            (b"a: \x00\n", ": invalid YAML: "),
            (b"? [a, b]\n: 1\n", ":1:3: expected a string as the key"),
            (b"? {a: b}\n: 1\n", ":1:3: expected a string as the key"),
            (b"[" * 100_000, ":1:101: nested more than 100 levels deep"),
        ],
        ids=lambda value: value[:20] if isinstance(value, bytes) else None,
    )
    def test_with_its_place(self, tmp_path: Path, content: bytes, error: str) -> None:
        assert refused(tmp_path, content).startswith(error)

    def test_a_star_in_a_text_is_no_alias(self, tmp_path: Path) -> None:
        assert document(tmp_path, "a: '*x'\nb: 2 * 3\n").value == {"a": "*x", "b": "2 * 3"}

    def test_too_large(self, tmp_path: Path) -> None:
        assert refused(tmp_path, b"#" * (MAX_FILE_BYTES + 1)) == f": larger than {MAX_FILE_BYTES} bytes"

    def test_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(ContractError, match=r"none\.yaml: cannot be read: No such file"):
            read_text(tmp_path / "none.yaml")

    def test_a_folder(self, tmp_path: Path) -> None:
        with pytest.raises(ContractError, match="cannot be read: Is a directory"):
            read_text(tmp_path)


class TestAliases:
    """A foreign document may have them."""

    def test_aliases_where_they_are_welcome(self) -> None:
        found = parse_yaml("a: &x [1, &y {b: 2}]\nc: *x\nd: *y\n", Path("file.yaml"), aliases=True)
        assert found.value == {"a": [1, {"b": 2}], "c": [1, {"b": 2}], "d": {"b": 2}}
        assert found.position(("c", 1, "b")) == (1, 15)

    def test_aliases_take_no_time_to_read(self) -> None:
        """Fifteen of them stand for more values than there is memory for: nobody may walk through them yet."""
        lines = ["x0: &n0 [1, 2, 3]", *(f"x{n}: &n{n} [{', '.join([f'*n{n - 1}'] * 10)}]" for n in range(1, 15))]
        assert parse_yaml("\n".join(lines), Path("file.yaml"), aliases=True).value["x1"] == [[1, 2, 3]] * 10
