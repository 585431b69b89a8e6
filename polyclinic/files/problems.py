"""Why a file is not taken."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from polyclinic.core.errors import Invalid, Problem


class FileRefused(Invalid):
    """The file is not of a kind that is taken, or holds what could harm whoever opens it. `code` says which."""

    code = "file_refused"


class ScannerUnavailable(Problem):
    """The virus scanner does not answer. Nothing is kept unchecked."""

    status = 503
    code = "scanner_unavailable"
    sentence = _("Files cannot be checked for viruses just now. Please try again in a few minutes.")


def no_picture() -> FileRefused:
    return FileRefused(
        _("This is no picture that can be taken. Send a photo as JPEG, PNG or WebP."), code="unknown_kind", field="file"
    )


def unknown_kind() -> FileRefused:
    return FileRefused(
        _("This kind of file cannot be taken. Send a photo as JPEG, PNG or WebP, or a document as PDF or plain text."),
        code="unknown_kind",
        field="file",
    )


def damaged() -> FileRefused:
    return FileRefused(
        _("This file is damaged or not what it says it is. Open it on your device and save it again."),
        code="damaged",
        field="file",
    )


def too_large(megabytes: int) -> FileRefused:
    return FileRefused(
        _("This file is larger than %(limit)s MB. Send a smaller one.") % {"limit": megabytes},
        code="too_large",
        field="file",
    )


def too_many_pixels() -> FileRefused:
    return FileRefused(
        _("This picture is larger than can be worked on. Send it in a smaller size."),
        code="too_many_pixels",
        field="file",
    )


def active_content() -> FileRefused:
    return FileRefused(
        _(
            "This document contains programs, attachments or a password, or it sends something. Print it as a plain "
            "PDF and send that."
        ),
        code="active_content",
        field="file",
    )


def enough(most: int) -> FileRefused:
    return FileRefused(
        _("A result has %(limit)s files at most. Withdraw one first.") % {"limit": most}, code="too_many", field="file"
    )


def infected() -> FileRefused:
    return FileRefused(_("A virus was found in this file. It was not kept."), code="infected", field="file")
