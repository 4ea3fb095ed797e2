"""The tester's own troubles: what this machine lacks says nothing about the endpoint.

Such a trouble is raised wherever it shows, ends the run, and is named as what it is: it is never a finding.
"""

import contextlib
import errno
import ssl
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, TypeGuard

from contract.findings import Phrase, message_of, phrase

_KINDS: Mapping[int, str] = MappingProxyType(
    {
        errno.EMFILE: "descriptors",
        errno.ENFILE: "descriptors",
        errno.EADDRNOTAVAIL: "ports",
        errno.EADDRINUSE: "ports",
        errno.ENOBUFS: "memory",
        errno.ENOMEM: "memory",
        errno.ENETDOWN: "route",
        errno.ENETUNREACH: "route",
        errno.EHOSTDOWN: "route",
        errno.EHOSTUNREACH: "route",
        errno.EACCES: "forbidden",
        errno.EPERM: "forbidden",
    }
)
"""What a socket's error tells of this machine; any other error is the peer's, or the network's."""


class OwnTroubleError(Exception):
    """This machine lacks something that the run needs."""

    def __init__(self, trouble: Phrase) -> None:
        super().__init__(str(trouble))
        self.trouble = trouble


def own_trouble(error: OSError) -> Phrase | None:
    """What an error of a socket says of this machine; None: nothing."""
    # Those of TLS have numbers of their own.
    kind = None if isinstance(error, ssl.SSLError) else _KINDS.get(error.errno or 0)
    return None if kind is None else phrase(f"trouble-{kind}", error=errno.errorcode[error.errno or 0])


def refuse_own(error: OSError) -> None:
    """Raise `OwnTroubleError` where an error is this machine's."""
    trouble = own_trouble(error)
    if trouble is not None:
        raise OwnTroubleError(trouble) from error


@contextlib.contextmanager
def own_troubles() -> Iterator[None]:
    """Inside the block an `OSError` of this machine becomes an `OwnTroubleError`."""
    try:
        yield
    except OSError as error:
        refuse_own(error)
        raise


def fault(error: Exception) -> Phrase:
    """What is said of an exception that ended a scenario, or the run."""
    if isinstance(error, OwnTroubleError):
        return error.trouble
    return phrase("own-fault", error=f"{type(error).__name__}: {error}")


def own_error(errors: Iterable[Mapping[str, Any]]) -> Phrase | None:
    """Of the errors of a load document, the first one that is this machine's, or a fault of ours; None: none is."""
    own = (message_of(one) for one in errors if is_own(one.get("code")))
    return next((one for one in own if isinstance(one, Phrase)), None)


def is_own(code: object) -> bool:
    """Whether a phrase with this code says that the tester was at fault, and not the endpoint."""
    return isinstance(code, str) and (code.startswith("trouble-") or code == "own-fault")


def is_trouble(reason: object) -> TypeGuard[Phrase]:
    """Whether a reason is one of these, and no fault in the program."""
    return isinstance(reason, Phrase) and reason.code.startswith("trouble-")
