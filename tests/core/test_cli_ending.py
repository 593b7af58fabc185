"""However a command was started, it ends when it is told to, or when nobody reads what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from cli_support import COMMAND, Place, clean_environ, place
from explain_support import Asked, asked
from support import child, wait_until

IGNORING_ALL = """
import os, signal, sys
for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
    try:
        signal.signal(number, signal.SIG_IGN)
    except OSError:  # the C library keeps some for itself
        pass
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Starts a program as a careless parent does: all signals are ignored, and blocked as well."""
WITHOUT_STREAMS = ("sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh")
AN_HOUR = "3600"
LONG = (["status", "--watch", "--every", AN_HOUR], ["demo", "--plain", "--seconds-per-step", AN_HOUR])
"""Commands that go on for long after they have said something."""


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Asked]:
    with asked(tmp_path) as made:
        yield made


def name_of(arguments: Sequence[str]) -> str:
    return arguments[0]


@pytest.mark.parametrize("arguments", LONG, ids=name_of)
def test_sigterm_ends_it_with_143_also_where_its_parent_ignored_and_blocked_all_signals(
    here: Asked, arguments: Sequence[str]
) -> None:
    command = [sys.executable, "-c", IGNORING_ALL, *COMMAND, *arguments]
    with (
        here.watcher(),
        (here.tmp_path / "errors").open("w+") as errors,
        child(command, env=here.environ, stdout=subprocess.PIPE, stderr=errors) as process,
    ):
        assert process.stdout is not None
        process.stdout.read(1)
        process.terminate()
        assert process.wait(30) == 143
    assert Path(errors.name).read_text() == ""


@pytest.mark.parametrize("arguments", LONG, ids=name_of)
def test_a_closed_pipe_ends_it_at_once_and_without_a_word(here: Asked, arguments: Sequence[str]) -> None:
    """As in ``kube-log-watcher status --watch | head -1``: it doesn't wait until it has more to say."""
    with (
        here.watcher(),
        (here.tmp_path / "errors").open("w+") as errors,
        child([*COMMAND, *arguments], env=here.environ, stdout=subprocess.PIPE, stderr=errors) as process,
    ):
        assert process.stdout is not None
        process.stdout.read(1)
        process.stdout.close()
        assert process.wait(30) == 141
    assert Path(errors.name).read_text() == ""


@pytest.mark.parametrize("arguments", [["agents"], ["run", "--help"], ["completion", "bash"]], ids=name_of)
def test_what_nobody_reads_is_no_error(tmp_path: Path, arguments: Sequence[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*COMMAND, *arguments],
        env=clean_environ(tmp_path),
        stdout=writing,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.fixture
def simple(tmp_path: Path) -> Iterator[Place]:
    with place(tmp_path) as made:
        yield made


def test_the_watcher_goes_on_when_nobody_reads_its_log(simple: Place) -> None:
    """A log collector that restarts must not end what it collects from."""
    with child([*COMMAND, "run"], env=simple.environ, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        process.stderr.readline()
        process.stderr.close()
        container = simple.add("shop-1")
        wait_until(lambda: str(container.log) in simple.listed())
        process.terminate()
        assert process.wait(30) == 0


def test_closed_standard_streams_are_stood_in_for(simple: Place) -> None:
    """What is said must not go into the first file that is opened, which would have the stream's number."""
    with child([*WITHOUT_STREAMS, *COMMAND, "run", "-v"], env=simple.environ) as process:
        container = simple.add("shop-1")
        wait_until(lambda: str(container.log) in simple.listed())
        streams = [os.readlink(f"/proc/{process.pid}/fd/{number}") for number in range(3)]
        assert streams == [os.devnull] * 3
        process.terminate()
        assert process.wait(30) == 0
    assert simple.listed().splitlines()[1:] == [f"shop-1 1.0 {container.log}"]


@pytest.mark.parametrize("command", ["status", "explain", "agents", "check"])
def test_a_command_needs_no_standard_streams(here: Asked, command: str) -> None:
    here.here.add("shop-1")
    with here.watcher():
        done = subprocess.run(
            [*WITHOUT_STREAMS, *COMMAND, command], env=here.environ, timeout=60, check=False
        )
    assert done.returncode == 0
