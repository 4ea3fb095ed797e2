"""Scenarios of a user's own."""

from pathlib import Path

FORMATS = ("html", "text", "markdown", "junit", "ctrf", "json", "jsonl")
"""Those that name every scenario."""

ROUND = """\
      - call: enter
        with: {{actor: alice, channel: "${{channel.room}}"}}
      - call: post
        with: {{actor: alice, channel: "${{channel.room}}", nonce: {nonce}}}
      - expect:
          actor: alice
          event: new_message
          match: {{payload: {{message: {{text: {{$contains: "${{nonce.{nonce}}}"}}}}}}}}
{checks}
        requirement: {requirement}
"""


def scenario(name: str, requirement: str, checks: str = "") -> str:
    """A scenario that posts and receives, and decides a requirement by that."""
    checks = f"          checks: [{checks}]" if checks else ""
    steps = ROUND.format(nonce="own", requirement=requirement, checks=checks).replace("\n\n", "\n")
    return f"  - id: {name}\n    title: What {name} says\n    verifies: [{requirement}]\n    steps:\n{steps}"


def written(path: Path, *scenarios: str, group: str = "ACME") -> Path:
    """A file of scenarios."""
    path.write_text(f"format: wsproof.scenarios/1\ngroup: {group}\nscenarios:\n" + "".join(scenarios), encoding="utf-8")
    return path


def wrong(requirement: str, level: str = "MUST") -> str:
    """A check that no delivery passes."""
    never = "match: {payload: {message: {text: never}}}"
    return f"{{requirement: {requirement}, level: {level}, {never}, message: the text is another one}}"
