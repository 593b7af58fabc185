"""New settings are prepared beside what runs, and take over at once or not at all: nobody waits for them."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest
import yaml

from clock_support import Clocks, at_work
from daemon_support import AGENTS, CART, Stage
from kube_log_watcher_core import Layout
from stalled_support import stalled
from support import SOON_SECONDS, soon, wait_until

DOCKER = Layout.DOCKER
USABLE = "new settings are in use"
UNUSABLE = "the new settings can't be used, the old ones stay"

AGENT = """
import time
from pathlib import Path

import attrs

from kube_log_watcher_core import PATH, TEXT, BaseAgent, setting


@attrs.frozen
class Settings:
    folder: Path = setting(PATH, help="where it looks how to behave")
    word: str = setting(TEXT, default="", help="something to change")


class Odd(BaseAgent):
    '''Does what files in its folder say, and notes in ``said`` what it did.'''

    name = "odd"
    settings_class = Settings

    def _wait_while(self, name):
        self._say(f"waits in {name}")
        while (self.settings.folder / name).exists():
            time.sleep(0.01)
        self._say(f"goes on after {name}")

    def _say(self, what):
        with (self.settings.folder / "said").open("a") as said:
            said.write(f"{self.settings.word} {what}\\n")

    def check(self):
        if (self.settings.folder / "check").exists():
            self._wait_while("check")

    def sync(self, targets):
        self._say("begins a sync")
        if (self.settings.folder / "sync").exists():
            self._wait_while("sync")
        self._say("ends a sync")

    def close(self):
        self._say("is closed")
