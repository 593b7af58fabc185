"""The documentation's fault matrix names tests; they exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MATRIX = (ROOT / "docs" / "explanation" / "faults.rst").read_text()
NAMED = sorted(set(re.findall(r"``(tests/[\w/]+\.py(?:::\w+)+)``", MATRIX)))


@cache
def names_in(file: str) -> frozenset[str]:
    """Give the names of all tests of a file, those of classes with their class."""
    found = set()
    for node in ast.parse((ROOT / file).read_text()).body:
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{each.name}" for each in node.body if isinstance(each, ast.FunctionDef)}
        elif isinstance(node, ast.FunctionDef):
            found.add(node.name)
    return frozenset(found)


@pytest.mark.parametrize("named", NAMED)
def test_a_test_that_the_matrix_names_exists(named: str) -> None:
    file, _, name = named.partition("::")
    assert name in names_in(file)


def test_every_row_of_the_matrix_names_a_test() -> None:
    rows = [row for row in re.split(r"(?m)^    \* - ", MATRIX)[1:] if not row.startswith("Fault\n")]
    assert len(rows) >= 50
    assert [row.partition("\n")[0] for row in rows if "``tests/" not in row] == []
