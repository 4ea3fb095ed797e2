"""The way to an endpoint: through a proxy, and over TLS on both sides; what does not lead there is told at once."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reference_server.core.settings import ServerSettings
from reference_server.network import running
from tests.bundled import load_profile
from tests.conformance.certificates import Certificate, certificate, server_context
from tests.conformance.connect_proxy import ConnectProxy, refusing
from tests.evidence.edge import edge_before, port_of
from tests.wsproof.command import complaint, read, wsproof

NAME = "chat.example.test"
TIMES = {"heartbeat.interval": "1s", "heartbeat.timeout": "2s"}
SET = [word for name, value in TIMES.items() for word in ("--set", f"{name}={value}")]
SELECT = ("--select", "CONN-01", "--select", "CONN-08", "--select", "AUTH-01")
LOAD = ("--users", "3", "--time", "5s", "--processes", "2", "--threshold", "errors == 0")


@contextmanager
def reference() -> Iterator[str]:
    with running(ServerSettings(profile=load_profile(None, TIMES), port=0)) as server:
        yield server.url


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[Certificate, Certificate]:
    """The server's and the client's; the latter's key has a password."""
    folder = tmp_path_factory.mktemp("certificates")
    return certificate(folder, NAME), certificate(folder, "client.example.test", "s3cret-key")


@contextmanager
def mutual_tls(certificates: tuple[Certificate, Certificate], folder: Path) -> Iterator[str]:
    """The reference server where TLS wants a certificate and its own name, and a profile in `folder` that has both."""
    own, client = certificates
    (folder / "certs").mkdir()
    for one in (own.cert, client.cert, client.key):
        (folder / "certs" / one.name).write_bytes(one.read_bytes())
    (folder / "wsproof.yaml").write_text(
        "heartbeat: {interval: 1s, timeout: 2s}\n"
        f"tls: {{ca: certs/{own.cert.name}, cert: certs/{client.cert.name}, key: certs/{client.key.name},\n"
        f'  key_password: "${{PASSWORD}}", server_name: {NAME}}}\n',
        encoding="utf-8",
    )
    context = server_context(own, client, NAME)
    with reference() as url, edge_before(url, tls=context) as outside:
        yield outside


@pytest.mark.slow
def test_mutual_tls(certificates: tuple[Certificate, Certificate], tmp_path: Path) -> None:
    """From another folder than the profile's, whose paths are its own."""
    profile = tmp_path / "profile"
    profile.mkdir()
    options = ("--profile", "profile/wsproof.yaml")
    with mutual_tls(certificates, profile) as url:
        done = wsproof("check", url, *options, *SELECT, folder=tmp_path, PASSWORD="s3cret-key")
        assert done.returncode == 0, done.stdout + done.stderr
        done = wsproof("load", url, *options, *LOAD, folder=tmp_path, PASSWORD="s3cret-key")
        assert done.returncode == 0, done.stdout + done.stderr
        # Neither without the certificate, nor under another name.
        without = complaint("check", url, *options, "--set", "tls.cert=null", folder=tmp_path, PASSWORD="s3cret-key")
        assert without.endswith("client.example.test.key: tls.key needs tls.cert as well")
        known = ("--set", f"tls.ca={profile / 'certs' / f'{NAME}.pem'}", "--set", f"tls.server_name={NAME}")
        plain = profile / "plain.yaml"
        plain.write_text("{}", encoding="utf-8")
        done = wsproof("check", url, "--profile", plain, *known, folder=tmp_path)
        assert done.returncode == 3, done.stderr
        done = wsproof(
            "check", url, *options, "--set", "tls.server_name=a.test", folder=tmp_path, PASSWORD="s3cret-key"
        )
        assert done.returncode == 3, done.stderr


@pytest.mark.parametrize("command", ["check", "load"])
def test_a_file_that_is_not_there(command: str, tmp_path: Path) -> None:
    (tmp_path / "wsproof.yaml").write_text("tls: {cert: client.pem}", encoding="utf-8")
    found = complaint(command, "wss://127.0.0.1:1/", folder=tmp_path)
    assert found == "client.pem: tls.cert cannot be read: No such file or directory"


