"""The desk's board with 400 rows, in Chromium slowed down four times: how long one change keeps the page busy.

`python -m bench board`. Told is the main thread's busy time (tasks, scripts, layout and style by CDP) for one changed
row, from the event to the row in its place; the wire and the server are not in it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys

from playwright.sync_api import sync_playwright

from tests.server import CSRF, Server

# Milliseconds in which a change has come and is painted, slowed down as it is.
WINDOW = 1_500
BUSY = ("ScriptDuration", "LayoutDuration", "RecalcStyleDuration", "TaskDuration")


def main(arguments: list[str]) -> int:
    """Measure and print; 1 when the median is over the budget."""
    parser = argparse.ArgumentParser(prog="bench board", description=__doc__)
    parser.add_argument("--rows", type=int, default=400)
    parser.add_argument("--changes", type=int, default=15)
    parser.add_argument("--slowdown", type=float, default=4)
    parser.add_argument("--budget", type=float, default=60, help="milliseconds of main-thread work for one change")
    given = parser.parse_args(arguments)
    with Server() as server, sync_playwright() as playwright:
        visits = json.loads(server.python("-m", "tests.many_visits", str(given.rows)))
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-background-networking"]
        )
        found = _measured(server, browser, visits, given)
        browser.close()
    for name in BUSY:
        values = sorted(one[name] for one in found)
        print(f"{name:<22} median {statistics.median(values):6.1f} ms   most {values[-1]:6.1f} ms")
    median = statistics.median(one["TaskDuration"] for one in found)
    print(
        f"{given.rows} rows, {given.slowdown:g} times slower, {len(found)} changes: {median:.0f} ms of {given.budget:g}"
    )
    return 1 if median > given.budget else 0


def _measured(server: Server, browser, visits: list[str], given: argparse.Namespace) -> list[dict[str, float]]:  # type: ignore[no-untyped-def]
    cookies = server.cookies("receptionist")
    context = browser.new_context(base_url=server.base_url)
    context.add_cookies([{"name": n, "value": v, "url": server.base_url} for n, v in cookies.items()])
    page = context.new_page()
    page.goto("/reception", timeout=120_000)
    page.locator("[data-connection]", has_text="Live").wait_for(timeout=120_000)
    devtools = context.new_cdp_session(page)
    # Processor time of the page's own thread: what the neighbours use is not in it.
    devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": given.slowdown})
    session = {"polyclinic_session": cookies["polyclinic_session"], "polyclinic_csrf": CSRF}
    page.wait_for_timeout(3_000)
    found = []
    for number in range(given.changes):
        visit = visits[(number * 37) % len(visits)]
        page.wait_for_timeout(800)
        before = _metrics(devtools)
        server.request("PUT", f"/api/visits/{visit}/priority", body={"priority": "urgent"}, cookies=session)
        # Not asked for meanwhile: a question in every frame would itself be most of what is measured.
        page.wait_for_timeout(WINDOW)
        after = _metrics(devtools)
        assert page.locator(f"#visit-{visit}[data-fresh]").count() == 1, "the row did not come in time"
        found.append({name: 1000 * (after[name] - before[name]) for name in BUSY})
    before = _metrics(devtools)
    page.wait_for_timeout(WINDOW)
    after = _metrics(devtools)
    print(f"the same time with no change: {1000 * (after['TaskDuration'] - before['TaskDuration']):.0f} ms of tasks")
    return found


def _metrics(devtools) -> dict[str, float]:  # type: ignore[no-untyped-def]
    return {one["name"]: one["value"] for one in devtools.send("Performance.getMetrics")["metrics"]}


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