"""


class Odd:
    """A stage with an agent that waits where and while a file says so, and settings that can be changed."""

    def __init__(self, root: Path, **environ: str | Path | None) -> None:
        (root / "odd.py").write_text(AGENT)
        (root / "odd.py").chmod(0o644)
        self.folder = root / "odd"
        self.folder.mkdir()
        self.config = root / "watcher.yaml"
        self.write(word="first")
        variables: dict[str, str | Path | None] = {
            "WATCHER_CONFIG": self.config,
            "WATCHER_EXTRA_AGENT": root / "odd.py",
            "WATCHER_STATE_DIR": None,
            **environ,
        }
        self.stage = Stage(root, DOCKER, agents=(*AGENTS, "odd"), environ=variables)
        self.watcher = self.stage.watcher

    def write(self, *, word: str, **settings: object) -> None:
        """Change the settings."""
        odd = {"folder": str(self.folder), "word": word}
        new = self.config.with_suffix(".new")
        new.write_text(yaml.safe_dump({"odd": odd, **settings}))
        new.rename(self.config)

    def hold(self, what: str) -> Path:
        """Let the next check or sync wait while this file is there."""
        (self.folder / what).touch()
        return self.folder / what

    def said(self) -> list[str]:
        """Give what the agents did, in its order."""
        path = self.folder / "said"
        return path.read_text().splitlines() if path.exists() else []

    def wait_for(self, said: str) -> None:
        """Wait until an agent has done something."""
        wait_until(lambda: said in self.said(), what=f"{said!r} among what the agents did")


def test_while_an_agent_is_made_the_old_settings_are_at_work(tmp_path: Path) -> None:
    odd = Odd(tmp_path)
    with odd.stage as stage:
        stage.start()
        odd.wait_for("first ends a sync")
        held = odd.hold("check")
        odd.write(word="second", cluster_alias="green")
        odd.wait_for("second waits in check")
        one = stage.run("shop-1")
        stage.wait_followed(one)
        assert stage.agent_json()["server_attributes"]["cluster_alias"] == "none"
        assert "first is closed" not in odd.said()
        held.unlink()
        stage.watcher.wait_for_log(USABLE)
        odd.wait_for("second ends a sync")
        wait_until(lambda: stage.agent_json()["server_attributes"]["cluster_alias"] == "green")
        stage.wait_followed(one, stage.run("cart-1", labels=CART))


@pytest.mark.parametrize("started", [True, False], ids=["on a reload", "at the start"])
def test_a_check_that_never_ends_keeps_nobody_from_ending(tmp_path: Path, started: bool) -> None:
    odd = Odd(tmp_path)
    with odd.stage as stage:
        if started:
            stage.start()
            odd.wait_for("first ends a sync")
        odd.hold("check")
        odd.write(word="second")
        if not started:
            stage.watcher.start()
        odd.wait_for("second waits in check")
        stage.watcher.signal(signal.SIGTERM)
        assert stage.watcher.wait_for_exit(timeout=SOON_SECONDS) == 0
        assert "stopped; the configuration stays in place" in stage.watcher.log


def test_settings_that_are_not_ready_in_time_are_refused_and_what_comes_later_is_let_go_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    odd, clocks = Odd(tmp_path), Clocks()
    with odd.stage as stage, at_work(stage, clocks):
        odd.wait_for("first ends a sync")
        held = odd.hold("check")
        odd.write(word="second")
        odd.wait_for("second waits in check")
        clocks.monotonic_ahead += 31.0
        stage.run("shop-1")  # whatever wakes it
        wait_until(lambda: f"{UNUSABLE}: not ready after 30 s, while agent odd is made" in caplog.text)
        held.unlink()
        odd.wait_for("second goes on after check")
        odd.wait_for("second is closed")
        odd.write(word="third")
        odd.wait_for("third ends a sync")
        assert "second begins a sync" not in odd.said()


def test_the_latest_settings_count_when_they_change_while_others_are_prepared(tmp_path: Path) -> None:
    odd = Odd(tmp_path)
    with odd.stage as stage:
        stage.start()
        odd.wait_for("first ends a sync")
        held = odd.hold("check")
        odd.write(word="second")
        odd.wait_for("second waits in check")
        odd.write(word="third")
        held.unlink()
        odd.wait_for("third ends a sync")
        odd.wait_for("second is closed")


def test_settings_that_change_between_their_reading_and_the_start_are_read_again(tmp_path: Path) -> None:
    """A ConfigMap may be updated while its DaemonSet rolls out."""
    odd = Odd(tmp_path)
    with odd.stage as stage, at_work(stage, Clocks(), before_it_begins=lambda: odd.write(word="second")):
        odd.wait_for("second ends a sync")


def test_settings_that_name_other_files_are_read_again_when_those_change_meanwhile(tmp_path: Path) -> None:
    odd, key = Odd(tmp_path, WATCHER_SCALYR_API_KEY=None), tmp_path / "key"
    odd.write(word="first", scalyr={"api_key": "first-key"})
    with odd.stage as stage:
        stage.start()
        odd.wait_for("first ends a sync")
        key.write_text("second-key")
        held = odd.hold("check")
        odd.write(word="second", scalyr={"api_key_file": str(key)})
        odd.wait_for("second waits in check")
        key.write_text("third-key")
        held.unlink()
        wait_until(lambda: stage.agent_json()["api_key"] == "third-key")


def test_a_successor_begins_when_its_predecessor_has_ended(tmp_path: Path) -> None:
    odd = Odd(tmp_path)
    with odd.stage as stage:
        stage.start()
        odd.wait_for("first ends a sync")
        held = odd.hold("sync")
        stage.run("shop-1")
        odd.wait_for("first waits in sync")
        odd.write(word="second")
        stage.watcher.wait_for_log(USABLE)
        odd.write(word="third")
        stage.watcher.wait_for_log(USABLE, times=2)
        odd.wait_for("second is closed")
        stage.watcher.wait_for_log("agent odd waits: the one before it is still in the middle of a sync")
        two = stage.run("cart-1", labels=CART)
        stage.watcher.wait_for(lambda: stage.entry(two), what="the others at work")
        held.unlink()
        odd.wait_for("third ends a sync")
        said = [line for line in odd.said() if line.endswith(("begins a sync", "ends a sync", "is closed"))]
        assert said.index("third begins a sync") > said.index("first is closed")
        assert "second begins a sync" not in said
        syncs = [line.split()[1] for line in said if line.endswith("a sync")]
        assert syncs == ["begins", "ends"] * (len(syncs) // 2), "one at a time"


def test_settings_that_are_refused_leave_nothing_behind(tmp_path: Path) -> None:
    odd = Odd(tmp_path, WATCHER_APPDYNAMICS_DEST_PATH=None)
    odd.write(word="first", appdynamics={"dest_path": str(tmp_path / "jobs")})
    with odd.stage as stage:
        stage.start()
        odd.wait_for("first ends a sync")

        def held() -> tuple[int, int]:
            folder = Path(f"/proc/{stage.watcher.pid}")
            return len(os.listdir(folder / "fd")), len(os.listdir(folder / "task"))

        before = held()
        for number in range(1, 6):
            odd.write(
                word=f"new-{number}",
                http_address="127.0.0.1:0",
                state_dir=str(tmp_path),
                kube_url="http://127.0.0.1:9",
                appdynamics={"dest_path": "/nowhere"},
            )
            stage.watcher.wait_for_log(UNUSABLE, times=number)
        stage.watcher.wait_for(lambda: held() == before, what=f"{before} descriptors and threads")
        assert odd.said().count("new-5 is closed") == 1
        stage.wait_followed(stage.run("shop-1"))


@pytest.mark.parametrize("moved", ["state_dir", "symlink_dir"])
def test_a_folder_that_can_t_be_opened_holds_up_neither_the_watcher_nor_its_end(
    tmp_path: Path, moved: str
) -> None:
    odd = Odd(tmp_path, WATCHER_SYMLINK_DIR=None)
    near, far = tmp_path / "tree", tmp_path / "far"
    far.mkdir()

    def write(word: str, **folders: Path) -> None:
        tree = {"symlink_dir": str(folders.pop("symlink_dir", near))}
        odd.write(word=word, symlinker=tree, **{name: str(folder) for name, folder in folders.items()})

    write("first")
    with odd.stage as stage, stalled(far) as mounted:
        stage.start()
        stage.wait_followed(stage.run("shop-1"))
        write("second", **{moved: far})
        stage.watcher.wait_for(lambda: mounted.waiting, what="somebody who opens it")
        two = stage.run("cart-1", labels=CART)
        stage.watcher.wait_for(lambda: stage.entry(two) and stage.job(two), what="the others at work")
        stage.watcher.signal(signal.SIGTERM)
        with soon("its end"):  # what the kernel does with its threads then is the kernel's
            stage.watcher.wait_for_log("stopped; the configuration stays in place")


def test_who_calls_a_loop_that_has_ended_writes_into_nobody_s_file(tmp_path: Path) -> None:
    from kube_log_watcher_core.loop.wakeup import WakeUp  # noqa: PLC0415

    wakeup, errors = WakeUp(), list[BaseException]()
    stop = threading.Event()

    def call() -> None:
        try:
            while not stop.is_set():
                wakeup.call()
        except BaseException as error:  # noqa: BLE001
            errors.append(error)

    callers = [threading.Thread(target=call) for _ in range(2)]
    for caller in callers:
        caller.start()
    wakeup.close()
    files = [(tmp_path / str(number)).open("wb") for number in range(8)]  # these get its numbers
    wakeup.call()
    stop.set()
    for caller in callers:
        caller.join(30)
    for file in files:
        file.close()
    assert [os.path.getsize(tmp_path / str(number)) for number in range(8)] == [0] * 8
    assert errors == []
