"""The browser of tests that open pages."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.reports.browser import chromium


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for the tests of a module; every page gets a context of its own."""
    with chromium() as one:
        yield one