@pytest.mark.slow
@pytest.mark.parametrize("secure", [True, False])
def test_the_environment_s_proxy(secure: bool, certificates: tuple[Certificate, Certificate], tmp_path: Path) -> None:
    """It alone knows the endpoint's name; check and load get there through it, and only through it."""
    own, _ = certificates
    tls = server_context(own, name=NAME) if secure else None
    scheme, variable, port = ("wss", "HTTPS_PROXY", 443) if secure else ("ws", "HTTP_PROXY", 80)
    url, trust = f"{scheme}://{NAME}/v1/socket", ("--set", f"tls.ca={own.cert}")
    with (
        reference() as behind,
        edge_before(behind, tls=tls) as outside,
        ConnectProxy(port_of(outside), "ci:s3cret-p").running() as proxy,
    ):
        way = {variable: f"http://ci:s3cret-p@127.0.0.1:{proxy.port}"}
        done = wsproof("check", url, *SET, *trust, *SELECT, folder=tmp_path, **way)
        assert done.returncode == 0, done.stdout + done.stderr
        checked = len(proxy.asked)
        done = wsproof("load", url, *SET, *trust, *LOAD, folder=tmp_path, **way)
        assert done.returncode == 0, done.stdout + done.stderr
        assert set(proxy.asked) == {f"{NAME}:{port}"}
        assert 1 < checked < len(proxy.asked)
        outputs = [done.stdout, done.stderr, *(one.read_text() for one in (tmp_path / "wsproof-report").iterdir())]
        assert not any("s3cret-p" in one for one in outputs)
        # NO_PROXY: nobody else knows the name.
        asked = len(proxy.asked)
        done = wsproof("check", url, *trust, folder=tmp_path, NO_PROXY="example.test", **way)
        assert (done.returncode, len(proxy.asked)) == (3, asked), done.stderr


@pytest.mark.slow
def test_the_profile_s_proxy(tmp_path: Path) -> None:
    with reference() as behind, ConnectProxy(port_of(behind), "ci:s3cret-p").running() as proxy:
        (tmp_path / "wsproof.yaml").write_text(
            f'endpoint: ws://{NAME}/v1/socket\nproxy: "http://ci:${{PASSWORD}}@127.0.0.1:{proxy.port}"\n'
            "heartbeat: {interval: 1s, timeout: 2s}\n",
            encoding="utf-8",
        )
        done = wsproof("check", *SELECT, folder=tmp_path, PASSWORD="s3cret-p")
        assert done.returncode == 0, done.stdout + done.stderr
        asked = len(proxy.asked)
        for command in ("check", "load"):
            done = wsproof(command, folder=tmp_path, PASSWORD="s3cret-wrong")
            expected = (
                f"the proxy http://127.0.0.1:{proxy.port}: the proxy refused to connect to the endpoint: 407 Proxy "
            )
            assert (done.returncode, expected in done.stderr, "s3cret" in done.stderr) == (3, True, False), done.stderr
        assert asked > 3


@pytest.mark.slow
@pytest.mark.parametrize("proxy", ["socks5://u:s3cret@p:1", "https://u:s3cret@p:1"])
def test_proxies_that_are_not_spoken_to(proxy: str, tmp_path: Path) -> None:
    for command in ("check", "load"):
        found = complaint(command, f"ws://{NAME}/", folder=tmp_path, HTTP_PROXY=proxy)
        assert found.startswith("HTTP_PROXY: ")
        assert "supported; expected http://HOST:PORT" in found
        assert "s3cret" not in found


@pytest.mark.slow
def test_the_embedded_server_is_never_asked_for_elsewhere(tmp_path: Path) -> None:
    with ConnectProxy(1).running() as proxy:
        (tmp_path / "wsproof.yaml").write_text(f"proxy: http://127.0.0.1:{proxy.port}\n", encoding="utf-8")
        done = wsproof("check", "--reference", *SET, *SELECT, folder=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        done = wsproof("load", "--reference", *SET, *LOAD, folder=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        assert proxy.asked == []


@pytest.mark.slow
def test_a_proxy_that_fails_within_a_run_convicts_nobody(tmp_path: Path) -> None:
    """From the fifth connection on it refuses; what was decided before stays, and nothing fails."""
    refuse = refusing(403)
    with reference() as behind, ConnectProxy(port_of(behind)).running() as proxy:
        proxy.answer = lambda number: refuse(number) if number > 4 else None
        way = {"HTTP_PROXY": f"http://127.0.0.1:{proxy.port}"}
        url = f"ws://{NAME}/v1/socket"
        done = wsproof("check", url, *SET, "--select", "CONN", "--select", "AUTH", folder=tmp_path, **way)
        document = read(tmp_path / "wsproof-report" / "results.json")
        assert [one["id"] for one in document["requirements"] if one["verdict"] == "failed"] == [], done.stdout
        assert document["outages"] == []
        assert "the proxy refused to connect to the endpoint: 403 Forbidden" in str(document)
        assert done.returncode == 1
        proxy.answer = lambda number: refuse(number) if number > len(before) + 3 else None
        before = tuple(proxy.asked)
        done = wsproof("load", url, *SET, "--users", "2", "--time", "1s", folder=tmp_path, **way)
        document = read(tmp_path / "wsproof-report" / "load.json")
        (error,) = document["errors"]
        assert error["message"].startswith("the handshake was not accepted: the proxy refused to connect"), done.stdout


def test_where_the_proxy_itself_is_not(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for command in ("check", "load"):
        way = {"HTTP_PROXY": f"127.0.0.1:{port}"}
        done = wsproof(command, f"ws://{NAME}/v1/socket", folder=tmp_path, **way)
        assert done.returncode == 3
        expected = f"the proxy http://127.0.0.1:{port}: the connection to the proxy failed (ECONNREFUSED)"
        assert expected in done.stderr
