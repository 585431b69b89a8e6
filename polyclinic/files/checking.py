"""From bytes that anybody sent to bytes that can be given to anybody else.

What a file is, is decided by its content: its name and declared type are not looked at. Pictures are drawn anew from
their pixels, PDFs written anew from their objects, so that nothing hidden beside them is kept. Everything else is
refused.
"""

from __future__ import annotations

import io
import threading
import warnings
from dataclasses import dataclass
from typing import Any, Final

from PIL import Image, ImageOps, UnidentifiedImageError
from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject, StreamObject

from polyclinic.files import problems

JPEG, PNG, WEBP = "image/jpeg", "image/png", "image/webp"
PDF, TEXT = "application/pdf", "text/plain"
PHOTO, DOCUMENT = "photo", "document"

# What may be given for what.
TAKEN: Final = {PHOTO: frozenset({JPEG, PNG, WEBP}), DOCUMENT: frozenset({JPEG, PNG, WEBP, PDF, TEXT})}
_FORMATS: Final = {JPEG: "JPEG", PNG: "PNG", WEBP: "WEBP"}
PHOTO_SIDE: Final = 512
_PICTURE_SIDE: Final = 4096
# Decoded, a pixel takes 3 to 4 bytes. A plain JPEG is made smaller while it is decoded, a progressive one only after.
_PIXELS: Final = 24_000_000
_PIXELS_PLAIN_JPEG: Final = 120_000_000
_PDF_OBJECTS: Final = 20_000
# The industry's test file (EICAR): 68 bytes that every scanner knows. Known here too, with or without a scanner.
_EICAR: Final = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + rb"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!"
_MARKUP: Final = (b"<!doctype", b"<html", b"<svg", b"<script", b"<?xml", b"<?php", b"<body", b"<iframe", b"#!/")
# Names of a PDF's dictionaries that make it do something, fetch something or carry something.
_ACTIVE: Final = frozenset({
    "/JavaScript", "/JS", "/Launch", "/EmbeddedFile", "/EmbeddedFiles", "/EF", "/RichMedia", "/SubmitForm",
    "/ImportData", "/GoToE", "/GoToR", "/XFA", "/AA", "/Movie", "/Sound", "/Rendition", "/Trans3D", "/3D",
})  # fmt: skip

# One picture is worked on at a time: the memory of one is bounded, of many at once it would not be.
_one_at_a_time = threading.Lock()


@dataclass(frozen=True, slots=True)
class Checked:
    """A file that may be kept: its real kind and its bytes as they will be given out."""

    media_type: str
    content: bytes
    width: int = 0
    height: int = 0


def sniff(data: bytes) -> str:
    """What the bytes are, or "" for what is not taken."""
    if data.startswith(b"\xff\xd8\xff"):
        return JPEG
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return WEBP
    if data.startswith(b"%PDF-"):
        return PDF
    return TEXT if _is_plain(data) else ""


def check(data: bytes, purpose: str) -> Checked:
    """The file as it may be kept. Raises FileRefused, whose code says why."""
    if _EICAR in data:
        raise problems.infected()
    kind = sniff(data)
    if kind not in TAKEN[purpose]:
        raise problems.no_picture() if purpose == PHOTO else problems.unknown_kind()
    if kind == TEXT:
        return Checked(TEXT, data)
    if kind == PDF:
        return Checked(PDF, _pdf(data))
    with _one_at_a_time:
        return _picture(data, kind, purpose)


def _is_plain(data: bytes) -> bool:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    if any(ord(sign) < 32 and sign not in "\t\n\r\f" for sign in text):
        return False
    lowered = data.lower()
    return bool(text.strip()) and not any(sign in lowered for sign in _MARKUP)


def _picture(data: bytes, kind: str, purpose: str) -> Checked:
    """The pixels drawn anew, upright, without position, camera or anything else that was written beside them."""
    side = PHOTO_SIDE if purpose == PHOTO else _PICTURE_SIDE
    try:
        with warnings.catch_warnings():
            # Our own limit, applied before a pixel is decoded, stands in for the library's warning.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=[_FORMATS[kind]]) as picture:
                _require_size(picture, kind)
                picture.draft("RGB", (side, side))
                picture.seek(0)
                picture.load()
                drawn = _drawn(picture, side, purpose)
        out = io.BytesIO()
        if drawn.mode == "RGBA":
            drawn.save(out, "PNG")
            return Checked(PNG, out.getvalue(), *drawn.size)
        drawn.save(out, "JPEG", quality=88, optimize=True)
        return Checked(JPEG, out.getvalue(), *drawn.size)
    except problems.FileRefused:
        raise
    except Image.DecompressionBombError:
        raise problems.too_many_pixels() from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, OverflowError, MemoryError, KeyError):
        # A decoder's word for "this is not a picture", which says nothing to whoever sent it.
        raise problems.damaged() from None


