"""The compliance report: every requirement has its row, and every test it names is really there."""

from __future__ import annotations

import ast
import csv
import io
import re
from functools import cache
from pathlib import Path

import pytest

from polyclinic.commands import arguments
from polyclinic.compliance import registry
from polyclinic.compliance.registry import Row, Status

ROOT = Path(__file__).resolve().parents[2]
# How many requirements each section has to answer for: levels 1 and 2 (they are numbered first), and level 3 too in
# V6 to V9, V14 and V16. Without those of level 3 they are the 253 of the standard.
SECTIONS = {
    "V1": (2, 9, 11, 3, 2), "V2": (3, 3, 4, 1), "V3": (0, 2, 4, 6, 5, 0, 2), "V4": (3, 1, 2, 4), "V5": (1, 3, 2, 3),
    "V6": (3, 12, 8, 6, 8, 4, 2, 4), "V7": (3, 4, 2, 5, 3, 2), "V8": (4, 4, 3, 2), "V9": (3, 4),
    "V10": (2, 2, 4, 11, 5, 2, 3), "V11": (2, 3, 3, 4, 1, 1), "V12": (3, 2, 4), "V13": (1, 5, 2, 5), "V14": (2, 8, 3),
    "V15": (3, 3, 7), "V16": (1, 5, 4, 3, 4),
    "V17": (1, 4, 2),
}  # fmt: skip
HIPAA = ["(a)(1)", "(a)(2)(i)", "(a)(2)(ii)", "(a)(2)(iii)", "(a)(2)(iv)", "(b)", "(c)(1)", "(c)(2)", "(d)", "(e)(1)",
         "(e)(2)(i)", "(e)(2)(ii)"]  # fmt: skip


def expected() -> set[str]:
    return {
        f"{chapter}.{section}.{number}"
        for chapter, counts in SECTIONS.items()
        for section, many in enumerate(counts, 1)
        for number in range(1, many + 1)
    }


@cache
def functions_of(path: Path) -> frozenset[str]:
    """Names of the test functions of a file, read and not run."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds) and node.name.startswith("test_"))


def missing(named: str) -> bool:
    """Whether a test that a row names is not there: a file without tests, or a function that the file has not."""
    name, _sign, function = named.partition("::")
    path = ROOT / name
    return not path.is_file() or (function not in functions_of(path) if function else not functions_of(path))


def test_every_requirement_has_its_row() -> None:
    assert {row.id for row in registry.rows() if row.id.startswith("V")} == expected()
    assert [row.id for row in registry.rows() if row.id.startswith("164")] == [f"164.312{one}" for one in HIPAA]
    assert [row.id for row in registry.rows() if row.id.startswith("API")] == [f"API{one}:2023" for one in range(1, 11)]
    assert sum(row.id.startswith("NPRM 2025") for row in registry.rows()) > 5


def test_every_named_test_is_there() -> None:
    assert [(row.id, one) for row in registry.rows() for one in row.tests if missing(one)] == []


@pytest.mark.parametrize(
    "named", ["tests/nowhere.py", "tests/house.py", "tests/compliance/test_registry.py::test_that_never_was"]
)
def test_a_test_that_is_not_there_is_noticed(named: str) -> None:
    """Negative control."""
    assert missing(named)


def test_a_row_shows_or_explains() -> None:
    with pytest.raises(ValueError, match="names no test"):
        registry._check(Row("x", "V1", Status.COVERED, "said", (), ""))
    with pytest.raises(ValueError, match="does not say why"):
        registry._check(Row("x", "V1", Status.GAP, "said", (), ""))


def test_the_command_writes_page_and_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page, table = tmp_path / "report.html", tmp_path / "report.csv"
    from polyclinic.commands.compliance import compliance

    assert compliance(arguments.parser().parse_args(["compliance", "--html", str(page), "--csv", str(table)])) == 0
    rows = list(csv.DictReader(io.StringIO(table.read_text(encoding="utf-8"), newline="")))
    assert len(rows) == len(registry.rows())
    assert {row["status"] for row in rows} == {status.value for status in Status}
    text = page.read_text(encoding="utf-8")
    assert all(f'<th scope="row">{row.id}</th>' in text for row in registry.rows())
    gaps = [row.id for row in registry.rows() if row.status == Status.GAP]
    said = capsys.readouterr().out
    assert gaps
    assert all(f"gap  {one}:" in said for one in gaps)


def unfounded(text: str) -> list[str]:
    """Tests that a page names and that are not there; a name may end in a star."""
    named = re.findall(r"`(tests/[\w/.*]+)`", text)
    assert named
    return [one for one in named if not list(ROOT.glob(one))]


@pytest.mark.parametrize("page", ["THREAT_MODEL.md", "SECURITY.md", "PROMISES.md"])
def test_pages_name_tests_and_documents_that_are_there(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    if "tests/" in text:
        assert unfounded(text) == []
    linked = re.findall(r"`((?:docs/)?[\w/-]+\.md)`", text)
    assert [one for one in linked if not (ROOT / one).exists()] == []


def test_a_test_that_a_page_invents_is_noticed() -> None:
    """Negative control."""
    assert unfounded("see `tests/web/test_door.py` and `tests/web/test_nothing.py`") == ["tests/web/test_nothing.py"]
