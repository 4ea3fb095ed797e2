"""References, fillings and paddings."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.language.values import (
    NONCE_DIGITS,
    InconclusiveError,
    ScenarioError,
    Values,
    new_nonce,
    substitute,
)
from contract.findings import phrase
from contract.profile import Profile
from tests.bundled import load_profile

PROFILE = load_profile()


@pytest.fixture
def values() -> Values:
    return made()


def made(profile: Profile = PROFILE) -> Values:
    return Values(profile, lambda name: f"channel-{name}")


class TestSpellings:
    """A text that differs in little from the one that a reference stands for."""

    @pytest.mark.parametrize(
        ("template", "value"),
        [
            ("${other-case:token.alice}", "ALICE-TOKEN"),
            ("x ${cut:token.alice}", "x alice-toke"),
            ("${full-width:channel.a1}", "ｃｈａｎｎｅｌ－ａ１"),
            ("${cut:other-case:token.bob}", "BOB-TOKE"),
        ],
    )
    def test_another(self, values: Values, template: str, value: str) -> None:
        assert values.render(template) == value

    @pytest.mark.parametrize(("spelling", "token"), [("other-case", "123-456"), ("full-width", "日本"), ("cut", "a")])
    def test_one_that_does_not_differ_shows_nothing(self, spelling: str, token: str) -> None:
        alice = replace(PROFILE.users["alice"], token=token)
        with pytest.raises(InconclusiveError, match=spelling):
            made(replace(PROFILE, users={"alice": alice})).render(f"${{{spelling}:token.alice}}")

    def test_an_unknown_one(self, values: Values) -> None:
        with pytest.raises(ScenarioError, match="unknown spelling 'upper'; known: base64, cut, full-width, other-case"):
            values.render("${upper:token.alice}")


class TestPaths:
    """Paths beside the endpoint's."""

    @pytest.mark.parametrize(
        ("target", "path", "parent"),
        [("/v1/socket", "/v1/socket", "/v1"), ("/v1/socket/?a=/b", "/v1/socket", "/v1"), ("/socket", "/socket", "/")],
    )
    def test_parts(self, target: str, path: str, parent: str) -> None:
        values = Values(PROFILE, str, target=target)
        parts = ["${endpoint.path}/x", "${endpoint.parent}", "${endpoint.root}"]
        assert values.render(parts) == [f"{path}/x", parent, "/"]

    @pytest.mark.parametrize("part", ["path", "parent", "root"])
    def test_an_endpoint_at_the_root_has_none(self, part: str) -> None:
        with pytest.raises(InconclusiveError, match="`/`"):
            Values(PROFILE, str, target="/?a=b").render(f"${{endpoint.{part}}}")

    def test_an_unknown_part(self) -> None:
        with pytest.raises(ScenarioError, match="unknown part 'host'"):
            Values(PROFILE, str, target="/a").render("${endpoint.host}")


class TestReferences:
    def test_a_nonce_is_the_same_in_one_scenario_only(self, values: Values) -> None:
        first = values.render("${nonce.a}")
        assert values.render("x ${nonce.a} y") == f"x {first} y"
        assert values.render("${nonce.b}") != first
        assert made().render("${nonce.a}") != first

    def test_a_nonce_is_digits(self) -> None:
        nonces = {new_nonce() for _ in range(500)}
        assert len(nonces) == 500
        for nonce in nonces:
            assert len(nonce) == NONCE_DIGITS
            assert nonce.isascii()
            assert nonce.isdigit()
            assert nonce[0] != "0"

    @pytest.mark.parametrize(
        ("template", "value"),
        [
            ("${channel.room}", "channel-room"),
            ("${token.alice}", "alice-token"),
            ("${token.expired}", "expired-token"),
            (
                ["${token.invalid}", {"a ${channel.x}": 1}],
                ["wsproof-invalid-token", {"a channel-x": 1}],
            ),
            ("no reference", "no reference"),
            ("$ {x} $x ${} ${a b}", "$ {x} $x ${} ${a b}"),
            (None, None),
            (1.5, 1.5),
        ],
    )
    def test_rendered(self, values: Values, template: Any, value: Any) -> None:
        assert values.render(template) == value

    def test_a_captured_value_keeps_its_type_where_it_stands_alone(self, values: Values) -> None:
        values.captured["n"] = 17
        assert values.render(["${n}", "n=${n}"]) == [17, "n=17"]

    @pytest.mark.parametrize("name", ["unheard", "nonce.", "channel.", "nonce"])
    def test_an_unknown_one_is_the_authors_mistake(self, values: Values, name: str) -> None:
        with pytest.raises(ScenarioError, match="no step before this one captures it"):
            values.render("${" + name + "}")

    @pytest.mark.parametrize(
        ("name", "setting"),
        [("dave", "users.dave"), ("expired", "tokens.expired"), ("expiring", "tokens.expiring")],
    )
    def test_a_token_that_the_profile_lacks(self, name: str, setting: str) -> None:
        with pytest.raises(InconclusiveError) as caught:
            made(Profile()).render("${token." + name + "}")
        assert caught.value.reason == phrase("lacking", setting=setting)


