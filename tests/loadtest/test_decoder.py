"""Messages that were decoded as valid are read as `json` reads them."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from contract.model import load_contract
from loadtest.decoder import Decoder

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
