"""Static files: content-hashed names that may be cached for ever, compressed once, served by WhiteNoise."""

from __future__ import annotations

import hashlib
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFiles(CompressedManifestStaticFilesStorage):
    """Names carry a hash of the content; `import` paths inside JavaScript modules are rewritten to match."""

    support_js_module_import_aggregation = True
    # A page that names a missing file shows the plain name, which is then a 404: better than no page at all.
    manifest_strict = False


def fingerprint() -> str:
    """What the sources look like now: every file's name, size and time of change."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in sorted(finder.list([]), key=lambda entry: entry[0]):
            told = Path(storage.path(name)).stat()
            digest.update(f"{name}\0{told.st_size}\0{told.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _stamp() -> Path:
    """Beside the folder and not in it: what is in it is served."""
    root = Path(settings.STATIC_ROOT)
    return root.with_name(f"{root.name}.collected")


def stale() -> bool:
    """Whether the collected files are missing or older than their sources."""
    stamp = _stamp()
    there = Path(settings.STATIC_ROOT).exists() and stamp.exists()
    return not there or stamp.read_text(encoding="ascii") != fingerprint()


def collect() -> bool:
    """Collect, hash and compress all static files into STATIC_ROOT unless that is done. Returns whether it was not."""
    if not stale():
        return False
    root = Path(settings.STATIC_ROOT)
    root.mkdir(parents=True, exist_ok=True)
    call_command("collectstatic", interactive=False, verbosity=0)
    # Written last: a collection that was cut off counts as not done.
    _stamp().write_text(fingerprint(), encoding="ascii")
    return True
