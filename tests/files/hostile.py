"""Hostile files, made here from scratch: nothing is downloaded and nothing in them works anywhere."""

from __future__ import annotations

import gzip
import io
import random
import struct
import zipfile
import zlib
from collections.abc import Iterator

from PIL import Image, PngImagePlugin
from pypdf import PdfWriter
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, TextStringObject

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><html><script>alert(1)</script></html>"
SCRIPT = b"<script>alert('canary')</script>"


def picture(kind: str = "JPEG", size: tuple[int, int] = (64, 48), mode: str = "RGB", **options: object) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, (200, 30, 30) if mode == "RGB" else 0).save(out, kind, **options)  # type: ignore[arg-type]
    return out.getvalue()


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack("!I", len(content)) + name + content + struct.pack("!I", zlib.crc32(name + content))


def png_claiming(width: int, height: int, rows: int = 4) -> bytes:
    """A PNG whose head says that it is huge."""
    head = chunk(b"IHDR", struct.pack("!IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * (rows * 100))) + chunk(b"IEND", b"")


def png_bomb(side: int) -> bytes:
    """A PNG that really decodes to side × side black pixels from a few kilobytes."""
    head = chunk(b"IHDR", struct.pack("!IIBBBBB", side, side, 1, 0, 0, 0, 0))
    rows = zlib.compress((b"\0" * (side // 8 + 1)) * side, 9)
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def png_text_bomb() -> bytes:
    """Four hundred megabytes of text compressed beside four pixels."""
    plain = picture("PNG", (2, 2))
    text = chunk(b"zTXt", b"c\0\0" + zlib.compress(b"A" * 40_000_000, 9))
    return plain[:33] + text * 10 + plain[33:]


def jpeg_claiming(width: int, height: int, *, progressive: bool = False) -> bytes:
    plain = bytearray(picture("JPEG", (16, 16), progressive=progressive))
    at = plain.find(b"\xff\xc2" if progressive else b"\xff\xc0")
    plain[at + 5 : at + 9] = struct.pack("!HH", height, width)
    return bytes(plain)


def webp_claiming(width: int, height: int) -> bytes:
    """An extended WebP whose canvas is huge."""
    canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"VP8X" + struct.pack("<I", 10) + b"\x10\0\0\0" + canvas
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def zip_bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../../etc/cron.d/x", b"\0" * 50_000_000)
    return out.getvalue()


def pdf(*, script: str = "", attach: bool = False, password: str = "", key: str = "", uri: str = "") -> bytes:
    """A one-page PDF, with something in it that a document should not have."""
    writer = PdfWriter()
    page = writer.add_blank_page(100, 100)
    if script:
        does = {NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject(script)}
        writer.root_object[NameObject("/OpenAction")] = DictionaryObject(does)
    if attach:
        writer.add_attachment("../../x.exe", b"MZ" + b"\0" * 100)
    if key:
        what = DictionaryObject({
            NameObject("/S"): NameObject(key), NameObject("/F"): TextStringObject("cmd.exe"),
        })  # fmt: skip
        page[NameObject("/Annots")] = ArrayObject([
            DictionaryObject({NameObject("/Type"): NameObject("/Annot"), NameObject("/A"): writer._add_object(what)})
        ])  # fmt: skip
    if password:
        writer.encrypt(password)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def pdf_stream_bomb() -> bytes:
    """Its only page lies in an object stream that unpacks, twice over, to a hundred megabytes."""
    page = b"5 0 <</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>"
    bomb = zlib.compress(zlib.compress(page + b" " * 100_000_000, 9), 9)
    head = b"<</Type/ObjStm/N 1/First 4/Filter[/FlateDecode/FlateDecode]/Length %d>>" % len(bomb)
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[5 0 R]/Count 1>>",
        head + b"stream\n" + bomb + b"\nendstream",
    ]  # fmt: skip
    out, entries = b"%PDF-1.7\n", [struct.pack("!BIB", 0, 0, 255)]
    for number, content in enumerate(objects, 1):
        entries.append(struct.pack("!BIB", 1, len(out), 0))
        out += b"%d 0 obj" % number + content + b"endobj\n"
    entries += [struct.pack("!BIB", 1, len(out), 0), struct.pack("!BIB", 2, 3, 0)]
    table = b"".join(entries)
    told = b"<</Type/XRef/Size 6/W[1 4 1]/Root 1 0 R/Length %d>>" % len(table)
    start = len(out)
    out += b"4 0 obj" + told + b"stream\n" + table + b"\nendstream endobj\n"
    return out + b"startxref\n%d\n" % start + b"%%EOF"


def pdf_written_by_hand(what: bytes) -> bytes:
    """With its names written in escapes, as those who hide from a search for words do."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R/Open#41ction 4 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>", b"<<" + what + b">>",
    ]  # fmt: skip
    out, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj" % number + content + b"endobj\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"xref\n0 5\n0000000000 65535 f \n" + table + b"trailer<</Root 1 0 R/Size 5>>\nstartxref\n%d\n%%%%EOF"
    return out + end % len(out)


def polyglots() -> Iterator[tuple[str, bytes]]:
    """Pictures that are something else too."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("index.html", HTML)
    tails = {
        "zip": archive.getvalue(), "html": HTML, "svg": SVG, "php": b"<?php system($_GET[1]);",
        "js": b"*/=1;alert(1)//", "pdf": pdf(script="app.alert(1)"), "elf": b"\x7fELF" + b"\0" * 60,
        "mz": b"MZ" + b"\0" * 60, "script": SCRIPT * 50,
    }  # fmt: skip
    for kind in ("JPEG", "PNG", "WEBP"):
        for name, tail in tails.items():
            yield f"{kind} with {name} behind", picture(kind) + tail
    for name, tail in tails.items():
        yield f"{name} with a picture behind", tail + picture("JPEG")
        yield f"GIF head with {name}", b"GIF89a/*" + tail
    comment = picture("JPEG", comment=SCRIPT + HTML)
    yield "JPEG with a script as comment", comment
    exif = Image.Exif()
    exif[0x010E], exif[0x9286] = SCRIPT.decode(), HTML.decode()
    yield "JPEG with a script in EXIF", picture("JPEG", exif=exif.tobytes())
    told = PngImagePlugin.PngInfo()
    told.add_text("Comment", SCRIPT.decode())
    yield "PNG with a script as text", picture("PNG", pnginfo=told)
    yield "PNG with a profile of script", picture("PNG", icc_profile=SCRIPT * 20)


def hostile() -> Iterator[tuple[str, bytes]]:
    """At least two hundred of them, each with what it is."""
    yield from polyglots()
    for side in (9_000, 20_000, 50_000, 65_000, 2**31 - 1):
        yield f"PNG claiming {side}²", png_claiming(side, side)
        yield f"PNG claiming {side}×1", png_claiming(side, 1)
    for side in (12_000, 50_000, 65_500):
        yield f"JPEG claiming {side}²", jpeg_claiming(side, side)
        yield f"progressive JPEG claiming {side}²", jpeg_claiming(side, side, progressive=True)
        yield f"WebP claiming {min(side, 16_383)}²", webp_claiming(min(side, 16_383), min(side, 16_383))
    yield "PNG bomb 20k", png_bomb(20_000)
    yield "PNG bomb 50k", png_bomb(50_000)
    yield "PNG text bomb", png_text_bomb()
    yield "zip bomb", zip_bomb()
    yield "gzip bomb", gzip.compress(b"\0" * 50_000_000)
    yield "gzip of a picture", gzip.compress(picture())
    yield "PDF object-stream bomb", pdf_stream_bomb()
    for name, data in {
        "svg": SVG,
        "html": HTML,
        "script": SCRIPT,
        "eicar": EICAR,
        "nothing": b"",
        "space": b"   ",
    }.items():
        for head in (b"", b"\xef\xbb\xbf", b"\n\n  ", b"<!-- x -->", b"\0"):
            yield f"{name} after {head!r}", head + data
    for kind in ("JPEG", "PNG", "WEBP"):
        whole = picture(kind, (200, 200))
        yield f"{kind} with EICAR inside", whole[:-4] + EICAR + whole[-4:]
        for share in (0.02, 0.2, 0.5, 0.9):
            yield f"{kind} cut at {share}", whole[: int(len(whole) * share)]
        rng = random.Random(kind)
        for turn in range(18):
            spoilt = bytearray(whole)
            for _ in range(12):
                spoilt[rng.randrange(12, len(spoilt))] = rng.randrange(256)
            yield f"{kind} spoilt {turn}", bytes(spoilt)
    rng = random.Random(7)
    for head in (
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\x20\0\0\0WEBP",
        b"%PDF-1.4\n",
        b"PK\x03\x04",
        b"Rar!",
        b"7z\xbc\xaf",
    ):
        for turn in range(5):
            yield f"{head!r} and noise {turn}", head + rng.randbytes(2000)


def hostile_documents() -> Iterator[tuple[str, bytes]]:
    """PDFs that do, carry or fetch something."""
    yield "with a script", pdf(script="app.alert(1)")
    yield "with an attachment", pdf(attach=True)
    yield "with a password", pdf(password="x")
    for key in ("/Launch", "/JavaScript", "/SubmitForm", "/GoToR", "/ImportData", "/GoToE"):
        yield f"with {key}", pdf(key=key)
    yield "with a name in escapes", pdf_written_by_hand(b"/S/Java#53cript/J#53(app.alert(1))")
    yield "with a launch in escapes", pdf_written_by_hand(b"/S/L#61unch/F(cmd.exe)")
    yield "object-stream bomb", pdf_stream_bomb()
    yield "no pages", b"%PDF-1.4\ntrailer<</Root 1 0 R>>\n%%EOF"
    yield "endless parents", pdf_written_by_hand(b"/Next 4 0 R/S/Named")[:-30]
