"""`polyclinic serve` and `polyclinic demo`."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
from typing import Any

from django.conf import settings
from django.db import connections

from polyclinic.backup import place
from polyclinic.commands import database, safety
from polyclinic.commands.ending import fail
from polyclinic.core.errors import Problem
from polyclinic.web import static


def say(line: str) -> None:
    """One progress line, seen at once even through a pipe."""
    print(line, flush=True)


def serve(given: argparse.Namespace) -> int:
    """Make ready and serve until stopped."""
    if given.workers > 1 and "sqlite" in settings.DATABASES["default"]["ENGINE"]:
        fail("--workers needs PostgreSQL (set DATABASE_URL): SQLite is written by one process at a time")
    _nobody_restores()
    if not given.no_migrate:
        database.bring_up_to_date(say)
    if static.collect():
        say("Static files collected.")
    _refuse_the_unsafe(given.host)
    listener = _listen(given.host, given.port)
    connections.close_all()
    database.use_pool()
    _announce(given, listener)
    return _run(given, listener)


def demo(given: argparse.Namespace) -> int:
    """Load the demo hospital and, with --serve, run the server and show who can sign in."""
    from polyclinic.demo import load

    if not given.no_migrate:
        database.bring_up_to_date(say)
    try:
        load.load(say)
    except Problem as problem:
        fail(str(problem.sentence))
    if given.what == "day":
        from polyclinic.commands import simulate

        return simulate.day(given, say)
    if not given.serve:
        return 0
    return serve(argparse.Namespace(**{**vars(given), "no_migrate": True}))


def _nobody_restores() -> None:
    """Stop where a restore or an upgrade is at work, or was broken off; hold off new ones while this one serves."""
    from polyclinic.commands import upgrade

    if place.broken_off() is not None:
        fail("a restore was broken off here: run `polyclinic restore` once more, with --replace")
    if upgrade.state() is not None:
        fail("an upgrade was broken off here: run `polyclinic upgrade`, or `polyclinic upgrade --back`")
    # Held as long as the process lives.
    if not place.Serving().hold(alone=False):
        fail("a restore, an upgrade or a move of the database is at work here: wait until it is done")


def _refuse_the_unsafe(host: str) -> None:
    """In production, stop with one line for each risk and its remedy."""
    stopping = safety.require(host)
    for risk in stopping:
        way = f" To take this risk: {risk.override}=yes." if risk.override else ""
        print(f"polyclinic: {risk.what}.\n  → {risk.remedy}.{way}", file=sys.stderr)
    if stopping:
        fail("not started, because this would not be safe in production. POLYCLINIC_MODE=demo is for trying it out.")


def _listen(host: str, port: int) -> socket.socket:
    """The listening socket, opened before anything is announced so that a taken port is one clear line."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as problem:
        listener.close()
        fail(f"cannot listen on {host} port {port}: {problem.strerror}. Choose another with --port.")
    listener.listen(2048)
    listener.set_inheritable(True)
    return listener


def _announce(given: argparse.Namespace, listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    shown = "localhost" if given.host in {"127.0.0.1", "0.0.0.0", "::1", "::"} else given.host  # noqa: S104 - compared
    say(f"Polyclinic is on http://{shown}:{port}/ (stop with Ctrl+C)")
    if settings.DEMO:
        from polyclinic.demo import accounts

        say(f"Demo accounts, all with the password {accounts.PASSWORD}")
        for account in accounts.ACCOUNTS:
            say(f"  {account.role!s:<16} {account.email}")


def _options(given: argparse.Namespace) -> dict[str, Any]:
    """What uvicorn is told. The sans-IO WebSocket protocol and no per-message deflate: 3 times the fan-out."""
    return {
        "app": "polyclinic.web.app:application",
        "http": "httptools",
        "loop": "asyncio" if sys.platform == "win32" else "uvloop",
        "ws": "websockets-sansio",
        "ws_per_message_deflate": False,
        "ws_max_size": 256 * 1024,
        "lifespan": "on",
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "proxy_headers": bool(given.trust_proxy),
        "forwarded_allow_ips": given.trust_proxy or None,
        "timeout_keep_alive": 30,
        # Streams never end by themselves; after this the server stops all the same.
        "timeout_graceful_shutdown": 5,
        "workers": given.workers,
    }


def _run(given: argparse.Namespace, listener: socket.socket) -> int:
    import uvicorn
    from uvicorn.supervisors import Multiprocess

    from polyclinic.live import gateway

    class Server(uvicorn.Server):
        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            """Let no one in any more and end every stream; without that the server would wait for them in vain."""
            for server in self.servers:
                server.close()
            for listening in sockets or []:
                listening.close()
            await gateway.stop()
            await super().shutdown(sockets)

    config = uvicorn.Config(**_options(given))
    if given.workers > 1:
        # Children are started afresh and read the environment again.
        os.environ["DJANGO_SETTINGS_MODULE"] = "polyclinic.settings"
        Multiprocess(config, sockets=[listener]).run()
        return 0
    # uvicorn raises the signal again once it has ended in good order; asked to stop, we did, and that is status 0.
    signal.signal(signal.SIGTERM, lambda _number, _frame: None)
    server = Server(config)
    server.run(sockets=[listener])
    return 0 if server.started else 1
