"""One gateway process for the tests of this folder; each test listens for events of its own stream."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.live.driving import Live, running


@pytest.fixture(scope="session")
def _gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with running(tmp_path_factory.mktemp("live")) as gateway:
        yield gateway


@pytest.fixture
def live(_gateway: Live) -> Live:
    """The gateway with everyone newly signed in, however long ago the last test of it ran."""
    _gateway.sign_in()
    return _gateway
