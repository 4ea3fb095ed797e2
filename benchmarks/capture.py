"""Our percentiles against those of a packet capture of the same run.

A process of its own records what passes the loopback interface (Linux, as root: a packet socket with the kernel's time
stamps). A post is told by its stamp, on its way there (unmasked) and back; the time between the two packets is the
latency that the network saw. Both have to agree within 0.2 ms or 5 per cent.

    python -m benchmarks.capture
"""

import json
import multiprocessing
import socket
import struct
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.servers import serving
from loadtest.delivery.stamps import LENGTH, PREFIX
from loadtest.measure.histograms import rank
from loadtest.processes.supervisor import run_load
from loadtest.settings.plan import new_run
from loadtest.settings.settings import LoadSettings
from wire.frames import FINAL_TEXT, MASK, payload_span
from wire.masking import KEY_BYTES, mask

USERS, RATE, SECONDS = 40, 10.0, 15.0
PERCENTS = {"p50": 50.0, "p95": 95.0, "p99": 99.0}
ALLOWED_MS, ALLOWED_SHARE = 0.2, 0.05

ALL_PROTOCOLS, TIMESTAMPS = 0x0003, 35  # ETH_P_ALL, SO_TIMESTAMPNS
OUTGOING = 4  # PACKET_OUTGOING: on the loopback interface, each packet is seen going out and coming in

Found = tuple[int, bytes, float]
"""A client's port, a stamp, and when it passed (seconds)."""


def capture(port: int, run: bytes, told: Connection) -> None:
    """Record until told to stop; then tell which stamps went to the port, and which came from it."""
    recorder = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ALL_PROTOCOLS))
    recorder.bind(("lo", 0))
    recorder.setsockopt(socket.SOL_SOCKET, TIMESTAMPS, 1)
    recorder.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1_048_576)
    recorder.settimeout(0.2)
    packets: list[tuple[bytes, float]] = []
    told.send("ready")
    while not told.poll():
        try:
            data, ancillary, _, address = recorder.recvmsg(70_000, 128)
        except TimeoutError:
            continue
        if address[2] != OUTGOING:
            seconds, nanoseconds = struct.unpack("qq", ancillary[0][2][:16])
            packets.append((data, seconds + nanoseconds / 1e9))
    there: list[Found] = []
    back: list[Found] = []
    for data, t in packets:
        _sort(data, t, port, run, there, back)
    told.send((there, back))


def _sort(data: bytes, t: float, port: int, run: bytes, there: list[Found], back: list[Found]) -> None:
    """Find the stamps in a packet (IPv4 and TCP, without the link's header)."""
    header = (data[0] & 15) * 4
    if data[0] >> 4 != 4 or data[9] != socket.IPPROTO_TCP:
        return
    source, target = struct.unpack("!HH", data[header : header + 4])
    payload = data[header + (data[header + 12] >> 4) * 4 :]
    if target == port:
        there += [(source, stamp, t) for text in _unmasked(payload) for stamp in _stamps(text, run)]
    elif source == port:
        back += [(target, stamp, t) for stamp in _stamps(payload, run)]


def _unmasked(payload: bytes) -> list[bytes]:
    """The texts of a client's frames, where whole ones begin with the packet."""
    texts, at = [], 0
    while at < len(payload) and payload[at] == FINAL_TEXT:
        span = payload_span(payload, at, MASK)
        if span is None or not at < span[0] <= len(payload):
            break
        start, at = span
        texts.append(mask(payload[start:at], payload[start - KEY_BYTES : start]))
    return texts


def _stamps(text: bytes, run: bytes) -> list[bytes]:
    """Stamps of the run; a channel's name may hold its digits too."""
    found, at = [], text.find(run)
    while at >= 0:
        stamp = text[at : at + LENGTH]
        if len(stamp) == LENGTH and stamp.isdigit():
            found.append(stamp)
        at = text.find(run, at + 1)
    return found


def latencies(there: list[Found], back: list[Found]) -> list[float]:
    """Milliseconds from a post's packet to that which brought it back, in order, without a user's first."""
    came = {(port, stamp): t for port, stamp, t in reversed(back)}
    posts = [one for one in there if int(one[1][PREFIX:]) > 1]
    return sorted(1000 * (came[port, stamp] - t) for port, stamp, t in posts if (port, stamp) in came)


def main() -> int:
    """Print the table; 1 where ours and the capture's percentiles do not agree, 2 where nothing could be captured."""
    run, (ours, theirs) = new_run(), multiprocessing.Pipe()
    with serving("reference") as server, tempfile.TemporaryDirectory() as name:
        recorder = multiprocessing.Process(target=capture, args=(urlsplit(server.url).port, run.encode(), theirs))
        recorder.start()
        if not ours.poll(10):
            print("nothing can be captured here: it takes Linux, and root or CAP_NET_RAW")
            return 2
        ours.recv()
        document = Path(name) / "load.json"
        settings = LoadSettings(
            endpoint=server.url,
            users=USERS,
            spawn_rate=1000.0,
            duration=SECONDS,
            document=str(document),
            channels=USERS,
            rate=RATE,
            run=run,
        )
        run_load(settings)
        time.sleep(0.3)
        ours.send("stop")
        wire = latencies(*ours.recv())
        read = json.loads(document.read_text(encoding="utf-8"))
        metric, late = read["metrics"], read["generator"]["late_sends_p99_ms"]
    print(
        f"{USERS} users, {RATE:g} posts per second each, {SECONDS:g} s: {len(wire)} round trips on the wire, ", end=""
    )
    print(f"{metric['post_to_own']['count']} measured\n")
    off = 0
    print(f"{'':6}{'packet capture':>16}{'wsproof':>12}{'difference':>14}")
    for figure, percent in PERCENTS.items():
        seen, told = wire[rank(len(wire), percent) - 1], metric["post_to_own"][figure]
        off += abs(told - seen) > max(ALLOWED_MS, ALLOWED_SHARE * seen)
        print(f"{figure:6}{seen:>13.3f} ms{told:>9.3f} ms{told - seen:>+11.3f} ms")
    print(
        f"\nsends were late by {late:.3f} ms at the 99th percentile: that counts in our latencies, and not on the wire"
    )
    return 1 if off else 0


if __name__ == "__main__":
    sys.exit(main())
