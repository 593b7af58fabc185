"""Faults in system calls, by strace."""

from __future__ import annotations

import shutil
import subprocess

import pytest


def _can_trace() -> bool:
    if shutil.which("strace") is None:
        return False
    probe = ["strace", "-o", "/dev/null", "true"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


traced = pytest.mark.skipif(not _can_trace(), reason="strace is not installed, or may not trace")
"""Marks what runs a command under strace."""
