"""How each load generator is started for a piece of work, and how it tells what it did."""

import json
import os
import re
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

from tests.surroundings.checked import ROOT

HERE = Path(__file__).parent
PEERS = ROOT / "build" / "peers"
PYTHON, DEBIAN, NODE = PEERS / "py" / "bin", PEERS / "debian", PEERS / "node"
ERLANG = DEBIAN / "usr" / "lib" / "erlang"

ROUNDTRIP, IDLE, FANOUT = "roundtrip", "idle", "fanout"
SIZE = 200
"""Characters of a posted text; with its envelope and frame a post is some 280 bytes."""
SPAWN = 1000
"""Users per second, where many connect."""
POSTS = 200
"""Posts per user and second of a run, for tools that count and do not look at the clock."""

OURS = {"PYTHONPATH": str(ROOT)}


@dataclass(frozen=True, slots=True)
class Job:
    """Work for a generator, its URL, and a folder of its own; the rate is posts per user and second."""

    mode: str
    users: int
    seconds: float
    url: str
    folder: Path
    rate: float = 0.5

    @property
    def printed(self) -> str:
        """What the generator wrote to its standard output."""
        return (self.folder / "stdout").read_text(encoding="utf-8", errors="replace")


@dataclass(frozen=True, slots=True)
class Start:
    """A command line, with what it needs in its environment."""

    command: list[str]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tool:
    """A generator; `needs` is the file without which it is not installed."""

    name: str
    needs: Path
    start: Callable[[Job], Start]
    count: Callable[[Job], int]
    modes: tuple[str, ...] = (ROUNDTRIP, IDLE)


