"""Certificates for tests, and TLS servers that have them."""

import ipaddress
import shutil
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True, slots=True)
class Certificate:
    """PEM files of a certificate that is its own authority."""

    cert: Path
    key: Path


def certificate(folder: Path, name: str, password: str | None = None) -> Certificate:
    """Make one for a host's name or address."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("a certificate cannot be made without openssl")
    made = Certificate(folder / f"{name}.pem", folder / f"{name}.key")
    command = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -days 2"
    sealed = ["-nodes"] if password is None else ["-passout", f"pass:{password}"]
    names = ["-subj", f"/CN={name}", "-addext", f"subjectAltName={_kind(name)}:{name}"]
    files = ["-keyout", str(made.key), "-out", str(made.cert)]
    subprocess.run([openssl, *command.split(), *sealed, *names, *files], check=True, capture_output=True)
    return made


def _kind(name: str) -> str:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return "DNS"
    return "IP"


def server_context(own: Certificate, client: Certificate | None = None, name: str | None = None) -> ssl.SSLContext:
    """TLS of a server, which wants the client's certificate, and to be asked for by its name (SNI)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own.cert, own.key)
    if client is not None:
        context.load_verify_locations(client.cert)
        context.verify_mode = ssl.CERT_REQUIRED
        # With TLS 1.2 the server's answer to a client without one is part of the handshake.
        context.maximum_version = ssl.TLSVersion.TLSv1_2

    def asked(_: ssl.SSLObject, asked_for: str | None, __: ssl.SSLContext) -> int | None:
        return None if name in (None, asked_for) else ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME

    context.sni_callback = asked
    return context
