"""Masking of what a client sends (RFC 6455 §5.3)."""

import os
import struct

try:
    from websockets.speedups import apply_mask
except ImportError:  # pragma: no cover  # a platform without compiled speedups
    from websockets.utils import apply_mask

KEY_BYTES = 4
"""Bytes of a masking key."""

_POOL_KEYS = 1024
_split = struct.Struct(f"{KEY_BYTES}s" * _POOL_KEYS).unpack
_keys: list[bytes] = []

mask = apply_mask
"""Masks a payload with a key of four bytes, or unmasks it: both are the same exclusive or."""


def new_key() -> bytes:
    """An unpredictable masking key; no two threads are given the same one."""
    try:
        return _keys.pop()
    except IndexError:
        # The system is asked for many at once: a call takes longer than masking.
        keys: tuple[bytes, ...] = _split(os.urandom(KEY_BYTES * _POOL_KEYS))
        _keys.extend(keys[1:])
        return keys[0]