def _require_size(picture: Image.Image, kind: str) -> None:
    plain = kind == JPEG and not picture.info.get("progressive")
    if picture.width * picture.height > (_PIXELS_PLAIN_JPEG if plain else _PIXELS):
        raise problems.too_many_pixels()
    if min(picture.size) < 1:
        raise problems.damaged()


def _drawn(picture: Image.Image, side: int, purpose: str) -> Image.Image:
    """A fresh picture with nothing but pixels."""
    turn = picture.getexif().get(0x0112, 1)
    picture.thumbnail((2 * side, 2 * side) if purpose == PHOTO else (side, side))
    clear = picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info
    flat = picture.convert("RGBA" if clear else "RGB")
    if clear and purpose == PHOTO:
        paper = Image.new("RGB", flat.size, "white")
        paper.paste(flat, mask=flat.getchannel("A"))
        flat = paper
    flat = _upright(flat, turn)
    if purpose == PHOTO:
        edge = min(side, *flat.size)
        flat = ImageOps.fit(flat, (edge, edge))
    fresh = Image.new(flat.mode, flat.size)
    fresh.paste(flat)
    return fresh


_TURNS: Final = {
    2: (Image.Transpose.FLIP_LEFT_RIGHT,),
    3: (Image.Transpose.ROTATE_180,),
    4: (Image.Transpose.FLIP_TOP_BOTTOM,),
    5: (Image.Transpose.TRANSPOSE,),
    6: (Image.Transpose.ROTATE_270,),
    7: (Image.Transpose.TRANSVERSE,),
    8: (Image.Transpose.ROTATE_90,),
}  # fmt: skip


def _upright(picture: Image.Image, turn: object) -> Image.Image:
    """Turned as the camera said it was held."""
    for step in _TURNS.get(turn if isinstance(turn, int) else 1, ()):
        picture = picture.transpose(step)
    return picture


def _pdf(data: bytes) -> bytes:
    """The document written anew from the objects its pages need; refused when any of them is active."""
    try:
        reader = PdfReader(io.BytesIO(data), strict=False)
        if reader.is_encrypted:
            raise problems.active_content()
        if not len(reader.pages):
            raise problems.damaged()
        _require_inert(reader)
        writer = PdfWriter()
        for page in reader.pages:
            writer.add_page(page)
        _require_inert_objects(writer._objects)
        out = io.BytesIO()
        writer.write(out)
        return out.getvalue()
    except problems.FileRefused:
        raise
    except Exception:
        # A parser meets any error there is in a hostile file; all mean the same here.
        raise problems.damaged() from None


def _require_inert(reader: PdfReader) -> None:
    seen: set[tuple[int, int]] = set()
    waiting: list[Any] = [reader.trailer]
    steps = 0
    while waiting:
        steps += 1
        if steps > 20 * _PDF_OBJECTS or len(seen) > _PDF_OBJECTS:
            raise problems.damaged()
        found = waiting.pop()
        if isinstance(found, IndirectObject):
            if (found.idnum, found.generation) in seen:
                continue
            seen.add((found.idnum, found.generation))
            found = found.get_object()
        if isinstance(found, DictionaryObject):
            _require_inert_dictionary(found)
            waiting.extend(found.values())
        elif isinstance(found, ArrayObject):
            waiting.extend(found)


def _require_inert_objects(objects: list[Any]) -> None:
    for found in objects:
        if isinstance(found, DictionaryObject | StreamObject):
            _require_inert_dictionary(found)


def _require_inert_dictionary(found: DictionaryObject) -> None:
    # Both as a key and as what kind of action it is: /S /JavaScript.
    named = {str(key) for key in found} | {
        str(found.raw_get(key)) for key in ("/S", "/Type", "/Subtype") if key in found
    }
    if named & _ACTIVE:
        raise problems.active_content()
