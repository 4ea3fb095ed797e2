"""Runs that end before their time: interrupted, and killed."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection

from contract.files import DATA_ROOT
from contract.schemas import compile_schema
from tests.bundled import load_profile
from tests.conformance.chat import say
from tests.conformance.servers import websocket_server
from tests.slow import slow_but
from tests.wsproof.command import complaint, lines, read, started, surroundings, wait_until, within, wsproof

REPORTS = {"results.json", "results.jsonl", "report.html", "junit.xml"}


class Silent:
    """A server that acknowledges and says nothing more; it keeps what it was closed with."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.acknowledged = 0
        self.closes: list[int | None] = []

    @contextmanager
    def serve(self) -> Iterator[str]:
        with websocket_server(self.handle) as url:
            yield url

    def handle(self, connection: ServerConnection) -> None:
        say(connection, "connection_ack", {"sessionId": str(id(connection))})
        with self.lock:
            self.acknowledged += 1
        try:
            while True:
                connection.recv()
        except ConnectionClosed as closed:
            with self.lock:
                self.closes.append(closed.rcvd.code if closed.rcvd is not None else None)


@pytest.mark.parametrize("number", slow_but([signal.SIGINT], [signal.SIGINT, signal.SIGTERM]))
def test_a_signal_closes_the_connections_and_the_reports_are_written(tmp_path: Path, number: signal.Signals) -> None:
    server = Silent()
    out = tmp_path / "out"
    with server.serve() as url:
        options = ("--select", "HB-01", "--select", "HB-03", "--jobs", "50", "--output", out)
        with started("check", url, *options, folder=tmp_path) as check:
            wait_until(lambda: server.acknowledged >= 3, check)
            check.send_signal(number)
            shown, said = check.communicate()
    assert check.returncode == 130, shown + said
    assert len(server.closes) == server.acknowledged >= 3
    assert set(server.closes) == {1000}
    assert {path.name for path in out.iterdir()} == REPORTS
    document = read(out / "results.json")
    assert not document["complete"]
    assert document["verdict"] == "incomplete"
    assert document["outcome"]["reasons"] == ["the run was cut off"]
    assert not document["outcome"]["passed"]
    unfinished = [one for one in document["scenarios"] if one["verdict"] == "untested"]
    assert {one["reason"] for one in unfinished} == {"not finished: the run was cut off"}
    assert "This run was cut off." in shown
    assert "interrupted; closing connections" in said
    assert json.loads((out / "results.jsonl").read_text().splitlines()[-1])["complete"] is False


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    """Whatever the first one's doing is waiting for; the lock goes as well."""
    code = f"""
import time
from pathlib import Path
from wsproof.interruption import Interruption
from wsproof.output.locking import sole_writer
with sole_writer(Path({str(tmp_path)!r}), "check"), Interruption(lambda: None, "the first"):
    print("ready", flush=True)
    time.sleep(3600)
"""
    with started_code(code) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        assert process.stderr.readline() + process.stderr.readline() == "\nthe first\n"
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130
    assert [*tmp_path.iterdir()] == []


