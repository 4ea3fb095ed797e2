"""`spec/chat/scenarios/` and `spec/chat/journeys/`: they load, name what exists, and leave no requirement out."""

from collections import Counter
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any

import pytest

from conformance.judge.verdicts import CLIENT_SECTION
from conformance.language.awaited import Alternative, Expect, ExpectClose, ExpectOne, ExpectPong, ExpectRefusal
from conformance.language.deed import Charge
from conformance.language.deeds import Connect, SendMessage
from conformance.language.loading import scenario_files
from conformance.language.scenario import Decided, Scenario, Step, decided
from conformance.play.charges import charge_of
from conformance.play.context import Context, Setting
from conformance.play.endings import CLOSE_CAUSE
from loadtest.users.journey_compiler import compile_journey
from tests.bundled import JOURNEYS, SCENARIO_FILES, THOROUGH, bundled, load_contract, load_profile, load_requirements

SCENARIOS = bundled()
LONG = bundled(THOROUGH)
PLAYS = bundled(JOURNEYS, journeys=True)
ALL = SCENARIOS + LONG + PLAYS
REQUIREMENTS = load_requirements()
CONTRACT = load_contract()
PROFILE = load_profile()
GROUPS = ("CONN", "AUTH", "HB", "ENV", "JOIN", "SEND", "ERR", "CLOSE")

Check = Callable[[Any, Scenario], None]


def of(scenarios: tuple[Scenario, ...]) -> Callable[[Check], Callable[[Any], None]]:
    """One test over all scenarios, which names the one that it fails for; items by the thousand would tell no more."""

    def decorate(check: Check) -> Callable[[Any], None]:
        def test(self: Any) -> None:
            for one in scenarios:
                try:
                    check(self, one)
                except AssertionError as error:
                    error.add_note(f"scenario {one.id} ({one.path.name}:{one.line})")
                    raise

        test.__doc__ = check.__doc__
        return test

    return decorate


each_scenario = of(SCENARIOS)
each = of(ALL)


def checks_of(step: Step) -> list[Any]:
    """Every check inside a step: those of its expectations, and those of its tolerated outcomes."""
    match step.deed:
        case Expect(of=wanted):
            return [check for one in wanted for check in one.checks]
        case ExpectOne(of=outcomes):
            return [one.fails for one in outcomes if one.fails is not None]
        case _:
            return []


def charges_of(one: Scenario) -> list[Any]:
    """Everything that a failure of a scenario can be charged to by a step."""
    charges = [step.charge for step in one.steps]
    return charges + [check.charge for step in one.steps for check in checks_of(step)]


def decisions(one: Scenario) -> set[Decided]:
    """What a scenario that is played to its end decides, as the engine counts it."""
    found = {each for step in one.steps for each in decided(step, one)}
    for step in one.steps:
        graded = [check.charge for check in checks_of(step)]
        if isinstance(step.deed, ExpectRefusal):
            graded.append(Charge(step.deed.graded))
        if isinstance(step.deed, ExpectClose):
            graded.append(charge_of(REQUIREMENTS, CLOSE_CAUSE))
        found |= {(name, charge.level) for charge in graded for name in charge.requirements}
    return found


def codes_of(deed: Any) -> tuple[str | int, ...]:
    match deed:
        case ExpectClose(codes=codes) | ExpectRefusal(codes=codes):
            return codes
        case ExpectOne(of=outcomes):
            return tuple(code for outcome in outcomes for code in outcome.close)
        case _:
            return ()


def texts_of(value: Any) -> list[str]:
    """Every string inside a deed."""
    if isinstance(value, str):
        return [value]
    if is_dataclass(value):
        return [text for field in fields(value) if field.compare for text in texts_of(getattr(value, field.name))]
    if isinstance(value, dict):
        return [text for pair in value.items() for text in texts_of(list(pair))]
    if isinstance(value, list | tuple):
        return [text for one in value for text in texts_of(one)]
    return []


class TestIds:
    def test_they_are_unique(self) -> None:
        assert [name for name, count in Counter(one.id for one in ALL).items() if count > 1] == []

    def test_titles_are_unique(self) -> None:
        titles = Counter(one.title for one in SCENARIOS)
        assert [title for title, count in titles.items() if count > 1] == []

    def test_every_file_is_read(self) -> None:
        with_scenarios = {one.path for one in SCENARIOS}
        assert {path.name for path in {*scenario_files(SCENARIO_FILES)} - with_scenarios} == {"procedures.yaml"}
        assert len(SCENARIOS) > 100

    @each_scenario
    def test_an_id_begins_with_its_files_group(self, one: Scenario) -> None:
        group = one.path.stem.partition("-")[0]
        assert one.group == group.upper()
        assert one.id.startswith(f"{group}-")
        assert one.title == one.title.strip()


