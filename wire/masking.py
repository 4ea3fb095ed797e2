"""Masking of what a client sends (RFC 6455 §5.3)."""

try:
    from websockets.speedups import apply_mask
except ImportError:  # pragma: no cover  # a platform without compiled speedups
    from websockets.utils import apply_mask

mask = apply_mask
"""Masks a payload with a key of four bytes (RFC 6455 §5.3)."""