class TestSubstitute:
    """Names of variants, rounds and parameters, put in while a file is read."""

    @pytest.mark.parametrize(
        ("value", "result"),
        [
            ("${a}", {"x": 1}),
            ("a=${a} b=${b}", 'a={"x": 1} b=two'),
            ("${nonce.${b}}", "${nonce.two}"),
            ("${unknown} ${b}", "${unknown} two"),
            ({"${b}": ["${b}"]}, {"two": ["two"]}),
            (3, 3),
        ],
    )
    def test_substituted(self, value: Any, result: Any) -> None:
        assert substitute(value, {"a": {"x": 1}, "b": "two"}) == result


class TestFill:
    @given(
        st.integers(0, 300),
        st.integers(-2, 2),
        st.sampled_from(["x", "あ", "😀", "ab", "e\u0301"]),
        st.sampled_from(["", "${nonce.a} ", "あ"]),
    )
    def test_the_length_is_exact_in_code_points(self, length: int, offset: int, with_text: str, prefix: str) -> None:
        one = made()
        text = one.render({"$fill": {"length": length, "offset": offset, "with": with_text, "prefix": prefix}})
        start = one.render(prefix)
        assert text.startswith(start)
        assert len(text) == max(length + offset, len(start))
        assert set(text[len(start) :]) <= set(with_text)

    @pytest.mark.parametrize(("offset", "length"), [(0, 4096), (1, 4097), (-1, 4095)])
    def test_a_limit_by_name(self, values: Values, offset: int, length: int) -> None:
        fill = {"length": "text_length", "offset": offset, "with": "😀"}
        assert len(values.render({"$fill": fill})) == length

    def test_the_limit_is_the_profiles(self) -> None:
        small = load_profile(overrides={"limits.text_length": 257})
        filled = made(small).render({"$fill": {"length": "text_length", "with": "ab"}})
        assert filled == "ab" * 128 + "a"


class TestNoise:
    def test_it_is_the_same_for_a_whole_scenario_and_does_not_repeat_itself(self) -> None:
        one = made()
        first, again, other = (
            one.render({"$fill": {"length": 2000, "noise": name, "prefix": "x"}}) for name in ("a", "a", "b")
        )
        assert first == again != other
        assert len(first) == 2000
        assert len({first[start : start + 16] for start in range(1, 1984)}) > 1_980


class TestPad:
    @given(st.text(max_size=50), st.integers(-3, 3))
    def test_the_size_is_exact_in_bytes(self, text: str, offset: int) -> None:
        value = {"event": "e", "payload": {"text": text}}
        padded = made().render({"$pad": {"json": value, "bytes": 1_000, "offset": offset}})
        assert len(padded.encode()) == 1_000 + offset
        assert json.loads(padded) == value

    def test_a_limit_by_name(self, values: Values) -> None:
        padded = values.render({"$pad": {"json": ["${channel.あ}", "${nonce.n}"], "bytes": "message_bytes"}})
        assert len(padded.encode()) == 65_536
