"""A stand-in for Stripe on loopback: Checkout Sessions and Refunds as its API answers them, and notices it signs.

The double on PyPI knows no Checkout Sessions, no idempotency keys and no limit to refunds (ADR 032).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs

SECRET = "whsec_a_test_secret"


class Bank:
    """Keeps what it is asked. `down` makes it answer 500; `pay` is what the patient does on the bank's `page`."""

    def __init__(self) -> None:
        self.sessions: dict[str, dict[str, Any]] = {}
        self.refunds: dict[str, dict[str, Any]] = {}
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.keys: dict[str, dict[str, Any]] = {}
        self.down = False
        self.page = "https://checkout.example/"
        bank = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(*bank.get(self.path))

            def do_POST(self) -> None:
                given = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                form = {name: values[0] for name, values in parse_qs(given).items()}
                self._answer(*bank.post(self.path, form, dict(self.headers)))

            def _answer(self, status: int, told: dict[str, Any]) -> None:
                body = json.dumps(told).encode()
                self.send_response(500 if bank.down else status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_given: Any) -> None: ...

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def get(self, path: str) -> tuple[int, dict[str, Any]]:
        found = self.sessions.get(path.rpartition("/")[2])
        return (200, found) if found else (404, {"error": {"code": "resource_missing"}})

    def post(self, path: str, form: dict[str, str], headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
        self.asked.append((path, headers.get("Authorization", ""), form))
        key = headers.get("Idempotency-Key", "")
        if key in self.keys:
            return 200, self.keys[key]
        if path.endswith("/expire"):
            found = self.sessions[path.split("/")[-2]]
            if found["status"] != "open":
                return 400, {"error": {"code": "resource_missing"}}
            found["status"] = "expired"
            return 200, found
        if path == "/v1/refunds":
            return self._refund(form, key)
        made = {
            "id": f"cs_test_{len(self.sessions) + 1}", "url": f"{self.page}{len(self.sessions) + 1}",
            "status": "open", "payment_status": "unpaid", "payment_intent": None,
            "amount_total": int(form["line_items[0][price_data][unit_amount]"]),
            "currency": form["line_items[0][price_data][currency]"],
        }  # fmt: skip
        self.sessions[str(made["id"])] = self.keys[key] = made
        return 200, made

    def _refund(self, form: dict[str, str], key: str) -> tuple[int, dict[str, Any]]:
        paid = next((one for one in self.sessions.values() if one["payment_intent"] == form["payment_intent"]), None)
        given = sum(one["amount"] for one in self.refunds.values() if one["of"] == form["payment_intent"])
        amount = int(form["amount"])
        if paid is None or given + amount > paid["amount_total"]:
            return 400, {"error": {"code": "charge_already_refunded"}}
        made = {
            "id": f"re_{len(self.refunds) + 1}",
            "status": "succeeded",
            "amount": amount,
            "of": form["payment_intent"],
        }
        self.refunds[str(made["id"])] = self.keys[key] = made
        return 200, made

    def pay(self, ref: str) -> None:
        self.sessions[ref] |= {"status": "complete", "payment_status": "paid", "payment_intent": f"pi_{ref}"}
        for key, kept in self.keys.items():
            if kept["id"] == ref:
                self.keys[key] = self.sessions[ref]

    def notice(self, ref: str, *, secret: str = SECRET, at: float | None = None) -> tuple[bytes, dict[str, str]]:
        body = json.dumps({"type": "checkout.session.completed", "data": {"object": {"id": ref}}}).encode()
        when = int(time.time() if at is None else at)
        mark = hmac.new(secret.encode(), f"{when}.".encode() + body, hashlib.sha256).hexdigest()
        return body, {"Stripe-Signature": f"t={when},v1={mark}"}
