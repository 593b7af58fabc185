"""The contract of agents, as a class for pytest: derive from it, and give one fixture.

    class TestListAgent(AgentContract):
        @pytest.fixture
        def make_agent(self) -> MakeAgent:
            return lambda folder: ListAgent(ListSettings(folder=folder), NodeContext())

        def read_back(self, folder: Path) -> Mapping[str, object]:
            return {log["path"]: log for log in json.loads((folder / "logs.json").read_text())}

Each of its tests is one rule. What an agent can't do it declares, with the reason, in one of the class
attributes `no_files`, `no_disk`, `no_read_back`, `no_check`, `no_spool`, `no_account`, `no_inodes`,
`no_uptake`; a declaration that is not true is a failure. Every other target that the rules make is one that
the spool keeps.
"""

from __future__ import annotations

from kube_log_watcher_testing.contract.base import MakeAgent
from kube_log_watcher_testing.contract.faults import FaultRules
from kube_log_watcher_testing.contract.folders import FolderRules
from kube_log_watcher_testing.contract.gates import GateRules
from kube_log_watcher_testing.contract.positions import MakeReader, PositionContract, ReadUpTo
from kube_log_watcher_testing.contract.seeds import SeedRules
from kube_log_watcher_testing.contract.spooled import SpoolRules
from kube_log_watcher_testing.contract.syncing import SyncRules
from kube_log_watcher_testing.contract.untrusted import UntrustedRules

__all__ = ["AgentContract", "MakeAgent", "MakeReader", "PositionContract", "ReadUpTo"]


class AgentContract(SyncRules, FolderRules, FaultRules, SpoolRules, GateRules, UntrustedRules, SeedRules):
    """Whatever an agent must keep to, so that nobody need look at what it does on a node."""
