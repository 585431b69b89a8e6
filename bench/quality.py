"""What Lighthouse and the Nu validator say of the pages, with the demo hospital on this machine.

Neither is part of the product or of its tests; both come from npm, and Chromium and Java must be there:

    npm install --prefix FOLDER lighthouse@13.5.0 vnu-jar@26.9.27
    python -m bench quality --packages FOLDER

Lighthouse looks at its usual telephone: a slow network by calculation, a processor slowed down four times. Its figures
of speed belong to the machine and to what else it does; the marks for accessibility and the like do not.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from html import unescape
from http.client import HTTPResponse
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urljoin, urlsplit
from urllib.request import HTTPCookieProcessor, OpenerDirector, build_opener

ROOT = Path(__file__).resolve().parent.parent
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
AIMS = {"performance": 95, "accessibility": 98, "best-practices": 98, "seo": 98}
MOST_SHIFT = 0.02
LOOKED_AT = (
    ("", "/"), ("", "/doctors"), ("", "/sign-in"), ("patient", "/book"), ("patient", "/my"), ("doctor", "/doctor"),
)  # fmt: skip
# Validated: every page these people come to by links, one for each kind of address.
ROLES = (
    "", "patient", "doctor", "receptionist", "checker_doctor", "main_doctor", "lab_technician", "pharmacist", "manager",
    "admin", "privacy_officer", "auditor",
)  # fmt: skip
MOST_PAGES = 40
ATTEMPTS = 4
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d{4}-\d\d-\d\d|(?<=/)\d+(?=/|$)")
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_LINK = re.compile(r'<a\b[^>]*?\shref="(/[^"#]*)')
# What the validator says of things that are so on purpose.
_MEANT: tuple[str, ...] = ()


class Visitor:
    """Somebody in front of the running demo: nobody in particular, or one of its accounts."""

    def __init__(self, base: str, role: str) -> None:
        self._base = base
        self._jar = CookieJar()
        self._open: OpenerDirector = build_opener(HTTPCookieProcessor(self._jar))
        if role:
            self._sign_in(role)

    def _sign_in(self, role: str) -> None:
        from polyclinic.demo.accounts import account

        page = self.page("/sign-in")
        token = _TOKEN.search(page)
        known = account(role)
        given = {"csrfmiddlewaretoken": token[1] if token else "", "email": known.email, "password": known.password}
        with self._open.open(self._base + "/sign-in", urlencode(given).encode()) as answer:
            if urlsplit(answer.geturl()).path == "/sign-in":
                raise SystemExit(f"the demo account {role} cannot sign in")

    def page(self, path: str) -> str:
        """The page as HTML; nothing for what is no page, or is not this visitor's."""
        try:
            with self._open.open(urljoin(self._base, path), timeout=20) as answer:
                return _html(answer)
        except HTTPError:
            return ""

    def headers(self) -> dict[str, str]:
        """What a browser sends to be this visitor."""
        return {"Cookie": "; ".join(f"{one.name}={one.value}" for one in self._jar)}


def _html(answer: HTTPResponse) -> str:
    if not (answer.headers.get("Content-Type") or "").startswith("text/html"):
        return ""
    return answer.read().decode()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="bench quality", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--packages", type=Path, default=Path("node_modules").parent, help="folder of the npm packages")
    parser.add_argument("--runs", type=int, default=3, help="Lighthouse runs of each page, medians count (%(default)s)")
    parser.add_argument("--port", type=int, default=8240, help="a free port (default %(default)s)")
    parser.add_argument("--keep", type=Path, help="folder to keep the demo hospital in for the next run")
    parser.add_argument("--only", choices=("lighthouse", "vnu"), help="one of the two")
    given = parser.parse_args()
    lighthouse = given.packages / "node_modules/lighthouse/cli/index.js"
    validator = given.packages / "node_modules/vnu-jar/build/dist/vnu.jar"
    for needed in (lighthouse, validator, *(Path(shutil.which(name) or f"({name})") for name in ("node", "java"))):
        if not needed.exists():
            raise SystemExit(f"{needed} is not there.\n{__doc__}")
    told: dict[str, Any] = {"load": round(os.getloadavg()[0], 1)}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        server, base = _served((given.keep or Path(folder)).resolve(), given.port)
        try:
            if given.only != "vnu":
                told["lighthouse"] = _lighthouse(lighthouse, base, given.runs, Path(folder))
            if given.only != "lighthouse":
                told["vnu"] = _validate(validator, base, Path(folder))
        finally:
            server.terminate()
            server.wait(20)
    results = ROOT / "bench" / "results"
    results.mkdir(exist_ok=True)
    (results / "quality.json").write_text(json.dumps(told, indent=1) + "\n", encoding="ascii")


