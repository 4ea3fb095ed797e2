"""Generated messages: what the contract's schemas allow, and what differs from it in one thing.

Hypothesis writes tables into a folder of its own, already while it is loaded: it gets a temporary one, so that nothing
is left behind where somebody runs a check.
"""

import tempfile

from hypothesis.configuration import set_hypothesis_home_dir

_FOLDER = tempfile.TemporaryDirectory(prefix="wsproof-")

set_hypothesis_home_dir(_FOLDER.name)
