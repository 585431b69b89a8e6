"""Settings of the fast suite: a throw-away data folder, quick password hashing, no rate limits."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from polyclinic.settings.base import *  # noqa: F403

# Values, not variables: the package around this module has read the environment before a word of it is run.
DATA = Path(os.environ.get("POLYCLINIC_DATA") or tempfile.mkdtemp(prefix="polyclinic-test-"))
STATIC_ROOT = DATA / "static"
RATE_LIMITS = False
STAFF_SECOND_FACTOR = False

# Argon2 costs 0.2 s a password on purpose; the suite makes hundreds of accounts.
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.MD5PasswordHasher",
    "polyclinic.people.hashing.Argon2id",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
# A pool would keep connections open to the test database that the runner wants to drop.
DATABASES["default"].get("OPTIONS", {}).pop("pool", None)  # noqa: F405
# WhiteNoise warns about a missing folder, and warnings are errors.
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
if "sqlite" in DATABASES["default"]["ENGINE"]:  # noqa: F405
    # Said aloud, because the runner of parallel tests knows only Django's own engine to be one that needs no file.
    DATABASES["default"]["TEST"] = {"NAME": ":memory:"}  # noqa: F405