def _served(folder: Path, port: int) -> tuple[subprocess.Popen[bytes], str]:
    """The demo hospital, on a port of its own."""
    env = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    env |= {"POLYCLINIC_DATA": os.fspath(folder), "RATE_LIMITS": "no", "LOG_LEVEL": "WARNING",
            "POLYCLINIC_MODE": "demo", "PUBLIC_URL": f"http://localhost:{port}"}  # fmt: skip
    command = [sys.executable, "-m", "polyclinic"]
    if not (folder / "polyclinic.sqlite3").exists():
        subprocess.run([*command, "demo"], env=env, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    server = subprocess.Popen([*command, "serve", "--port", str(port)], env=env, cwd=ROOT, stdout=subprocess.DEVNULL)
    base = f"http://localhost:{port}"
    for _attempt in range(600):
        try:
            if Visitor(base, "").page("/"):
                return server, base
        except (URLError, ConnectionError):
            time.sleep(0.1)
    server.terminate()
    raise SystemExit("the server does not answer")


def _lighthouse(program: Path, base: str, runs: int, folder: Path) -> dict[str, Any]:
    visitors = {role: Visitor(base, role) for role in {role for role, _path in LOOKED_AT}}
    told: dict[str, Any] = {}
    for role, path in LOOKED_AT:
        headers = folder / "headers.json"
        headers.write_text(json.dumps(visitors[role].headers() if role else {}), encoding="ascii")
        visitors[role].page(path)
        found = [_one_run(program, base + path, headers, folder / "report.json") for _run in range(runs)]
        row = {name: statistics.median(one[name] for one in found) for name in found[0] if name != "failed"}
        failed = sorted({name for one in found for name in one["failed"]})
        missed = [name for name, aim in AIMS.items() if row[name] < aim]
        missed += ["shift"] if row["shift"] > MOST_SHIFT else []
        told[path] = {**row, "failed": failed, "missed": missed}
        print(f"{path:10} {row}  missed: {', '.join(missed) or '-'}  audits: {', '.join(failed) or '-'}", flush=True)
    return told


def _one_run(program: Path, address: str, headers: Path, report: Path) -> dict[str, Any]:
    chromium = shutil.which("chromium") or shutil.which("google-chrome") or "chromium"
    command = [
        "node", os.fspath(program), address, "--quiet", "--output=json", f"--output-path={report}",
        f"--extra-headers={headers}", f"--only-categories={','.join(CATEGORIES)}", "--no-enable-error-reporting",
        "--chrome-flags=--headless=new --no-sandbox --disable-gpu",
    ]  # fmt: skip
    # On a busy machine the browser's trace may lack its beginning; that is no finding about the page.
    for _attempt in range(ATTEMPTS):
        if subprocess.run(command, env={**os.environ, "CHROME_PATH": chromium}, check=False).returncode == 0:
            break
    else:
        raise SystemExit(f"Lighthouse could not look at {address}")
    whole = json.loads(report.read_text(encoding="utf-8"))
    audits = whole["audits"]
    counted = {part["id"] for name in CATEGORIES[1:] for part in whole["categories"][name]["auditRefs"]
               if part["weight"]}  # fmt: skip
    return {
        **{name: round(100 * (whole["categories"][name]["score"] or 0)) for name in CATEGORIES},
        "lcp_ms": round(audits["largest-contentful-paint"]["numericValue"]),
        "tbt_ms": round(audits["total-blocking-time"]["numericValue"]),
        "shift": round(audits["cumulative-layout-shift"]["numericValue"], 4),
        "failed": [name for name in counted if audits[name]["score"] is not None and audits[name]["score"] < 0.9],
    }


def _validate(jar: Path, base: str, folder: Path) -> dict[str, Any]:
    pages: dict[Path, str] = {}
    for role in ROLES:
        for path, text in _walk(Visitor(base, role)).items():
            file = folder / f"{role or 'public'}-{len(pages)}.html"
            file.write_text(text, encoding="utf-8")
            pages[file] = f"{role or 'public'} {path}"
    ended = subprocess.run(
        ["java", "-Xss4m", "-jar", os.fspath(jar), "--format", "json", "--exit-zero-always", *map(os.fspath, pages)],
        capture_output=True, check=True,
    )  # fmt: skip
    said = json.loads(ended.stderr or b"{}").get("messages", [])
    by_file = {file.as_uri(): name for file, name in pages.items()}
    kinds: dict[str, list[str]] = {}
    for one in said:
        if one["type"] != "info" and not any(meant in one["message"] for meant in _MEANT):
            where = by_file.get(one.get("url", "").replace("file:/", "file:///").replace("file://///", "file:///"), "")
            kinds.setdefault(one["message"], []).append(f"{where}: {' '.join(one.get('extract', '').split())[:120]}")
    errors = sum(map(len, kinds.values()))
    print(f"{len(pages)} pages, {errors} errors")
    for message, places in sorted(kinds.items()):
        print(f"  {len(places)}x {message}\n      {places[0]}")
    return {"pages": len(pages), "errors": errors, "kinds": kinds}


def _walk(visitor: Visitor) -> dict[str, str]:
    """The pages a visitor comes to by links, one for each kind of address."""
    waiting, seen = ["/", "/home"], {"/", "/home"}
    found: dict[str, str] = {}
    while waiting and len(found) < MOST_PAGES:
        path = waiting.pop(0)
        text = visitor.page(path)
        if not text:
            continue
        found[path] = text
        for link in _LINK.findall(text):
            address = unescape(link)
            kind = _ID.sub("*", address.partition("?")[0])
            if kind not in seen:
                seen.add(kind)
                waiting.append(address)
    return found


if __name__ == "__main__":
    main()
