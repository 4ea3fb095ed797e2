"""What is read quickly is read as it is read slowly: JSON as `json` reads it, date-times as the contract has them."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from contract.schemas import is_date_time
from loadtest.users.decoder import Decoder
from tests.bundled import load_contract

TEXTS = st.text(st.characters())  # with lone surrogates, which JSON can write
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
DECODER = Decoder(load_contract())


@given(st.dictionaries(TEXTS, VALUES, max_size=5))
def test_plain_is_what_json_reads(value: dict[str, Any]) -> None:
    data = json.dumps(value).encode()
    assert DECODER.plain(data) == json.loads(data)


STAMPS = st.builds(
    "{}T{}:0{}{}{}".format,
    st.sampled_from(["2026-11-30", "2024-02-29", "2023-02-29", "2026-13-01"]),
    st.sampled_from(["12:00", "24:00", "09:59"]),
    st.sampled_from("019x"),
    st.sampled_from(["", ".", ".1", ".123", ".١", ".123456789", "1", ".5 "]),
    st.sampled_from(["Z", "z", "+09:00", "+0900", "", "Z ", "1Z"]),
)


@given(st.lists(STAMPS, min_size=1, max_size=30))
def test_date_times_are_valid_whatever_came_before(stamps: list[str]) -> None:
    decoder = Decoder(load_contract())
    for stamp in stamps:
        assert decoder.are_times(stamp) == is_date_time(stamp), stamp
