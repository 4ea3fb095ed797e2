"""What a reference server is started with."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from contract.folder import ContractFolder, find_contract
from contract.profile import Profile, load_profile

DEFAULT_PATH = "/v1/socket"


def spoken() -> ContractFolder:
    """The contract that the reference server speaks: the chat's."""
    return find_contract("chat")


def default_profile() -> Profile:
    """The profile of a server that is told nothing."""
    return load_profile(None, contract=spoken())


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Options of one server.

    `port` 0 takes a free one; `path` defaults to that of the profile's endpoint. With `certificate` (PEM, with its
    chain) and `key` the server speaks TLS. `rate_limit` is in messages a second for each connection; None: no limit.
    `write_buffer` is how many bytes may wait for one slow reader; when it is more, its connection is closed with the
    profile's code for `policy` (1008). `close_timeout` is how many seconds a client gets to answer a close frame.
    `faults` are names out of `reference_server.faults`, `liberties` out of `reference_server.variants`.
    """

    profile: Profile = field(default_factory=default_profile)
    host: str = "127.0.0.1"
    port: int = 8765
    path: str | None = None
    certificate: Path | None = None
    key: Path | None = None
    rate_limit: float | None = None
    write_buffer: int = 1_048_576
    close_timeout: float = 5.0
    faults: tuple[str, ...] = ()
    liberties: tuple[str, ...] = ()

    @property
    def endpoint_path(self) -> str:
        """The path that clients connect to."""
        if self.path is not None:
            return self.path
        return urlsplit(self.profile.endpoint).path or "/" if self.profile.endpoint else DEFAULT_PATH

    def url(self, host: str, port: int) -> str:
        """The endpoint's URL, without any token. An address that stands for all is shown as the loopback's."""
        scheme = "wss" if self.certificate is not None else "ws"
        shown = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)
        return f"{scheme}://{f'[{shown}]' if ':' in shown else shown}:{port}{self.endpoint_path}"
