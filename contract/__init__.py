"""Layer 0: reads `spec/` and `schemas/` into frozen dataclasses and compiled validators. Knows no socket."""
