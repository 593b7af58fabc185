"""The one static configuration of a shipper, as its agent's package brings it."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path


def shipped(package: str, *, instead: Mapping[str, Path | str]) -> str:
    """Return what ``python -m <package>`` prints, with other texts in the place of some: mostly paths.

    Raises
    ------
    LookupError
        when one of them is not in it.
    """
    command = [sys.executable, "-m", package]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    for theirs, ours in instead.items():
        if theirs not in text:
            raise LookupError(f"the configuration of {package} has no {theirs}")
        text = text.replace(theirs, str(ours))
    return text


def is_installed(package: str) -> bool:
    """Whether there is such a package here."""
    return importlib.util.find_spec(package) is not None
