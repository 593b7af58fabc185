"""The AppDynamics agent keeps the contract of agents."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from kube_log_watcher_appdynamics import AppDynamicsAgent, AppDynamicsSettings
from kube_log_watcher_core import NodeContext
from kube_log_watcher_testing import AgentContract, MakeAgent


class TestAppDynamicsAgent(AgentContract):
    """The analytics agent reads each job file as YAML."""

    @pytest.fixture
    def make_agent(self) -> MakeAgent:
        return lambda folder: AppDynamicsAgent(AppDynamicsSettings(dest_path=folder), NodeContext())

    def read_back(self, folder: Path) -> Mapping[str, object]:
        jobs = [yaml.load(path.read_bytes(), yaml.CSafeLoader) for path in folder.glob("*.job")]
        return {f"{job['source']['path']}/{job['source']['nameGlob']}": job for job in jobs}
