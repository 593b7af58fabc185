"""A real program as a process, which is stopped, killed and started again."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

STOP_SECONDS = 30.0


class Program:
    """Runs a command in the foreground, again and again.

    Parameters
    ----------
    folder
        where it runs; its output goes into a file ``output`` there.
    environ
        its variables; it gets the search path besides, and nothing else of ours.
    pid_file
        one that it writes and doesn't start beside: a SIGKILL leaves it.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        folder: Path,
        environ: Mapping[str, str] | None = None,
        pid_file: Path | None = None,
    ) -> None:
        self._command = [str(part) for part in command]
        self._folder = folder
        self._output = folder / "output"
        self._environ = {"PATH": os.environ["PATH"], **(environ or {})}
        self._pid_file = pid_file
        self._process: subprocess.Popen[bytes] | None = None
        self._printed_before = 0
        self._seconds = 0.0
        self._since = 0.0

    @property
    def running(self) -> bool:
        """Whether the process is there, be it on its way to stop."""
        return self._process is not None and self._process.poll() is None

    @property
    def seconds(self) -> float:
        """How long it has run, all lives together, by what `running` was found."""
        now = time.monotonic()
        if self.running:
            self._seconds += now - self._since
        self._since = now
        return self._seconds

    @property
    def output(self) -> str:
        """What it has printed."""
        return self._output.read_text(errors="replace") if self._output.exists() else ""

    @property
    def latest_output(self) -> str:
        """What it has printed since it was started for the last time."""
        with self._output.open("rb") as output:
            output.seek(self._printed_before)
            return output.read().decode(errors="replace")

    def start(self) -> None:
        """Start it."""
        if self._pid_file is not None:
            self._pid_file.unlink(missing_ok=True)
        self._since = time.monotonic()
        with self._output.open("ab") as output:
            self._printed_before = output.tell()
            self._process = subprocess.Popen(
                self._command,
                env=self._environ,
                cwd=self._folder,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def ask_to_stop(self) -> None:
        """Send SIGTERM, and don't wait."""
        if self._process is not None:
            self._process.terminate()

    def stop(self) -> None:
        """Send SIGTERM, and wait until it has ended."""
        self.ask_to_stop()
        if self._process is not None:
            self._process.wait(STOP_SECONDS)

    def kill(self) -> None:
        """Send SIGKILL, to its children as well: end it, in whatever state it is."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(STOP_SECONDS)


def wait_until(test: Callable[[], object], *, timeout: float, what: str) -> None:
    """Wait for something. Raises TimeoutError."""
    deadline = time.monotonic() + timeout
    while not test():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come within {timeout:g} s")
        time.sleep(0.02)
