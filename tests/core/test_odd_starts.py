"""The suite itself: whoever starts it, signals reach its processes, and what hangs is named."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from documents import ROOT

NOHUP_IN_THE_BACKGROUND = """
import os, signal, sys
for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM):
    signal.signal(number, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM, signal.SIGINT, signal.SIGTERM})
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Starts the suite as ``nohup make test &`` does, and blocks some signals besides."""
SLEEPER = "import time; print(flush=True); time.sleep(600)"
SENDING = f"""
import signal, sys, pytest
from kube_log_watcher_testing.processes import default_signals
from support import child

@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGALRM])
def test_a_child_gets_its_signal(number):
    with child([sys.executable, "-c", {SLEEPER!r}], stdout=-1) as process:
        process.stdout.readline()
        process.send_signal(number)
        assert process.wait(30) in (-number, 1)

def test_what_was_ignored_stays_so_for_the_suite():
    signal.raise_signal(signal.SIGHUP)
    signal.raise_signal(signal.SIGINT)
"""
HANGING = """
from support import child

def test_waits_in_vain():
    with child(["sleep", "600"]) as process:
        process.wait()  # here it hangs

def test_comes_after_it():
    pass
"""


def suite(folder: Path, text: str, *options: str) -> str:
    """Run tests in an odd process, with the suite's own settings and fixtures; give the report."""
    path = folder / "test_odd.py"
    path.write_text(text)
    pytest = ["-m", "pytest", "-c", str(ROOT / "pyproject.toml"), "-p", "conftest", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-c", NOHUP_IN_THE_BACKGROUND, sys.executable, *pytest, *options, str(path)],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "tests")},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    return f"{done.stdout}{done.stderr}"


def counts(report: str) -> dict[str, int]:
    """Give how many tests ended in which way."""
    return {kind: int(count) for count, kind in re.findall(r"(\d+) (passed|failed|error)", report)}


workers = pytest.mark.parametrize("options", [[], ["-n", "1"]], ids=["alone", "in-a-worker"])


@workers
def test_children_get_signals_that_the_shell_ignores_and_blocks(
    tmp_path: Path, options: Sequence[str]
) -> None:
    report = suite(tmp_path, SENDING, *options)
    assert counts(report) == {"passed": 5}, report


@workers
def test_a_test_that_hangs_fails_at_its_limit_with_the_line_where_it_hung(
    tmp_path: Path, options: Sequence[str]
) -> None:
    report = suite(tmp_path, HANGING, "--timeout", "2", *options)
    assert counts(report) == {"passed": 1, "failed": 1}, report
    assert re.search(r"^>.*# here it hangs$", report, re.MULTILINE), report