class TestThorough:
    @of(LONG)
    def test_tags_and_ids(self, one: Scenario) -> None:
        assert "thorough" in one.tags
        assert one.id.startswith("thorough-")


class TestRequirements:
    @pytest.mark.parametrize("name", [one.id for one in REQUIREMENTS.values() if one.section.id in GROUPS])
    def test_each_is_verified(self, name: str) -> None:
        """By a scenario that says so; the transcript checks alone would not provoke anything."""
        assert [one.id for one in SCENARIOS if name in one.verifies]

    @pytest.mark.parametrize("name", [one.id for one in REQUIREMENTS.values() if one.section.id == "WIRE"])
    def test_the_wires_as_well(self, name: str) -> None:
        assert [one.id for one in SCENARIOS if name in one.verifies]

    @each_scenario
    def test_a_scenario_verifies_some_that_exist(self, one: Scenario) -> None:
        assert one.verifies
        assert set(one.verifies) <= set(REQUIREMENTS)
        assert len(set(one.verifies)) == len(one.verifies)
        assert {REQUIREMENTS[name].section.id for name in one.verifies} & {*GROUPS, "WIRE"}
        assert CLIENT_SECTION not in {REQUIREMENTS[name].section.id for name in one.verifies}

    @each_scenario
    def test_its_steps_name_some_that_exist(self, one: Scenario) -> None:
        for charge in charges_of(one):
            assert set(charge.requirements) <= set(REQUIREMENTS)

    @each_scenario
    def test_a_level_is_one_of_the_requirements(self, one: Scenario) -> None:
        """A charge of a level that no clause has would appear as a clause from nowhere."""
        for charge in charges_of(one):
            for name in charge.requirements:
                assert charge.level is None or REQUIREMENTS[name].has_clause(charge.level), name
        if one.level is not None:
            assert any(REQUIREMENTS[name].has_clause(one.level) for name in one.verifies)

    @each_scenario
    def test_what_it_verifies_a_step_of_it_or_a_check_decides(self, one: Scenario) -> None:
        """Else a scenario would be there for what it never looks at, and leave it untested."""
        found = {name for name, _ in decisions(one)}
        assert set(one.verifies) <= found | {name for name in REQUIREMENTS if REQUIREMENTS[name].checked}

    def test_each_clause_is_decided(self) -> None:
        """By a step of a scenario that is there for it, or by a check; a permission by whatever looks at it."""
        found = {(name, level) for one in SCENARIOS for name, level in decisions(one) if name in one.verifies}
        for one in REQUIREMENTS.values():
            if one.section.id == CLIENT_SECTION:
                continue
            for clause in one.clauses:
                levels = {clause.level} | ({None} if clause.level == one.level else set())
                steps = {level for name, level in found if name == one.id}
                if clause.level == "MAY":
                    levels = steps
                assert clause.checks or levels & steps, f"{one.id} {clause.level}"

    @each_scenario
    def test_a_step_decides_a_clause_that_exists(self, one: Scenario) -> None:
        for name, level in decisions(one):
            assert level is None or REQUIREMENTS[name].has_clause(level), name


