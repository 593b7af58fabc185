"""The shippers that are churned: each a real program as a process, and what takes the place of its server."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from scalyr_receiver import Line, Receiver

PYTHON = Path(
    os.environ.get("SCALYR_AGENT_PYTHON", Path(__file__).parents[2] / ".venv-scalyr" / "bin" / "python")
)
"""A Python that the Scalyr agent is installed for."""
STOP_SECONDS = 30.0


TakeLines = Callable[[list[Line]], None]


class Shipping(Protocol):
    """One kind of shipper, as a lane drives it. Its server is there as long as the ``with`` block lasts."""

    tells_labels: bool
    """Whether lines arrive with the pod's labels; else they name the container alone."""

    stands_kills: bool
    """Whether it notes so promptly how far it has come that after SIGKILL it ships nothing again."""

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        ...

    @property
    def rounds(self) -> int:
        """How often it has come round over its files so far, whether they had anything new or not."""
        ...

    @property
    def log(self) -> str:
        """What the shipper says of itself."""
        ...

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def watcher_environ(self) -> Mapping[str, str | Path | None]:
        """Return the watcher's variables that are about this shipper."""
        ...

    def is_configured(self) -> bool:
        """Whether the watcher has written what the shipper needs to start."""
        ...

    def is_settled(self) -> bool:
        """Whether it must have taken up the latest configuration, and nothing is about to change that."""
        ...

    def start(self) -> None:
        """Start the process."""
        ...

    def ask_to_stop(self) -> None:
        """Send SIGTERM, and don't wait."""
        ...

    def kill(self) -> None:
        """Send SIGKILL."""
        ...


class Intake(Receiver):
    """A receiver that keeps no lines but hands them on, and knows when it was asked last."""

    def __init__(self, take_lines: TakeLines) -> None:
        super().__init__()
        self._take_lines = take_lines
        self.requests = 0
        """Requests so far: the Scalyr agent sends one at each round over its files, empty or not."""

    def take(self, body: bytes) -> None:
        """Hand on the lines of one request."""
        super().take(body)
        with self._lock:
            lines, self._lines = self._lines, []
            self.requests += 1
        self._take_lines(lines)


class Shipper:
    """Starts and stops the Scalyr agent on a configuration file that is used as it was written.

    Parameters
    ----------
    config
        ``agent.json``.
    folder
        for its own log and its checkpoints, which outlive a restart.
    environ
        further variables. A variable counts only where the file sets nothing.
    """

    def __init__(
        self, config: Path, *, server: str, folder: Path, environ: Mapping[str, str] | None = None
    ) -> None:
        self.data = folder / "data"
        self._log = folder / "log"
        for each in (self.data, self._log):
            each.mkdir(parents=True)
        self._folder = folder
        options = ("start", "--no-fork", "--no-change-user", "-c", str(config))
        self._command = [str(PYTHON), "-m", "scalyr_agent.agent_main", *options]
        self._environ = {
            "PATH": os.environ["PATH"],
            "SCALYR_SERVER": server,
            "SCALYR_ALLOW_HTTP": "true",
            "SCALYR_AGENT_LOG_PATH": str(self._log),
            "SCALYR_AGENT_DATA_PATH": str(self.data),
            **(environ or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether the process is there, be it on its way to stop."""
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> str:
        """What the Scalyr agent says of itself."""
        file = self._log / "agent.log"
        return file.read_text(errors="replace") if file.exists() else ""

    def start(self) -> None:
        """Start it."""
        with (self._folder / "output").open("ab") as output:
            self._process = subprocess.Popen(
                self._command, env=self._environ, cwd=self._folder, stdout=output, stderr=subprocess.STDOUT
            )

    def ask_to_stop(self) -> None:
        """Send SIGTERM and don't wait: it ends its request and notes how far it has read."""
        if self._process is not None:
            self._process.terminate()

    def stop(self) -> None:
        """Stop it and wait for that."""
        self.ask_to_stop()
        if self._process is not None:
            self._process.wait(STOP_SECONDS)

    def kill(self) -> None:
        """End it, in whatever state it is."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_SECONDS)


def wait_until(test: Callable[[], object], *, timeout: float, what: str) -> None:
    """Wait for something. Raises TimeoutError."""
    deadline = time.monotonic() + timeout
    while not test():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come within {timeout:g} s")
        time.sleep(0.02)
