"""Django settings, built from the declared table in `declared.py`."""

from polyclinic.settings.base import *  # noqa: F403
