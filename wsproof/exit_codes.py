"""How the program ends. The codes are documented: scripts and CI depend on them."""

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of every command."""

    PASSED = 0
    """All is well; of a comparison: nothing became worse."""

    FAILED = 1
    """The endpoint is at fault, or too little is known of it; of a comparison: something became worse."""

    USAGE = 2
    """The command line or a file is wrong, something could not be written, or the program itself is at fault."""

    UNREACHABLE = 3
    """No connection to the endpoint came about."""

    INTERRUPTED = 130
    """By SIGINT or SIGTERM."""
