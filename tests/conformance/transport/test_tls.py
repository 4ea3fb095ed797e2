"""Whom to trust, and who we are: files that are not what they should be are named by their setting."""

from pathlib import Path

import pytest

from conformance.transport.tls import client_context
from contract.choices import Tls
from contract.errors import ContractError
from tests.conformance.certificates import Certificate, certificate


@pytest.fixture
def client(tmp_path: Path) -> Certificate:
    return certificate(tmp_path, "client.example.test")


def test_a_certificate_and_its_key(client: Certificate, tmp_path: Path) -> None:
    client_context(Tls(cert=str(client.cert), key=str(client.key)))
    both = tmp_path / "both.pem"
    both.write_bytes(client.cert.read_bytes() + client.key.read_bytes())
    client_context(Tls(cert=str(both)))


def refused(**files: Path | str) -> str:
    with pytest.raises(ContractError) as caught:
        client_context(Tls(**{name: str(value) for name, value in files.items()}))  # type: ignore[arg-type]
    assert "s3cret" not in str(caught.value)
    return str(caught.value)


def test_what_is_not_what_it_should_be(client: Certificate, tmp_path: Path) -> None:
    missing = tmp_path / "missing.pem"
    assert refused(cert=missing) == f"{missing}: tls.cert cannot be read: No such file or directory"
    assert refused(cert=client.cert, key=missing) == f"{missing}: tls.key cannot be read: No such file or directory"
    assert refused(cert=client.key, key=client.key) == f"{client.key}: tls.cert contains no PEM certificate"
    assert refused(cert=client.cert, key=client.cert) == f"{client.cert}: tls.key contains no PEM private key"
    assert refused(key=client.key) == f"{client.key}: tls.key needs tls.cert as well"
    lacking = f"{client.cert}: tls.cert contains no PEM private key; set tls.key to the file that does"
    assert refused(cert=client.cert) == lacking
    assert refused(ca=missing) == f"{missing}: tls.ca contains no certificates: No such file or directory"


def test_a_key_of_another_certificate(client: Certificate, tmp_path: Path) -> None:
    other = certificate(tmp_path, "other.example.test")
    found = refused(cert=client.cert, key=other.key)
    assert found == f"{other.key}: tls.key is not the key of the certificate in {client.cert}"


def test_a_key_with_a_password(tmp_path: Path) -> None:
    """Without it, the TLS library would ask at the terminal."""
    client = certificate(tmp_path, "client.example.test", "s3cret")
    files = {"cert": client.cert, "key": client.key}
    assert refused(**files) == f"{client.key}: tls.key is encrypted: set tls.key_password"
    wrong = refused(**files, key_password="s3cret-")
    assert wrong == f"{client.key}: tls.key cannot be decrypted with tls.key_password"
    client_context(Tls(cert=str(client.cert), key=str(client.key), key_password="s3cret"))


def test_a_file_that_only_looks_like_a_key(client: Certificate, tmp_path: Path) -> None:
    broken = tmp_path / "broken.key"
    broken.write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    assert refused(cert=client.cert, key=broken) == f"{broken}: tls.key contains no usable key"
