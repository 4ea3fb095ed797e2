"""Reads AsyncAPI documents as they are found; what is broken in one is noted and does not stop the rest."""
