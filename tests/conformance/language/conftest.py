"""The folder that tests of scenario files write them into."""

from pathlib import Path

import pytest

from tests.conformance.language.folder import Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)
