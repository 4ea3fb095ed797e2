"""What virtual users and processes are called in the load document: phrases, since a report may be in any language.

While a run goes on, a user is its number, and a process whatever key its collector has for it.
"""

from contract.findings import Phrase, phrase

LOCAL = "local"
"""The key of a process that plays alone."""


def user(number: str) -> Phrase:
    """A virtual user."""
    return phrase("load-user", user=number)


def stranger() -> Phrase:
    """A poster of whom nobody told."""
    return phrase("load-user-unknown")


def this_process() -> Phrase:
    """The only process of a run."""
    return phrase("load-this-process")


def worker(number: int, host: str | None) -> Phrase:
    """A process among several; with its host if it may be on another machine."""
    if host is None:
        return phrase("load-worker", worker=number)
    return phrase("load-worker-on", worker=number, host=host)
