"""Layer 3: the launcher and the command line. Nothing imports this but tests."""

__version__ = "0.1.0"
