"""`polyclinic serve`: ready, stopped in good order, and clear about a taken port."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys

import pytest

from tests.server import ROOT, Server, require_postgres

pytestmark = pytest.mark.service


def test_asked_to_stop_it_ends_with_status_0_even_while_someone_listens() -> None:
    with Server() as server:
        listener = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        listener.request("GET", "/live", headers={"Cookie": f"polyclinic_session={server.session('doctor')}"})
        answer = listener.getresponse()
        assert answer.readline()
        assert server.stop() == 0
        listener.close()
        assert "Traceback" not in server.log()


def test_a_taken_port_is_one_clear_line() -> None:
    with Server() as server:
        done = subprocess.run(
            [sys.executable, "-m", "polyclinic", "serve", "--port", str(server.port)], cwd=ROOT, env=server.env,
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1 port {server.port}" in done.stderr
    assert "--port" in done.stderr


def test_two_processes_share_a_port_on_postgresql() -> None:
    require_postgres()
    with Server(postgres=True) as server:
        assert server.stop() == 0
        process = subprocess.Popen(
            [sys.executable, "-m", "polyclinic", "serve", "--port", str(server.port), "--workers", "2"],
            cwd=ROOT, env=server.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            server.wait_until_ready(process)
            cookies = server.cookies("receptionist")
            body = {
                "patientId": server.people["patient"],
                "scheduleId": server.people["schedule"],
                "starts": server.slots[0],
            }
            answers = [server.request("POST", "/api/appointments", body=body, cookies=cookies)[0] for _ in range(6)]
            assert answers == [201, 409, 409, 409, 409, 409]
        finally:
            process.terminate()
            assert process.wait(30) == 0


@pytest.mark.parametrize("folder", ["/", os.fspath(ROOT / "docs")])
def test_it_serves_pages_and_styles_from_any_folder(folder: str) -> None:
    with Server(cwd=folder) as server:
        status, _headers, page = server.request("GET", "/")
        assert status == 200
        style = page.decode().partition('rel="stylesheet" href="')[2].partition('"')[0]
        status, headers, _css = server.request("GET", style)
        assert (status, headers["content-type"].partition(";")[0]) == (200, "text/css")
        assert "immutable" in headers["cache-control"]
