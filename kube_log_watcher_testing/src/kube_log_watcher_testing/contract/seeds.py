"""The rule of hash seeds: sets of strings have another order in every process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kube_log_watcher_testing.contract import trees
from kube_log_watcher_testing.contract.base import ContractBase, MakeAgent, needs, same
from kube_log_watcher_testing.contract.syncing import ALL

_FOLDER = "KLW_CONTRACT_FOLDER"
"""Tells a process that it is the one whose bytes are compared, and where it writes them."""
_SEEDS = ("1", "2")
_LONGEST_SECONDS = 60.0


class SeedRules(ContractBase):
    """The rule that needs processes of its own."""

    def test_the_same_bytes_under_other_hash_seeds(
        self, make_agent: MakeAgent, folder: Path, request: pytest.FixtureRequest
    ) -> None:
        """Else every restart of the watcher would write everything anew, and the shipper read it again."""
        needs(self.no_files)
        given = os.environ.get(_FOLDER)
        if given:
            make_agent(Path(given)).sync(self._targets(ALL))
            return
        first, second = (self._written_with(seed, folder, request) for seed in _SEEDS)
        same(first, second, what="another hash seed changed something: an unordered set was written")

    def _written_with(
        self, seed: str, folder: Path, request: pytest.FixtureRequest
    ) -> dict[str, trees.Content]:
        """Run this very test in a process with a hash seed, and read what it has written."""
        trees.empty(folder)
        done = subprocess.run(
            _this_test(request, folder.parent / f"seed-{seed}"),
            env={**os.environ, _FOLDER: str(folder), "PYTHONHASHSEED": seed, "PYTHONPATH": _path()},
            cwd=request.config.invocation_params.dir,
            capture_output=True,
            text=True,
            check=False,
            timeout=_LONGEST_SECONDS,
        )
        if done.returncode:
            pytest.fail(f"with the hash seed {seed} it can't even run:\n{done.stdout}{done.stderr}")
        return trees.contents(folder)


def _this_test(request: pytest.FixtureRequest, scratch: Path) -> list[str]:
    config = request.config
    _, _, inside = request.node.nodeid.partition("::")
    options = ["-p", "no:cacheprovider", f"--rootdir={config.rootpath}", f"--basetemp={scratch}"]
    if config.inipath is not None:
        options.append(f"--config-file={config.inipath}")
    # One test needs no workers, and its coverage is nobody's business.
    for plugin, option in (("xdist", "-n0"), ("_cov", "--no-cov")):
        if config.pluginmanager.hasplugin(plugin):
            options.append(option)
    return [sys.executable, "-m", "pytest", "-q", *options, f"{request.path}::{inside}"]


def _path() -> str:
    return os.pathsep.join(part for part in sys.path if part)
