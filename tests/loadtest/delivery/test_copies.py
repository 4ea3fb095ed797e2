"""Copies of deliveries are recognised, and nothing else is."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from loadtest.delivery.copies import MAX_BYTES, MAX_COPIES, Copies
from loadtest.delivery.deliveries import Known
from loadtest.delivery.entries import Stream
from loadtest.delivery.one_order import OneOrder

STREAM = Stream(b"0010000001", "room", "user 1", b"123456780010000001" + b"12345", 0)
KNOWN = Known(1, "m-1", OneOrder().view("room", "user 1"))


FORMS = ("head", "tail", "compact")


def message(sequence: Any, text: str = "hello", form: str = "head", **more: Any) -> bytes:
    numbered = {} if sequence is UNSET else {"sequence": sequence}
    payload = {"payload": {"text": text}}
    parts = {**payload, **numbered} if form == "tail" else {**numbered, **more, **payload}
    separators = (",", ":") if form == "compact" else None
    return json.dumps({"event": "new_message", **parts}, separators=separators).encode()


def kept(*messages: tuple[bytes, Any]) -> Copies:
    copies = Copies()
    for number, (data, sequence) in enumerate(messages, 1):
        copies.keep(data, (sequence, "room", "hello", "a", "A", f"m-{number}", "t"), STREAM, number, KNOWN)
    return copies


@given(st.integers(0, 2**49), st.integers(0, 10**15 - 1), st.sampled_from(FORMS))
def test_a_copy_with_another_number_is_recognised(first: int, second: int, form: str) -> None:
    copies = kept((message(first, form=form), first))
    copy = copies.find(message(second, form=form))
    assert copy is not None
    assert (copies.sequence, copy.number) == (second, 1)


def test_messages_without_numbers_are_recognised_by_all_their_bytes() -> None:
    copies = kept((message(UNSET), UNSET))
    assert copies.find(message(UNSET)) is not None
    assert copies.sequence is None
    assert copies.find(message(5)) is None


@pytest.mark.parametrize(
    "data",
    [
        message(18, "hullo"),
        message(18).replace(b"new_message", b"new-message"),
        message(18).replace(b"18", b"018"),
        message(18).replace(b"18", b"18.0"),
        message(18).replace(b"18", b"-8"),
        message(18).replace(b"18", b'"18"'),
        message(18).replace(b"18", b"1" * 16),
        message(18).replace(b"18", "１８".encode()),
        message(18).replace(b'"payload"', b'"payload": 1, "payload"'),
        message(18, more=1),
        message(18)[:-1],
        message(18) + b" ",
        b"",
    ],
)
def test_whatever_differs_otherwise_is_not(data: bytes) -> None:
    assert kept((message(17), 17)).find(data) is None


def test_a_second_number_is_left_alone() -> None:
    twice = b'{"event":"new_message","sequence":17,"payload":{"text":"hello"},"sequence":17}'
    assert not kept((twice, 17)).kept
    assert kept((message(17, more=17), 17)).find(message(18, more=18)) is None


def test_a_text_that_looks_like_a_number_is_a_text() -> None:
    copies = kept((message(17, '"sequence":5,'), 17))
    assert copies.find(message(18, '"sequence":6,')) is None
    assert copies.find(message(18, '"sequence":5,')) is not None
    assert copies.sequence == 18


def test_a_message_is_copied_only_in_its_own_form() -> None:
    copies = kept((message(17), 17))
    assert copies.find(message(18, form="tail")) is None
    assert copies.find(message(18, form="compact")) is None


def test_what_is_remembered_is_bounded() -> None:
    copies = kept((message(1, "x" * MAX_BYTES), 1))
    assert not copies.kept
    for number in range(2 * MAX_COPIES + 5):
        copies.keep(message(7, f"text {number}"), (7, "room", "", "", "", "", ""), STREAM, number, KNOWN)
    assert copies.find(message(8, "text 0")) is None
    assert copies.find(message(8, f"text {2 * MAX_COPIES}")) is not None
    copies.forget()
    copies.forget()
    assert not copies.kept
