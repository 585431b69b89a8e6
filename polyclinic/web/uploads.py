"""Which addresses take files, and how much may be sent to them. Everywhere else the ordinary body limit holds."""

from __future__ import annotations

import re
from typing import Any, Final

from django.conf import settings

PATHS: Final = frozenset({"/account/photo"})
# The file that belongs to a laboratory result, by the result's id: from a page, and by the API.
_RESULT: Final = re.compile(r"/(?:lab/tests|api/(?:v1/)?lab/results)/[0-9a-f-]{32,36}/files", re.ASCII)
# A photo that the desk takes of a patient.
_PORTRAIT: Final = re.compile(r"/reception/photo/[0-9a-f-]{32,36}", re.ASCII)
# A list to be imported, from a page and by the API.
_LIST: Final = re.compile(r"/imports|/api/(?:v1/)?imports", re.ASCII)
# What stands around a file in a form: boundaries, names, the token.
_AROUND: Final = 16 * 1024


def body_limit(scope: Any) -> int:  # noqa: ANN401 - ASGI's own
    """The most bytes that may come in one request."""
    path = scope["path"]
    taken = path in PATHS or any(way.fullmatch(path) for way in (_RESULT, _PORTRAIT, _LIST))
    if scope["method"] == "POST" and taken:
        return max(int(settings.MAX_UPLOAD_BYTES) + _AROUND, settings.MAX_BODY_BYTES)
    return int(settings.MAX_BODY_BYTES)
