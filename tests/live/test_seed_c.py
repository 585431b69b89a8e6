"""The hospital of six dashboards, as its clients know it: `join-room` by role, and the four events by name and keys.

Real actions over REST in a real server, heard over Socket.IO by somebody in each role.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
import socketio

from tests.server import CSRF, Server

pytestmark = pytest.mark.service
# Each role's person in the small hospital, and the room that the dashboard of this role asks for.
ROOMS = {
    "receptionist": "reception", "checker_doctor": "checkerDoctor", "lab_technician": "labTechnician",
    "main_doctor": "mainDoctor", "pharmacist": "pharmacy", "manager": "admin",
}  # fmt: skip
HEAD = {"id", "type", "at", "version"}
VISIT = HEAD | {"visitId", "patientId", "facilityId", "doctorId", "token", "stage", "priority", "revision"}
NAMES = ("new-visit", "visit-updated", "lab-result-ready", "prescription-ready")
SIGN = """
import json, sys, django
django.setup()
from decimal import Decimal
from uuid import UUID
from polyclinic.facilities import identity
from polyclinic.medicines import seed
from polyclinic.medicines.models import Medicine
from polyclinic.people.models import Account
from polyclinic.prescribing import actions
from polyclinic.prescribing.bodies import Line
seed.load()
product = Medicine.objects.get(code="paracetamol-500-mg-tablet")
doctor = identity.person_of_account(Account.objects.get(email=sys.argv[2]).pk)
actions.sign(
    actor=doctor, visit_id=UUID(sys.argv[1]), lines=[Line(product.pk, Decimal(1), "three", 3)],
)
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


class Dashboard:
    """Somebody's open dashboard: joined to the room of their role, keeping what it hears by the seed's names."""

    def __init__(self, server: Server, role: str, session: str) -> None:
        self.server, self.role, self.session = server, role, session
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.client = socketio.AsyncClient(reconnection=False)
        for name in NAMES:
            self.client.on(name, lambda data, name=name: self.heard.append((name, data)))

    async def open(self) -> dict[str, Any]:
        cookie = {"Cookie": f"polyclinic_session={self.session}"}
        await self.client.connect(self.server.base_url, headers=cookie, transports=["websocket"], wait_timeout=60)
        answer: dict[str, Any] = await self.client.call("join-room", ROOMS[self.role])
        return answer

    async def close(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.client.disconnect(), 1)

    async def until(self, name: str, type_: str, seconds: float = 60) -> dict[str, Any]:
        async with asyncio.timeout(seconds):
            while True:
                for heard, data in self.heard:
                    if (heard, data["type"]) == (name, type_):
                        return data
                await asyncio.sleep(0.02)

    def call(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        cookies = {"polyclinic_session": self.session, "polyclinic_csrf": CSRF}
        status, _headers, answer = self.server.request(method, path, body=body, cookies=cookies)
        assert status in (200, 201), (path, status, answer)
        told: dict[str, Any] = json.loads(answer)
        return told

    async def does(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        return await asyncio.to_thread(self.call, method, path, body)


async def _day(server: Server, sessions: dict[str, str]) -> dict[str, Dashboard]:
    open_ = {role: Dashboard(server, role, sessions[role]) for role in ROOMS}
    try:
        for role, dashboard in open_.items():
            joined = await dashboard.open()
            assert joined["ok"] is True, role
            assert joined["rooms"] == [f"facility:{server.people['facility']}:{role}"]
        refused = await open_["pharmacist"].client.call("join-room", "reception")
        assert (refused["ok"], refused["code"]) == (False, "room_refused")
        await _visit(server, open_)
    finally:
        for dashboard in open_.values():
            await dashboard.close()
    return open_


async def _visit(server: Server, open_: dict[str, Dashboard]) -> None:
    """One visit from the door to the pharmacy, each step by its role, each heard where it is waited for."""
    people, desk, checker = server.people, open_["receptionist"], open_["checker_doctor"]
    lab, head, pharmacy = open_["lab_technician"], open_["main_doctor"], open_["pharmacist"]
    made = await desk.does(
        "POST", "/api/visits", hospitalId=people["facility"], patientId=people["patient"], doctorId=people["doctor"]
    )
    visit = made["id"]
    told = await checker.until("new-visit", "visit.registered")
    assert set(told) == VISIT
    assert (told["visitId"], told["token"], told["stage"]) == (visit, made["token"], "registered")
    await open_["manager"].until("new-visit", "visit.registered")
    await desk.does("PUT", f"/api/visits/{visit}/status", action="pay")
    assert (await checker.until("new-visit", "visit.paid"))["stage"] == "paid"
    await checker.until("visit-updated", "visit.paid")
    order = await checker.does("POST", f"/api/visits/{visit}/lab-orders", codes=["esr"])
    assert set(await lab.until("visit-updated", "visit.lab_pending")) == VISIT
    specimen, test = order["specimens"][0]["id"], order["tests"][0]["id"]
    for step in ("collect", "receive"):
        await lab.does("POST", f"/api/lab/specimens/{specimen}/{step}")
    await lab.does("PUT", f"/api/lab/orders/{order['id']}/results", results=[{"testId": test, "value": "9"}])
    await lab.does("POST", f"/api/lab/results/{test}/verify")
    await head.until("visit-updated", "visit.lab_done")
    await lab.does("POST", f"/api/lab/results/{test}/release")
    ready = await head.until("lab-result-ready", "lab.result_released")
    assert {"facilityId", "revision"} <= set(ready) - HEAD
    assert not any("value" in name.lower() or name.lower() == "result" for name in ready)
    await lab.until("lab-result-ready", "lab.result_released")
    await asyncio.to_thread(server.python, "-c", SIGN, visit, "main_doctor@example.org")
    signed = await pharmacy.until("prescription-ready", "prescription.signed")
    assert {"prescriptionId", "visitId", "patientId", "facilityId", "revision"} <= set(signed)
    assert set(await pharmacy.until("visit-updated", "visit.diagnosed")) == VISIT


def test_each_role_hears_the_four_events_by_name(server: Server) -> None:
    named = {role: role if role in ("receptionist", "manager") else f"{role}@example.org" for role in ROOMS}
    made = server.sessions(*named.values())
    open_ = asyncio.run(_day(server, {role: made[name] for role, name in named.items()}))
    # A result is nobody's business at the desk, and neither is what is prescribed.
    for name in ("lab-result-ready", "prescription-ready"):
        assert name not in {heard for heard, _data in open_["receptionist"].heard}
        assert name not in {heard for heard, _data in open_["manager"].heard}
    for role in ("receptionist", "checker_doctor", "main_doctor"):
        assert {"new-visit", "visit-updated"} <= {heard for heard, _data in open_[role].heard}, role
    everything = [data for dashboard in open_.values() for _name, data in dashboard.heard]
    assert all("pillai" not in json.dumps(data).lower() for data in everything)


def test_who_works_elsewhere_hears_nothing(server: Server) -> None:
    async def story() -> list[tuple[str, Any]]:
        stranger = Dashboard(server, "receptionist", server.session("stranger_receptionist"))
        desk = Dashboard(server, "receptionist", server.session("receptionist"))
        try:
            assert (await stranger.open())["rooms"] == [f"facility:{server.people['elsewhere']}:receptionist"]
            await desk.open()
            await desk.does(
                "POST", "/api/visits", hospitalId=server.people["facility"], patientId=server.people["other_patient"]
            )
            await desk.until("new-visit", "visit.registered")
            await asyncio.sleep(0.3)
            return stranger.heard
        finally:
            await stranger.close()
            await desk.close()

    assert asyncio.run(story()) == []
