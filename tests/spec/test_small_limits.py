"""A server whose profile sets its limits as low as they may be is judged like any other."""

from conformance.play.plan import Plan
from conformance.run.run import Run
from conformance.transport.target import resolve
from reference_server.core.settings import ServerSettings
from reference_server.network import running
from tests.bundled import bundled, load_contract, load_profile, load_requirements

SIZED = (
    "send-frame-of-a-length/",
    "wire-binary/of-5000-bytes",
    "wire-compression/plain-offer",
    "wire-compression/small",
)


def test_no_case_sends_more_than_the_profile_allows() -> None:
    profile = load_profile(None, {"limits.text_length": 256, "limits.message_bytes": 2052})
    chosen = [one for one in bundled() if one.id.startswith(SIZED)]
    with running(ServerSettings(profile=profile, port=0)) as server:
        contract = load_contract(None, profile.limits)
        run = Run(Plan(resolve(server.url), contract, profile, load_requirements()), chosen)
        run.start()
        verdicts = {one.id: run.result(one).verdict for one in chosen}
        run.stop()
    assert set(verdicts.values()) == {"passed"}, verdicts