SIGNALLED = """
import os, signal, sys

class Signalling:
    def find_spec(self, name, *rest):
        if name == NAME:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.NUMBER)

sys.meta_path.insert(0, Signalling())
from wsproof.launcher import main
main()
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("module", "command"),
    [
        ("click", ("lint",)),
        ("contract.errors", ("check",)),
        ("conformance.transport.sockets", ("check",)),
        ("loadtest.settings.settings", ("load",)),
        ("reports.formats.render", ("report", __file__)),
        ("reports.compare.comparison", ("compare", "a", "b")),
    ],
)
def test_a_signal_in_the_first_moments(
    module: str, command: tuple[str, ...], number: signal.Signals, tmp_path: Path
) -> None:
    code = SIGNALLED.replace("NAME", repr(module)).replace("NUMBER", number.name)
    done = subprocess.run(
        [sys.executable, "-c", code, *command],
        cwd=tmp_path,
        env=surroundings({}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "\nwsproof: interrupted\n")


@pytest.mark.parametrize("command", ["check", "load"])
def test_a_signal_while_nobody_answers(command: str, tmp_path: Path) -> None:
    """A server that takes the connection, and leaves the TLS handshake without an answer: no lock is left behind."""
    with socket.create_server(("127.0.0.1", 0)) as silent, contextlib.ExitStack() as stack:
        url = f"wss://127.0.0.1:{silent.getsockname()[1]}/"
        process = stack.enter_context(started(command, url, folder=tmp_path))
        connection, _ = silent.accept()
        with connection:
            process.send_signal(signal.SIGINT)
            shown, said = process.communicate()
    assert (process.returncode, shown, said) == (130, "", "\nwsproof: interrupted\n")
    assert [*(tmp_path / "wsproof-report").iterdir()] == []


@pytest.mark.slow
@pytest.mark.parametrize("command", ["check", "load"])
def test_a_signal_while_the_reports_are_written(command: str, tmp_path: Path) -> None:
    """They become whole all the same; a pipe that nobody reads yet holds up the last of them."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    options = ("--select", "CONN-01") if command == "check" else ("--time", "1s", "--users", "2")
    with started(command, *options, "--format", f"markdown={pipe}", "--output", "out", folder=tmp_path) as process:
        page = tmp_path / "out" / ("report.html" if command == "check" else "load.html")
        wait_until(page.exists, process)
        process.send_signal(signal.SIGINT)
        text = pipe.read_text(encoding="utf-8")
        _, said = process.communicate()
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert text.endswith("\n")
    assert read(tmp_path / "out" / ("results.json" if command == "check" else "load.json"))["complete"] is True


