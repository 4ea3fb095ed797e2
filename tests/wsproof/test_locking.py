"""Two runs in one folder at a time: the second one is told so, and each has its reports as a whole."""

import signal
import threading
from pathlib import Path

import pytest

from tests.conformance.servers import raw_server
from tests.wsproof.command import complaint, started, wait_until, within, wsproof
from wsproof.output.files import OutputError
from wsproof.output.locking import sole_writer


@pytest.mark.parametrize(
    ("command", "others"),
    [("check", ("--select", "HB-01", "--set", "heartbeat.interval=60")), ("load", ("--time", "60s"))],
)
def test_the_second_one_is_told(command: str, others: tuple[str, ...], tmp_path: Path) -> None:
    out = tmp_path / "out"
    lock = out / f".{command}.lock"
    with started(command, *others, "--output", "out", folder=tmp_path) as first:
        wait_until(lambda: lock.is_file() and "UTC" in lock.read_text(encoding="utf-8"), first)
        second = within(command, *others, "--output", "out", folder=tmp_path)
        assert (second.returncode, second.stdout) == (2, "")
        said = second.stderr.removeprefix("wsproof: ").rstrip()
        assert said.startswith(f"--output out: another wsproof {command} is writing there (process {first.pid}, since ")
        assert said.endswith(" UTC); use another directory for this one")
        first.send_signal(signal.SIGINT)
        first.communicate()
    assert not lock.exists()
    assert first.returncode == 130


def test_a_killed_one_locks_nobody_out(tmp_path: Path) -> None:
    lock = tmp_path / "out" / ".check.lock"
    with started("check", "--output", "out", folder=tmp_path) as first:
        wait_until(lock.is_file, first)
        first.kill()
        first.wait()
    assert lock.is_file()
    done = wsproof("check", "--select", "CONN-01", "--output", "out", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert not lock.exists()


def test_other_commands_and_other_folders_are_free(tmp_path: Path) -> None:
    with sole_writer(tmp_path, "check"), sole_writer(tmp_path, "load"):
        assert {one.name for one in tmp_path.iterdir()} == {".check.lock", ".load.lock"}
        with pytest.raises(OutputError), sole_writer(tmp_path, "check"):
            pass
    assert not [*tmp_path.iterdir()]


def test_one_at_a_time_whoever_comes_and_goes(tmp_path: Path) -> None:
    """The file is removed again and again, and still there is one writer at a time."""
    inside, most, turns = 0, 0, 0
    guard = threading.Lock()

    def work() -> None:
        nonlocal inside, most, turns
        mine = 0
        while mine < 50:
            try:
                with sole_writer(tmp_path, "check"):
                    with guard:
                        inside += 1
                        most = max(most, inside)
                    mine += 1
                    with guard:
                        inside -= 1
                        turns += 1
            except OutputError:
                continue

    threads = [threading.Thread(target=work) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert (most, turns) == (1, 200)


def test_a_lock_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / ".check.lock").mkdir()
    with pytest.raises(OutputError, match=r"\.check\.lock cannot be written"), sole_writer(tmp_path, "check"):
        pass


def test_nothing_is_connected_to(tmp_path: Path) -> None:
    calls: list[object] = []
    with raw_server(calls.append) as url, sole_writer(tmp_path, "check"):
        assert "another wsproof check is writing there" in complaint("check", url, "--output", ".", folder=tmp_path)
    assert calls == []
