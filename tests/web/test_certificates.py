"""Lines that we open ask the other side who it is, and end there when it cannot show it."""

from __future__ import annotations

import http.server
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.core.mail.backends.smtp import EmailBackend

from polyclinic.core import outgoing
from polyclinic.core.outgoing import NoAnswer


def certificate(folder: Path, name: str, days: int) -> Path:
    """A certificate that signs itself, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(who).issuer_name(who).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - timedelta(days=30)).not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    path = folder / f"{name}{days}.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ) + made.public_bytes(serialization.Encoding.PEM)
    )  # fmt: skip
    return path


class _Answering(http.server.BaseHTTPRequestHandler):
    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_words: object) -> None:
        """Tests are quiet."""


class _Quiet(http.server.ThreadingHTTPServer):
    def handle_error(self, *_about: object) -> None:
        """A line that the other side refuses is what is being tested."""


@pytest.fixture(params=["self-signed", "another name", "expired", "trusted"])
def other_side(request: pytest.FixtureRequest, tmp_path: Path, settings: Any, monkeypatch: Any) -> Iterator[Any]:
    """A server on this machine with a certificate of each kind; all but the first are of an authority we know."""
    kind: str = request.param
    name = "elsewhere.example" if kind == "another name" else "localhost"
    pem = certificate(tmp_path, name, -1 if kind == "expired" else 9)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server = _Quiet(("127.0.0.1", 0), _Answering)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    _Answering.asked = 0
    settings.OUTGOING_ALLOW = [f"localhost:{server.server_port}"]
    if kind != "self-signed":
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    yield kind, server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


def test_who_cannot_show_who_they_are_is_told_nothing(other_side: Any) -> None:
    kind, port = other_side
    if kind == "trusted":  # the control: with all in order the very same call arrives
        assert outgoing.request("GET", f"https://localhost:{port}/").status == 204
        assert _Answering.asked == 1
        return
    with pytest.raises(NoAnswer):
        outgoing.request("GET", f"https://localhost:{port}/")
    assert _Answering.asked == 0


def test_the_mail_server_and_our_own_lines_ask_for_tls_1_2_and_a_certificate() -> None:
    for context in (EmailBackend().ssl_context, ssl.create_default_context()):
        assert context.verify_mode == ssl.CERT_REQUIRED
        assert context.check_hostname
        assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