class TestNames:
    """Names in the data that are looked up while a scenario plays."""

    @of(SCENARIOS + LONG)
    def test_durations(self, one: Scenario) -> None:
        context = Context(one, Setting(CONTRACT, REQUIREMENTS, PROFILE, str), 0.0)
        for step in one.steps:
            for name in ("within", "duration"):
                duration = getattr(step.deed, name, None)
                if duration is not None:
                    assert context.seconds(duration) >= 0

    @of(PLAYS)
    def test_journeys_can_be_played(self, one: Scenario) -> None:
        assert compile_journey(one, CONTRACT, PROFILE).ops

    @each
    def test_close_codes(self, one: Scenario) -> None:
        for step in one.steps:
            for code in codes_of(step.deed):
                assert code in PROFILE.close_codes if isinstance(code, str) else 1000 <= code <= 4999

    @each
    def test_events(self, one: Scenario) -> None:
        """What is awaited, the contract names; what is not awaited may be anything."""
        for step in one.steps:
            match step.deed:
                case Expect(of=wanted):
                    names = {expectation.event for expectation in wanted if expectation.event is not None}
                case ExpectOne(of=outcomes):
                    names = {outcome.event for outcome in outcomes if outcome.event is not None}
                case _:
                    names = set()
            for name in names:
                assert CONTRACT.events[name].from_server

    @each
    def test_error_codes(self, one: Scenario) -> None:
        """A cause that the profile does not know leaves its code free: a typing error would judge nothing."""
        for value in _operators([step.deed for step in one.steps], "$error_code"):
            assert value in PROFILE.error_codes

    @each
    def test_tokens_and_users(self, one: Scenario) -> None:
        known = {*PROFILE.users, "invalid", "expired", "expiring"}
        assert {actor.user for actor in one.actors} <= known
        for step in one.steps:
            if isinstance(step.deed, Connect) and step.deed.token is not None:
                assert step.deed.token in known | {"none"}

    @each
    def test_nothing_is_left_to_substitute(self, one: Scenario) -> None:
        """All that remains are nonces, channels, tokens, the endpoint's path, and what a step before captured."""
        captured: set[str] = set()
        for step in one.steps:
            for text in texts_of(step.deed):
                for part in text.split("${")[1:]:
                    name = part.partition("}")[0].rpartition(":")[2]
                    kinds = ("nonce", "channel", "token", "endpoint")
                    assert name.partition(".")[0] in kinds or name in captured | {"group"}, text
            if isinstance(step.deed, Expect):
                captured |= {name for expectation in step.deed.of for name in expectation.capture}

    @each_scenario
    def test_it_says_what_it_needs(self, one: Scenario) -> None:
        """A fixture that is used without being needed would give an error in place of a reason."""
        users = {actor.user for actor in one.actors} & {"bob", "carol"}
        texts = [text for step in one.steps for text in texts_of(step.deed)]
        used = {
            "private_channel": "${channel.private}",
            "missing_channel": "${channel.missing}",
        }
        needed = users | {need for need, name in used.items() if any(name in text for text in texts)}
        assert needed <= set(one.needs)

    @each_scenario
    def test_an_unanswered_heartbeat_needs_one(self, one: Scenario) -> None:
        if any(actor.heartbeat != "answer" for actor in one.actors):
            assert {"heartbeat", "message_heartbeat"} & set(one.needs)


class TestNonces:
    """Staging has other traffic: what is posted and what is awaited carries a nonce."""

    @each_scenario
    def test_what_is_posted_has_one(self, one: Scenario) -> None:
        """Or it breaks the post itself, which then is nobody's message."""
        assert CONTRACT.flow is not None
        assert CONTRACT.flow.post is not None
        post = CONTRACT.flow.post.name
        for step in one.steps:
            deed = step.deed
            if not isinstance(deed, SendMessage) or not isinstance(deed.message, dict):
                continue
            payload = deed.message.get("payload")
            if deed.message.get("event") != post or not isinstance(payload, dict):
                continue
            valid = not CONTRACT.check_payload("send_message", {"payload": _plain(payload)})
            if valid:
                assert any("${nonce." in text for text in texts_of(payload.get("text"))), step.label

    @each_scenario
    def test_a_delivery_that_is_awaited_has_one(self, one: Scenario) -> None:
        for step in one.steps:
            wanted: tuple[Any, ...] = step.deed.of if isinstance(step.deed, Expect | ExpectOne) else ()
            for expectation in wanted:
                if expectation.event == "new_message" and not _tolerated(expectation):
                    assert any("${nonce." in text for text in texts_of(expectation.match)), step.label

    @each_scenario
    def test_a_pong_that_is_awaited_was_asked_for(self, one: Scenario) -> None:
        asked = {getattr(step.deed, "payload", None) for step in one.steps}
        for step in one.steps:
            if isinstance(step.deed, ExpectPong):
                assert step.deed.payload in asked


def _operators(value: Any, operator: str) -> list[Any]:
    """What stands behind an operator anywhere inside a value."""
    if is_dataclass(value):
        value = [getattr(value, field.name) for field in fields(value) if field.compare]
    if isinstance(value, list | tuple):
        return [found for one in value for found in _operators(one, operator)]
    if not isinstance(value, dict):
        return []
    own = [value[operator]] if operator in value else []
    return own + [found for one in value.values() for found in _operators(one, operator)]


def _plain(payload: dict[str, Any]) -> dict[str, Any]:
    """A payload whose fillings are short texts."""
    return {name: "x" if isinstance(value, dict) else value for name, value in payload.items()}


def _tolerated(one: Any) -> bool:
    return isinstance(one, Alternative) and one.fails is not None
