"""A real shipper in the foreground, which ships into a file of JSON lines."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

STOP_SECONDS = 30.0


class JsonShipper:
    """Starts a command, ends it, and reads what it has shipped.

    Parameters
    ----------
    output
        what it ships into: a JSON object with the member ``log`` on each line.
    said
        what it prints goes there.
    pid_file
        removed before each start, for a SIGKILL leaves it.
    """

    def __init__(
        self, command: Sequence[str | Path], *, cwd: Path, output: Path, said: Path, pid_file: Path
    ) -> None:
        self.output = output
        self._command = [str(part) for part in command]
        self._cwd = cwd
        self._said = said
        self._pid_file = pid_file
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    @property
    def running(self) -> bool:
        """Whether the process is there, be it on its way to stop."""
        return self._process is not None and self._process.poll() is None

    @property
    def said(self) -> str:
        """What it says of itself."""
        return self._said.read_text(errors="replace") if self._said.exists() else ""

    def start(self) -> None:
        """Start it."""
        self._pid_file.unlink(missing_ok=True)
        with self._said.open("ab") as said:
            self._process = subprocess.Popen(
                self._command, cwd=self._cwd, stdout=said, stderr=subprocess.STDOUT
            )

    def stop(self) -> None:
        """Send SIGTERM and wait."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(STOP_SECONDS)

    def kill(self) -> None:
        """Send SIGKILL, and wait."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_SECONDS)

    def shipped(self) -> list[Mapping[str, Any]]:
        """Return what was shipped so far, without a record that is being written."""
        if not self.output.exists():
            return []
        *lines, _unfinished = self.output.read_text("utf-8", "surrogateescape").split("\n")
        return [json.loads(line) for line in lines]

    def messages(self) -> list[str]:
        """Return the logs' lines that were shipped, as the runtime wrote them."""
        return [record["log"] for record in self.shipped()]
