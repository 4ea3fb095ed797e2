"""The files of the distributed example are what the command takes."""

from pathlib import Path

import yaml

from contract.files import DATA_ROOT
from loadtest.processes.checking import check_settings
from loadtest.settings.plan import read_plan, settings_for
from tests.bundled import CHAT, load_profile

FOLDER = DATA_ROOT / "examples" / "distributed"


def test_the_plan_and_the_profile_can_be_used(tmp_path: Path) -> None:
    profile = load_profile(FOLDER / "wsproof.yaml", environ={"LOAD_TOKEN": "load-{n}"})
    settings = settings_for(read_plan(FOLDER / "load.yaml"), "ws://127.0.0.1:9/", tmp_path / "load.json", CHAT, profile)
    check_settings(settings)
    assert settings.most_users == 3000


def test_containers_start_the_command_with_options_that_it_has() -> None:
    from wsproof.commands.load import load

    known = {name for one in load.params for name in one.opts}
    compose = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))
    texts = [str(one["command"]).split() for one in compose["services"].values()]
    documents = list(yaml.safe_load_all((FOLDER / "kubernetes.yaml").read_text(encoding="utf-8")))
    jobs = [one["spec"]["template"]["spec"]["containers"][0]["command"] for one in documents if one["kind"] == "Job"]
    for words in (*texts, *jobs):
        assert words[:2] == ["wsproof", "load"]
        assert {word for word in words if word.startswith("--")} <= known
