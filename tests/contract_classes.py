"""The contract of agents, applied to good and to broken ones: run by name, for it is meant to fail."""

from __future__ import annotations

import contextlib
import json
import socketserver
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

import contract_agents as agents
from kube_log_watcher_core import BaseAgent, LogFile, LogTarget, NodeContext
from kube_log_watcher_testing import AgentContract, MakeAgent


class Contract(AgentContract):
    """For agents that write a JSON file for each log."""

    agent_class: ClassVar[type[BaseAgent[Any]]] = agents.Good

    @pytest.fixture
    def make_agent(self) -> MakeAgent:
        return lambda folder: self.agent_class(agents.Settings(folder=folder), NodeContext())

    def read_back(self, folder: Path) -> Mapping[str, object]:
        return dict(json.loads(path.read_text()) for path in folder.glob("*.json"))


class TestGood(Contract):
    """It passes."""


class AccountContract(Contract):
    """For agents whose shippers write down how far they have read, as rows of path, inode and bytes."""

    agent_class = agents.Accounting

    def account(self, folder: Path, file: LogFile, read_bytes: int) -> None:
        (folder / "account").write_text(json.dumps([[str(file.path), file.inode, read_bytes]]))


class TestAccounting(AccountContract):
    """It passes."""


class TestAccountingByPath(AccountContract):
    """It takes a path for a file."""

    agent_class = agents.AccountingByPath


class TestFalselyWithoutInodes(AccountContract):
    """Its account has inodes, and it says that it has none."""

    no_inodes = "it is said so"


class TestAccountingByInode(AccountContract):
    """It takes an inode for a file."""

    agent_class = agents.AccountingByInode


class TestOptimistic(AccountContract):
    """It takes silence for an account."""

    agent_class = agents.Optimistic


class TestUnaccounted(Contract):
    """An author has not said how its shipper writes down what it has read."""

    agent_class = agents.Accounting


class GateContract(Contract):
    """For agents that gate by the name of a pod."""

    agent_class = agents.GatingByPod

    def name_of(self, target: LogTarget) -> str:
        return target.pod_name


class TestGatingByPod(GateContract):
    """It passes."""


class TestSharing(GateContract):
    """It shows a pod by another one's file."""

    agent_class = agents.Sharing


class TestByHand(Contract):
    """It passes, but for what it declares."""

    agent_class = agents.ByHand
    no_disk = "it writes by itself"


class Shipper(socketserver.ThreadingUnixStreamServer):
    """Listens on a socket, and keeps the last list."""

    daemon_threads = True

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), _Hearing)
        self.heard: Mapping[str, object] = {}


class _Hearing(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, Shipper)
        self.server.heard = json.loads(self.rfile.read())
        self.wfile.write(b"\n")


class TestBySocket(AgentContract):
    """It passes, but for what it declares."""

    no_files = "it talks to a socket"
    no_disk = "it has no files"
    no_check = "a socket is no folder"
    shipper: Shipper

    @pytest.fixture
    def make_agent(self) -> Iterator[MakeAgent]:
        # Not below pytest's own folder: a socket's path has little more than 100 bytes.
        with tempfile.TemporaryDirectory() as short, Shipper(Path(short) / "socket") as self.shipper:
            threading.Thread(target=self.shipper.serve_forever, args=(0.01,), daemon=True).start()
            settings = agents.SocketSettings(path=Path(short) / "socket")
            yield lambda _: agents.BySocket(settings, NodeContext())
            self.shipper.shutdown()

    def observe(self, folder: Path) -> Mapping[str, object]:
        return self.shipper.heard

    def read_back(self, folder: Path) -> Mapping[str, object]:
        return self.shipper.heard


class TestWithoutTheFixture(AgentContract):
    """An author has not said how the agent is made."""


class TestWithoutReadBack(Contract):
    """An author has not said how it is read."""

    def read_back(self, folder: Path) -> Mapping[str, object]:
        return AgentContract.read_back(self, folder)


class TestNotDeclared(Contract):
    """It is no FileAgent, and does not say so."""

    agent_class = agents.ByHand


class TestFalselyDeclared(AccountContract):
    """It is a FileAgent, can be read, and says that it is and can not."""

    no_disk = "it is said so"
    no_read_back = "it is said so"
    no_account = "it is said so"
    no_check = "it is said so"


class TestMixing(Contract):
    """Its shipper reads lines."""

    agent_class = agents.Mixing

    def read_back(self, folder: Path) -> Mapping[str, object]:
        lines = (folder / "list.txt").read_text().split("\n")
        return {name: text for name, _, text in (line.partition("=") for line in lines)}


class TestByName(Contract):
    """Its shipper reads links."""

    agent_class = agents.ByName

    def read_back(self, folder: Path) -> Mapping[str, object]:
        with contextlib.suppress(OSError):
            return {str(path.readlink()): path.name for path in folder.rglob("*.log")}
        return {}


def _contract(agent_class: type[BaseAgent[Any]], no_disk: str = "") -> type[Contract]:
    return type(f"Test{agent_class.__name__}", (Contract,), {"agent_class": agent_class, "no_disk": no_disk})


TestSilent = _contract(agents.Silent)
TestCounting = _contract(agents.Counting)
TestRewriting = _contract(agents.Rewriting, "it writes by itself")
TestNumbering = _contract(agents.Numbering)
TestHoarding = _contract(agents.Hoarding)
TestCaching = _contract(agents.Caching)
TestForgetful = _contract(agents.Forgetful, "it writes by itself")
TestHasty = _contract(agents.Hasty)
TestTidy = _contract(agents.Tidy)
TestByPod = _contract(agents.ByPod)
TestRefusing = _contract(agents.Refusing)
TestProbing = _contract(agents.Probing)
TestGreedy = _contract(agents.Greedy)
TestSweeping = _contract(agents.Sweeping, "it writes by itself")
TestChatty = _contract(agents.Chatty)
TestStraying = _contract(agents.Straying)
TestLittering = _contract(agents.Littering, "it writes by itself")
TestCareless = _contract(agents.Careless)
TestMumbling = _contract(agents.Mumbling)
TestReplacing = _contract(agents.Replacing)
TestSwallowing = _contract(agents.Swallowing)
TestIndependent = _contract(agents.Independent)
TestThorough = _contract(agents.Thorough)
TestTrusting = _contract(agents.Trusting)
TestTemplating = _contract(agents.Templating)
TestGuessing = _contract(agents.Guessing)
TestLive = _contract(agents.Live)
TestListing = _contract(agents.Listing)
TestGating = _contract(agents.Gating)
TestImagining = _contract(agents.Imagining)
TestBelieving = _contract(agents.Believing)
TestShy = _contract(agents.Shy)
TestNervous = _contract(agents.Nervous)
TestRemembering = _contract(agents.Remembering)
TestUnordered = _contract(agents.Unordered)
