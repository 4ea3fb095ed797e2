"""What a process tells another one while it measures: over a real pipe, whose reader may be slow or gone."""

from loadtest.measure.recorder import Slice
from loadtest.processes.relay import Receiver, Relay


def test_slices_and_a_document_arrive() -> None:
    receiver = Receiver(10.0)
    relay = Relay(receiver.writing)
    for second in (1.0, 2.0):
        relay.send_slice("worker 1", Slice(began=second - 1, ended=second, latencies={"connect": {1000: 2}}, posts=3))
        receiver.read()
    assert receiver.seconds == 2.0
    assert receiver.tally.document()["metrics"]["connect"]["count"] == 4
    relay.send_document({"text": "\ud800 half"})
    receiver.close_writing()
    receiver.read()
    assert receiver.document == {"text": "\ud800 half"}
    assert not receiver.open
    receiver.close()


def test_whoever_reads_late_blocks_nobody_and_misses_nothing() -> None:
    receiver = Receiver(10.0)
    relay = Relay(receiver.writing)
    large = {"post_to_own": dict.fromkeys(range(1000, 9000), 1)}
    for _ in range(20):
        relay.send_slice("worker 1", Slice(ended=1.0, latencies=large))
    receiver.read()
    for _ in range(20):
        relay.send_slice("worker 1", Slice(ended=2.0))
        receiver.read()
    assert receiver.tally.document()["metrics"]["post_to_own"]["count"] == 20 * 8000
    assert receiver.seconds == 2.0
    receiver.close()


def test_where_nobody_reads_any_more_nothing_happens() -> None:
    receiver = Receiver(10.0)
    relay = Relay(receiver.writing)
    writing, receiver.writing = receiver.writing, -1
    receiver.close()
    for _ in range(2):
        relay.send_slice("worker 1", Slice(ended=1.0))
    assert writing >= 0