def test_handlers_are_put_back() -> None:
    done = python(
        "import signal\n"
        "from wsproof.interruption import Interruption\n"
        "before = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]\n"
        "with Interruption(lambda: None, ''):\n"
        "    assert signal.getsignal(signal.SIGINT) != before[0]\n"
        "assert [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)] == before\n"
    )
    assert done == ""


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a check leaves that was killed in the middle, beside the reports of a former run."""
    folder = tmp_path_factory.mktemp("killed")
    out = folder / "out"
    out.mkdir()
    for name in REPORTS:
        (out / name).write_text("former", encoding="utf-8")
    with started("check", "--jobs", "4", "--output", out, folder=folder) as check:
        wait_until(lambda: lines(out / "results.jsonl") > 25, check)
        check.kill()
        check.wait()
    return out


@pytest.mark.slow
class TestKilled:
    def test_nothing_of_a_former_run_is_left(self, killed: Path) -> None:
        assert {path.name for path in killed.iterdir()} == {"results.jsonl", ".check.lock"}

    def test_the_report(self, killed: Path) -> None:
        finished = lines(killed / "results.jsonl") - 1
        shown = within("report", killed / "results.jsonl", "--format", "json", folder=killed.parent)
        assert shown.returncode == 0, shown.stderr
        document = json.loads(shown.stdout)
        assert (document["complete"], document["verdict"]) == (False, "incomplete")
        played = [one for one in document["scenarios"] if one["verdict"] != "untested"]
        assert 25 <= len(played) == finished < len(document["scenarios"])
        assert all(one["transcript"] for one in played if one["verdict"] == "passed")
        decided = {one["id"] for one in document["requirements"] if one["verdict"] == "passed"}
        left = {name for one in document["scenarios"] if one["verdict"] == "untested" for name in one["verifies"]}
        assert not decided & left

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("form", "said"),
        [
            ("html", "Cut off."),
            ("text", "This run was cut off."),
            ("junit", 'errors="1"'),
        ],
    )
    def test_every_form_says_that_it_was_cut_off(self, killed: Path, form: str, said: str) -> None:
        shown = within("report", killed / "results.jsonl", "--format", form, folder=killed.parent)
        assert shown.returncode == 0, shown.stderr
        assert said in shown.stdout

    def test_every_line_is_valid_and_holds_no_token(self, killed: Path) -> None:
        schema = compile_schema({"$ref": (DATA_ROOT / "schemas" / "stream.schema.json").as_uri()})
        text = (killed / "results.jsonl").read_text(encoding="utf-8")
        whole = text[: text.rindex("\n")].splitlines()
        assert [str(error) for line in whole for error in schema.iter_errors(json.loads(line))] == []
        text = re.sub(r"auth-(expired|expiring)-token", "", text)  # ids of scenarios
        assert not [token for token in load_profile().secrets() if token in text]

    def test_a_last_line_that_is_torn_does_not_count(self, killed: Path, tmp_path: Path) -> None:
        torn = tmp_path / "torn.jsonl"
        data = (killed / "results.jsonl").read_bytes()
        torn.write_bytes(data[: data.rindex(b"\n", 0, -1) + 200])
        shown = within("report", torn, "--format", "json", folder=tmp_path)
        assert shown.returncode == 0, shown.stderr
        played = [one for one in json.loads(shown.stdout)["scenarios"] if one["verdict"] != "untested"]
        assert len(played) == data.count(b"\n") - 2

    def test_without_a_header_there_is_nothing_to_report(self, killed: Path, tmp_path: Path) -> None:
        torn = tmp_path / "torn.jsonl"
        torn.write_bytes((killed / "results.jsonl").read_bytes()[:500])
        assert complaint("report", torn, folder=tmp_path).endswith("expected the header of a run in the first line")


@pytest.mark.slow
def test_the_report_of_a_whole_stream_is_that_of_the_run(tmp_path: Path) -> None:
    done = wsproof("check", "--select", "ERR", "--strict", "--output", "out", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    again = within("report", "out/results.jsonl", "--format", "json", folder=tmp_path)
    assert again.stdout == (tmp_path / "out" / "results.json").read_text(encoding="utf-8")
    assert json.loads(again.stdout)["complete"] is True


@pytest.mark.slow
def test_a_stream_that_cannot_be_written_costs_nothing_else(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    out = tmp_path / "out"
    out.mkdir()
    (out / "results.jsonl").symlink_to("/dev/full")
    done = wsproof("check", "--select", "CONN-01", "--output", out, folder=tmp_path)
    assert done.returncode == 2
    assert f"wsproof: {out / 'results.jsonl'} cannot be written: No space left on device" in done.stderr.splitlines()
    assert read(out / "results.json")["complete"] is True


def started_code(code: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code], cwd=DATA_ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def python(code: str) -> str:
    """What a few lines print, on stdout and stderr."""
    done = subprocess.run([sys.executable, "-c", code], cwd=DATA_ROOT, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_a_fault_of_ours_leaves_a_report_of_what_was_found(tmp_path: Path) -> None:
    broken = (
        "import sys\n"
        "from wsproof.launcher import home, take_the_lead\n"
        "take_the_lead(home())\n"
        "import wsproof.commands.check_run\n"
        "def hints(*_, **__): raise ZeroDivisionError('no\\x1bluck')\n"
        "wsproof.commands.check_run.hints = hints\n"
        "from wsproof.command_line import main\n"
        "main.main(sys.argv[1:], prog_name='wsproof')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", broken, "check", "--select", "CONN-01", "-q"],
        cwd=tmp_path,
        env=surroundings({}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.splitlines() == ["wsproof: internal error in wsproof: ZeroDivisionError: no\\u001bluck"]
    document = read(tmp_path / "wsproof-report" / "results.json")
    assert not document["complete"]
    assert document["verdict"] == "incomplete"
    assert any(one["verdict"] == "passed" for one in document["scenarios"])
