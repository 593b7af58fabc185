"""The watcher as operators run it: the installed command, as a process, with an environment of its own.

    with FakeApi() as api, WatcherProcess(node, api, environ={"WATCHER_AGENTS": "mine", ...}) as watcher:
        node.add(pod="shop-1")
        watcher.wait_for(lambda: any(folder.iterdir()), what="a file")

Nothing of the environment of whoever runs it is seen by the watcher, but for the search path.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from kube_log_watcher_testing.fake_api import FakeApi
from kube_log_watcher_testing.fake_node import FakeNode
from kube_log_watcher_testing.processes import default_signals

POLL_SECONDS = 0.01
WAIT_SECONDS = 45.0
"""How long something is waited for: far longer than it takes, for machines that have much else to do."""
NODE_NAME = "node-1"
"""The node that `pod_object` puts pods on."""


class WatcherProcess:
    """Runs inside a ``with``, or between `start` and `close`; can be stopped and started again.

    Parameters
    ----------
    containers
        the node, or what ``WATCHER_CONTAINERS_PATH`` names.
    api
        the API server, or what ``WATCHER_KUBE_URL`` names; None leaves it unset, for a service account.
    environ
        further variables, paths among them; None unsets one. ``CLUSTER_NODE_NAME`` is set
        already, and ``WATCHER_DRAIN_SECONDS`` to 0.
    arguments
        what follows the command's name.
    prefix
        a command to run it by, which must end in an ``exec`` of its arguments: ``unshare --mount``, say.
    """

    def __init__(
        self,
        containers: FakeNode | Path,
        api: FakeApi | str | None,
        *,
        environ: Mapping[str, str | Path | None] | None = None,
        arguments: Sequence[str] = ("run",),
        prefix: Sequence[str] = (),
    ) -> None:
        self.environ: dict[str, str | Path | None] = {
            "PATH": os.environ.get("PATH"),
            "CLUSTER_NODE_NAME": NODE_NAME,
            "WATCHER_CONTAINERS_PATH": _path_of(containers),
            # So that what is removed shows at once; tests of drains say otherwise.
            "WATCHER_DRAIN_SECONDS": "0",
            "WATCHER_KUBE_URL": api.url if isinstance(api, FakeApi) else api,
            **(environ or {}),
        }
        """The variables that count at the next `start`."""
        self.command = [*prefix, sys.executable, "-m", "kube_log_watcher_core", *arguments]
        self._process: subprocess.Popen[bytes] | None = None
        # A cache below a home of one's own: neither the user's nor the working folder is written to.
        self._home = tempfile.TemporaryDirectory(prefix="klw-", ignore_cleanup_errors=True)
        self._output = Path(self._home.name) / "output"
        self._started_at = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ------------------------------------------------------------------ running

    def start(self) -> None:
        """Start it; it must not run."""
        if self.running:
            raise RuntimeError("the watcher is running already")
        variables = {"HOME": self._home.name, **self.environ}
        with self._output.open("ab") as output, default_signals():
            self._started_at = output.tell()
            self._process = subprocess.Popen(
                self.command,
                env={name: str(value) for name, value in variables.items() if value is not None},
                cwd=self._home.name,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def stop(self) -> int:
        """Ask it to stop, as the kubelet does, and give its exit code."""
        self.signal(signal.SIGTERM)
        return self.wait_for_exit()

    def kill(self) -> None:
        """End it without warning."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(WAIT_SECONDS)

    def restart(self) -> None:
        """Stop it and start it again."""
        self.stop()
        self.start()

    def close(self) -> None:
        """End it for good, in whatever state it is, and forget its output."""
        self.kill()
        self._home.cleanup()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    # ------------------------------------------------------------------ how it is doing

    @property
    def pid(self) -> int:
        """Its process id. Raises RuntimeError before the first start."""
        if self._process is None:
            raise RuntimeError("the watcher was never started")
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """With what it ended; None while it runs, and before the first start."""
        return None if self._process is None else self._process.poll()

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> str:
        """All that it has written since its last start, to standard output and standard error."""
        with self._output.open("rb") as output:
            output.seek(self._started_at)
            return output.read().decode(errors="replace")

    # ------------------------------------------------------------------ waiting

    def wait_for(
        self, test: Callable[[], object], *, timeout: float = WAIT_SECONDS, what: str = "the condition"
    ) -> None:
        """Wait until `test` gives something true.

        Raises AssertionError, with the end of the log, after `timeout` seconds or when the process ends.
        """
        deadline = time.monotonic() + timeout
        while not test():
            if not self.running and not test():
                raise AssertionError(self._told(f"{what} did not hold when it ended with {self.exit_code}"))
            if time.monotonic() > deadline:
                raise AssertionError(self._told(f"{what} did not hold within {timeout:g} s"))
            time.sleep(POLL_SECONDS)

    def wait_for_log(self, text: str, *, times: int = 1, timeout: float = WAIT_SECONDS) -> None:
        """Wait until it has logged a text, so many times since its last start."""
        self.wait_for(lambda: self.log.count(text) >= times, timeout=timeout, what=f"{text!r} in the log")

    def wait_for_exit(self, *, timeout: float = WAIT_SECONDS) -> int:
        """Wait until it has ended, and give its exit code. Raises AssertionError after `timeout` seconds."""
        if self._process is None:
            raise RuntimeError("the watcher was never started")
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(self._told(f"it did not end within {timeout:g} s")) from None

    def _told(self, text: str) -> str:
        last = self.log.splitlines()[-40:]
        return "\n  ".join([f"{text}; it said at last:", *last])


def _path_of(containers: FakeNode | Path) -> Path:
    return containers if isinstance(containers, Path) else containers.containers_path
