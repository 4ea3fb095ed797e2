"""How TLS is spoken to an endpoint: whom to trust, and who we are."""

import ssl
from pathlib import Path

from contract.choices import Tls
from contract.errors import ContractError


def client_context(tls: Tls) -> ssl.SSLContext:
    """The context for all connections of a run.

    Raises `ContractError` where a file cannot be read, or holds something else than it should.
    """
    try:
        context = ssl.create_default_context(cafile=tls.ca)
    except OSError as error:
        raise ContractError(f"tls.ca contains no certificates: {error.strerror or error}", tls.ca) from None
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if tls.cert is not None:
        _identify(context, tls, tls.cert)
    elif tls.key is not None:
        raise ContractError("tls.key needs tls.cert as well", tls.key)
    return context


def _identify(context: ssl.SSLContext, tls: Tls, cert: str) -> None:
    """Load the client's certificate and its key, which may stand in one file."""
    key, option = (tls.key, "tls.key") if tls.key is not None else (cert, "tls.cert")
    if b"-----BEGIN CERTIFICATE-----" not in _read(cert, "tls.cert"):
        raise ContractError("tls.cert contains no PEM certificate", cert)
    text = _read(key, option)
    if b"PRIVATE KEY-----" not in text:
        where = "" if tls.key is not None else "; set tls.key to the file that does"
        raise ContractError(f"{option} contains no PEM private key{where}", key)
    encrypted = b"ENCRYPTED" in text
    if encrypted and tls.key_password is None:
        raise ContractError(f"{option} is encrypted: set tls.key_password", key)
    try:
        # Without a password of ours, the library would ask for one at the terminal.
        context.load_cert_chain(cert, key, password=tls.key_password or "")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise ContractError(f"{option} is not the key of the certificate in {cert}", key) from None
        problem = "cannot be decrypted with tls.key_password" if encrypted else "contains no usable key"
        raise ContractError(f"{option} {problem}", key) from None


def _read(path: str, option: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ContractError(f"{option} cannot be read: {error.strerror or error}", path) from None