def _environment(job: Job) -> dict[str, str]:
    values = {
        "MODE": job.mode,
        "USERS": job.users,
        "SECONDS": job.seconds,
        "RATE": job.rate,
        "SIZE": SIZE,
        "URL": job.url,
        "ARRIVAL": max(1, job.users // SPAWN),
    }
    return {f"PEER_{name}": str(value) for name, value in values.items()}


def _floor(job: Job) -> Start:
    numbers = [str(job.users), str(job.seconds), str(job.rate), str(SIZE)]
    return Start([sys.executable, "-m", "benchmarks.peers.floor", job.url, job.mode, *numbers], OURS)


def _wsproof(job: Job) -> Start:
    journey = {ROUNDTRIP: "roundtrip", IDLE: "lurker", FANOUT: "chatter"}[job.mode]
    channels = 1 if job.mode == FANOUT else job.users
    options = {
        "journey": journey,
        "users": job.users,
        "channels": channels,
        "time": f"{job.seconds:g}s",
        "size": SIZE,
        "rate": job.rate,
        "spawn-rate": SPAWN,
        "output": job.folder,
    }
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    return Start([sys.executable, "-P", "-m", "wsproof", "load", job.url, *words, "--quiet"], OURS)


def _wsproof_count(job: Job) -> int:
    document = json.loads((job.folder / "load.json").read_text(encoding="utf-8"))
    if job.mode == FANOUT:
        return int(document["delivery"]["delivered"])
    return int(document["metrics"]["post_to_own"]["count"])


def _locust(job: Job) -> Start:
    options = ["--headless", "-u", str(job.users), "-r", str(SPAWN), "-t", f"{job.seconds:g}", "-H", job.url]
    script = ["-f", str(HERE / "locustfile.py"), "--only-summary", "--json"]
    return Start([str(PYTHON / "locust"), *script, *options], _environment(job))


def _locust_count(job: Job) -> int:
    return int(json.loads(job.printed)[0]["num_requests"])


def _artillery(job: Job) -> Start:
    command = [str(NODE / "node_modules" / ".bin" / "artillery"), "run", "--quiet", "--output"]
    script = [str(job.folder / "report.json"), str(HERE / "artillery.yml")]
    return Start([*command, *script], {**_environment(job), "ARTILLERY_DISABLE_TELEMETRY": "true"})


def _artillery_count(job: Job) -> int:
    report = json.loads((job.folder / "report.json").read_text(encoding="utf-8"))
    return int(report["aggregate"]["counters"]["websocket.messages_received"])


def _messages(channel: str) -> tuple[str, str]:
    join = {"event": "join_channel", "payload": {"channelId": channel}}
    post = {"event": "send_message", "payload": {"channelId": channel, "text": "." * SIZE}}
    return json.dumps(join), json.dumps(post)


def _tsung(job: Job) -> Start:
    parts = urlsplit(job.url)
    join, post = _messages("tsung-%%_number%%")
    text = Template((HERE / "tsung.xml").read_text(encoding="utf-8")).substitute(
        dtd=DEBIAN / "usr" / "share" / "tsung" / "tsung-1.0.dtd",
        port=parts.port,
        path=parts.path,
        users=job.users,
        arrivals=min(job.users, SPAWN),
        think=job.seconds if job.mode == IDLE else 1,
        posts=max(1, int(job.seconds * POSTS)),
        join=join,
        post=post,
    )
    (job.folder / "tsung.xml").write_text(text, encoding="utf-8")
    script = ["-f", str(job.folder / "tsung.xml"), "-l", str(job.folder / "log")]
    environment = {
        "HOME": str(job.folder),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(free_port()),
        "ERL_AFLAGS": "-kernel inet_dist_use_interface {127,0,0,1}",
    }
    # Erlang's port mapper would put itself into the background; so it belongs to the run, and ends with it.
    mapper = f'{ERLANG}/erts-*/bin/epmd & mapper=$!; sleep 0.3; "$@"; kill $mapper; wait'
    tsung = [str(DEBIAN / "usr" / "bin" / "tsung"), "-n", "-w", "0", "-I", "127.0.0.1", *script, "start"]
    return Start(["bash", "-c", mapper, "tsung", *tsung], environment)


def _tsung_count(job: Job) -> int:
    [log] = (job.folder / "log").glob("*/tsung.log")
    answered = sum(int(one) for one in re.findall(r"^stats: request (\d+) ", log.read_text(), re.MULTILINE))
    return answered - 2 * job.users  # a connect and a close of each user


def _k9(job: Job) -> Start:
    join, post = _messages("k9-{{ __VU }}")
    steps: list[object] = [{"receive": {"checks": {"acknowledged": {"bodyContains": "connection_ack"}}}}]
    if job.mode == IDLE:
        steps.append({"sleep": f"{job.seconds:g}s"})
    else:
        turn: list[object] = [{"send": post}, {"receive": {"checks": {"own": {"bodyContains": "new_message"}}}}]
        steps += [{"send": join}, *(turn * max(1, int(job.seconds * POSTS)))]
    everybody = {"executor": "per-vu-iterations", "vus": job.users, "iterations": 1, "maxDuration": "2m"}
    session = {"websocket": {"url": job.url + "?access_token=load-{{ __VU }}", "steps": steps}}
    plan = {"options": {"scenarios": {"everybody": everybody}}, "flows": {"default": [session]}}
    (job.folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    command = [str(PYTHON / "k9"), "run", str(job.folder / "plan.json"), "--quiet"]
    return Start([*command, "--summary-export", str(job.folder / "summary.json")])


def _k9_count(job: Job) -> int:
    summary = json.loads((job.folder / "summary.json").read_text(encoding="utf-8"))
    return int(summary["metrics"]["checks"]["passes"]) - job.users  # the acknowledgement of each


def free_port() -> int:
    """A port of the loopback interface that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


ALL = (ROUNDTRIP, IDLE, FANOUT)
TOOLS = (
    Tool("Python, raw sockets by hand", Path(sys.executable), _floor, lambda job: int(job.printed), ALL),
    Tool("wsproof", Path(sys.executable), _wsproof, _wsproof_count, ALL),
    Tool("Locust, websocket-client", PYTHON / "locust", _locust, _locust_count, ALL),
    Tool("Artillery", NODE / "node_modules" / ".bin" / "artillery", _artillery, _artillery_count),
    Tool("tsung", DEBIAN / "usr" / "bin" / "tsung", _tsung, _tsung_count),
    Tool("k9-load, declarative plan", PYTHON / "k9", _k9, _k9_count),
)


def absent(tool: Tool) -> str | None:
    """Why a generator cannot be measured here; None where it can."""
    return None if tool.needs.exists() and os.access(tool.needs, os.X_OK) else "not installed (--install)"
