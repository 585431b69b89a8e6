"""A process with an installation's settings loaded, that forks for each small thing a test wants done in its database.

Starting Python and Django takes over a second, and tests ask for sessions and rows some hundreds of times. A fork
begins with nothing open and nothing remembered, as a fresh process does. `python -m tests.hand` reads one JSON list of
arguments a line (`["-c", code]` or `["-m", module, …]`) and answers each with one line of JSON.
"""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping
from typing import IO, Any

# Modules that may be run in a fork; what starts processes of its own wants to be a process of its own.
FORKED = frozenset({"tests.seeding"})


class Hand:
    """The test's end of it. One at a time asks; the process ends with `close`."""

    def __init__(self, env: Mapping[str, str], cwd: os.PathLike[str]) -> None:
        self.env = dict(env)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.hand"], cwd=cwd, env=self.env, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, arguments: tuple[str, ...]) -> tuple[int, str, str]:
        """Exit code, output and errors of Python with these arguments."""
        asking, answering = self._process.stdin, self._process.stdout
        assert asking
        assert answering
        asking.write(json.dumps(arguments) + "\n")
        asking.flush()
        line = answering.readline()
        assert line, f"the helping process ended with {self._process.wait(10)}"
        told = json.loads(line)
        return told["code"], told["out"], told["err"]

    def close(self) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()


def _run(arguments: list[str]) -> int:
    kind, what, *rest = arguments
    sys.argv = [what, *rest]
    try:
        if kind == "-c":
            exec(compile(what, "<string>", "exec"), {"__name__": "__main__"})
        else:
            runpy.run_module(what, run_name="__main__")
    except SystemExit as ending:
        return ending.code if isinstance(ending.code, int) else int(ending.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def _fork(arguments: list[str]) -> dict[str, Any]:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if not child:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            code = 1
            try:
                code = _run(arguments)
                sys.stdout.flush()
                sys.stderr.flush()
            finally:
                os._exit(code)
        _child, status = os.waitpid(child, 0)
        return {"code": os.waitstatus_to_exitcode(status), "out": _text(out), "err": _text(err)}


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "replace")


def main() -> None:
    import django

    django.setup(set_prefix=False)
    from tests import house, seeding  # noqa: F401 - loaded once, for every fork

    for line in sys.stdin:
        print(json.dumps(_fork(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
