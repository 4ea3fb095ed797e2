"""What Locust must not do in the loop that plays the users."""

import subprocess
import sys

STOPPING = """
import inspect
from types import SimpleNamespace

def looked(*_):
    print("Locust looked up who stops it")

from locust.env import Environment
from loadtest.runner.conductor import Conductor

environment = Environment(parsed_options=SimpleNamespace(user_classes=["chosen"]))
environment.create_local_runner()
Conductor(None, {}).attach(environment)
inspect.stack = looked
environment.runner.state = "running"
environment.runner.stop()
print(environment.runner.state)
"""


def test_a_run_is_stopped_without_a_look_into_source_files() -> None:
    """It would hold up the loop while the last posts are on their way."""
    done = subprocess.run([sys.executable, "-c", STOPPING], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("stopped\n", 0), done.stderr
