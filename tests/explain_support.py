"""A watcher that can be asked, and how it is asked."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from cli_support import Place, Running, place, run_cli, running
from kube_log_watcher_core.models import Layout
from support import wait_until


@attrs.frozen
class Asked:
    """A place with a folder for state, and a watcher if one was started."""

    here: Place
    state: Path
    tmp_path: Path

    @property
    def environ(self) -> dict[str, str]:
        """What the watcher and the commands are given."""
        return self.here.environ

    def explain(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        """Give the exit code and the document."""
        done = run_cli("explain", "-o", "json", *arguments, environ=self.environ)
        assert "Traceback" not in done.stderr
        return done.returncode, json.loads(done.stdout)

    def one(self, *arguments: str) -> Mapping[str, Any]:
        """Give what is told of the only container that is asked about."""
        _, document = self.explain(*arguments)
        (report,) = document["containers"]
        found: Mapping[str, Any] = report
        return found

    def status(self) -> tuple[int, dict[str, Any]]:
        """Give the exit code and the document; an empty one when nobody answers."""
        done = run_cli("status", "-o", "json", environ=self.environ)
        assert "Traceback" not in done.stderr
        return done.returncode, json.loads(done.stdout or "{}")

    @contextlib.contextmanager
    def watcher(self) -> Iterator[Running]:
        """Start a watcher, and wait until it has synced and can be asked."""
        with running("run", environ=self.environ, log=self.tmp_path / "log") as watcher:
            watcher.wait_for("agent lister follows")
            wait_until(
                lambda: (self.state / "watcher.sock").is_socket() and (self.state / "state.json").exists(),
                timeout=30,
                what="a socket and a state file",
            )
            yield watcher


@contextlib.contextmanager
def asked(tmp_path: Path, layout: Layout = Layout.CRI) -> Iterator[Asked]:
    """Make a place whose watcher can be asked."""
    state = tmp_path / "state"
    state.mkdir()
    with place(tmp_path, layout) as here:
        here.environ["WATCHER_STATE_DIR"] = str(state)
        yield Asked(here, state, tmp_path)
