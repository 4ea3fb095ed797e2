"""Offers of compression, and messages compressed in unusual ways."""

import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import NegotiationError

from wire.deflate import TAIL, Deflate, Offer, Way, compressed

WAYS: tuple[Way, ...] = ("plain", "stored", "blocks", "last")


def inflated(data: bytes, bits: int = 15) -> bytes:
    return zlib.decompressobj(wbits=-bits).decompress(data + TAIL)


class TestCompressed:
    @given(st.binary(max_size=600), st.sampled_from(WAYS))
    def test_it_inflates_to_what_it_was(self, payload: bytes, way: Way) -> None:
        assert inflated(compressed(payload, way)) == payload

    @pytest.mark.parametrize("way", WAYS)
    def test_the_smallest_window_does(self, way: Way) -> None:
        """Fed piece by piece, so that zlib needs its window for what lies further back."""
        digits = random.Random(1)
        noise = "".join(str(digits.randrange(10)) for _ in range(400)).encode()
        inflater = zlib.decompressobj(wbits=-8)
        whole = b"".join(inflater.decompress(bytes([byte])) for byte in compressed(noise * 3, way) + TAIL)
        assert whole == noise * 3

    def test_the_ways_differ(self) -> None:
        payload = b"compressed compressed compressed"
        assert len({compressed(payload, way) for way in WAYS}) == len(WAYS)
        assert payload in compressed(payload, "stored")
        assert compressed(payload, "blocks").count(TAIL) > 2


class TestOffer:
    @pytest.mark.parametrize(("bits", "value"), [(8, "8"), (9, "9"), (15, "15"), (True, None)])
    def test_the_clients_window(self, bits: int | bool, value: str | None) -> None:
        assert Offer(Deflate(client_max_window_bits=bits)).get_request_params() == [("client_max_window_bits", value)]

    @pytest.mark.parametrize("offered", [8, True])
    def test_an_answer_of_8_is_taken(self, offered: int | bool) -> None:
        coder = Offer(Deflate(client_max_window_bits=offered)).process_response_params(
            [("client_max_window_bits", "8")], []
        )
        assert coder.local_max_window_bits == 9

    def test_an_answer_that_does_not_fit_is_not(self) -> None:
        with pytest.raises(NegotiationError):
            Offer(Deflate(server_max_window_bits=9)).process_response_params([("server_max_window_bits", "10")], [])
