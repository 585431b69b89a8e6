"""Browsers for the tests of money's pages."""

from __future__ import annotations

from tests.portals.conftest import browser_of

__all__ = ["browser_of"]
