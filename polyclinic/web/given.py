"""A kept file as an answer. Nothing of it is ever shown as a page of ours: attachments, or pictures we drew."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from polyclinic.files.checking import JPEG, PDF, PNG
from polyclinic.files.selectors import Content

# Even if a browser could be made to show it as a document: no script, no form, no origin.
_INERT: Final = "default-src 'none'; img-src 'self'; style-src 'none'; sandbox; frame-ancestors 'none'"
_ENDINGS: Final = {JPEG: "jpg", PNG: "png", PDF: "pdf"}
_AT_ONCE: Final = 1 << 20


def given_out(found: UUID, content: Content) -> HttpResponseBase:
    """A content as an answer that can do nothing: no page of ours, no script, no form, no origin, no guessing."""
    response: HttpResponseBase
    if content.size <= _AT_ONCE:
        response = HttpResponse(b"".join(content.parts), content_type=content.media_type)
    else:
        response = StreamingHttpResponse(content.parts, content_type=content.media_type)
    ending = _ENDINGS.get(content.media_type, "txt")
    # A name of ours: what a person called it could be about their health, or a path.
    shown = "inline" if content.drawn else "attachment"
    response.headers["Content-Disposition"] = f'{shown}; filename="{found.hex[-8:]}.{ending}"'
    response.headers["Content-Security-Policy"] = _INERT
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store, private"
    return response
