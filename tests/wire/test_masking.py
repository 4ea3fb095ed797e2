"""RFC 6455 §5.3: masking is an exclusive or with a key that nobody can foresee."""

import threading

from hypothesis import given
from hypothesis import strategies as st

from wire.masking import KEY_BYTES, mask, new_key


@given(st.binary(max_size=300), st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES))
def test_masking_undoes_itself(payload: bytes, key: bytes) -> None:
    masked = mask(payload, key)
    assert masked == bytes(byte ^ key[index % KEY_BYTES] for index, byte in enumerate(payload))
    assert mask(masked, key) == payload


def test_every_thread_gets_keys_of_its_own() -> None:
    found: list[bytes] = []

    def draw() -> None:
        found.extend([new_key() for _ in range(10_000)])

    threads = [threading.Thread(target=draw) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert {len(key) for key in found} == {KEY_BYTES}
    # By chance, some 0.2 pairs of 40,000 keys of 32 bits are the same.
    assert len(set(found)) > 39_990
