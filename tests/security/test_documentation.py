"""Every row of the threat model names a test that there is."""

import ast
import re

import pytest

from tests.support.processes import ROOT

PAGE = (ROOT / "docs/security.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.partition("## Threat model")[2].splitlines() if line.startswith("| ")][2:]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def test_the_threat_model_has_rows():
    assert len(ROWS) >= 25


@pytest.mark.parametrize("row", ROWS, ids=range(len(ROWS)))
def test_row_of_the_threat_model_names_a_test_that_there_is(row: str):
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert len(cells) == 4
    assert all(cells)
    named = NAMED.fullmatch(cells[3])
    assert named is not None, row
    file, test = named.groups()
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert test in functions, f"{file} has no test {test}"
