"""The static configuration that is shipped with an agent, as a file of its package."""

from __future__ import annotations

import importlib.resources
import sys


def print_shipped(package: str, name: str) -> None:
    """Print a file of a package's folder ``static``, for ``python -m <package>``.

    It is data of the package and nothing is put into it: what it says by default, its operator changes.
    """
    sys.stdout.write((importlib.resources.files(package) / "static" / name).read_text("utf-8"))
