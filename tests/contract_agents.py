"""Agents for tests of the contract itself: good ones of each sort, and for each rule some that break it."""

from __future__ import annotations

import glob
import json
import shutil
import socket
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import attrs

from kube_log_watcher_core import (
    PATH,
    AgentConfigError,
    AgentError,
    BaseAgent,
    File,
    FileAgent,
    Item,
    Link,
    LogFile,
    LogTarget,
    Owned,
    Progress,
    setting,
)


@attrs.frozen
class Settings:
    """Where it writes."""

    folder: Path = setting(PATH, help="a folder")


def described(target: LogTarget) -> dict[str, str | None]:
    return {"app": target.application, "version": target.version, "team": target.attributes.get("team")}


class Good(FileAgent[Settings]):
    """Writes a file for each log."""

    settings_class = Settings

    def render(self, targets: Sequence[LogTarget]) -> Iterable[Item]:
        return [self.file(target) for target in targets]

    def file(self, target: LogTarget) -> File:
        return File(
            self.settings.folder / f"{target.id}.json", json.dumps([target.pattern, described(target)])
        )

    def owned(self) -> Iterable[Owned]:
        return [Owned(self.settings.folder, r"[0-9a-f]{64}\.json")]


class ByHand(BaseAgent[Settings]):
    """Writes the same files itself."""

    settings_class = Settings

    def check(self) -> None:
        if not self.settings.folder.is_dir():
            raise AgentConfigError(f"{self.settings.folder} is missing")

    def sync(self, targets: Sequence[LogTarget]) -> None:
        wanted = {self.settings.folder / f"{target.id}.json": target for target in targets}
        for path in self.settings.folder.iterdir():
            if len(path.stem) == 64 and path.suffix == ".json" and path not in wanted:
                path.unlink()
        for path, target in wanted.items():
            text = json.dumps([target.pattern, described(target)])
            if not path.exists() or path.read_text() != text:
                path.write_text(text)


@attrs.frozen
class SocketSettings:
    """Where its shipper listens."""

    path: Path = setting(PATH, help="a socket")


class BySocket(BaseAgent[SocketSettings]):
    """Tells its shipper over a socket."""

    settings_class = SocketSettings

    def sync(self, targets: Sequence[LogTarget]) -> None:
        logs = {target.pattern: described(target) for target in targets}
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.settings.path))
            connection.sendall(json.dumps(logs, sort_keys=True).encode())
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1)


# --------------------------------------------------------------------- broken ones


class Silent(Good):
    """Says nothing of any target."""

    def render(self, targets: Sequence[LogTarget]) -> Iterable[Item]:
        return [File(self.settings.folder / f"{0:064x}.json", "[]")]


class Counting(Good):
    """Writes how often it was called."""

    calls = 0

    def render(self, targets: Sequence[LogTarget]) -> Iterable[Item]:
        self.calls += 1
        return [*super().render(targets), File(self.settings.folder / f"{0:064x}.json", str(self.calls))]


class Rewriting(ByHand):
    """Writes the same again."""

    def sync(self, targets: Sequence[LogTarget]) -> None:
        for path in self.settings.folder.glob("*.json"):
            path.unlink()
        super().sync(targets)


class Numbering(Good):
    """Writes the place of a target in the list, before that is sorted."""

    def sync(self, targets: Sequence[LogTarget]) -> float | None:
        self.places = {target.id: number for number, target in enumerate(targets)}
        return super().sync(targets)

    def render(self, targets: Sequence[LogTarget]) -> Iterable[Item]:
        for target in targets:
            yield File(self.settings.folder / f"{target.id}.json", str(self.places[target.id]))


class Hoarding(Good):
    """Never forgets a target."""

    def render(self, targets: Sequence[LogTarget]) -> Iterable[Item]:
        self.all = {**getattr(self, "all", {}), **{target.id: target for target in targets}}
        return super().render(list(self.all.values()))


class Caching(Good):
    """Keeps what it once made of a container, whatever its labels are now."""

    def file(self, target: LogTarget) -> File:
        self.made: dict[str, File] = getattr(self, "made", {})
        return self.made.setdefault(target.id, super().file(target))


class Forgetful(ByHand):
    """Removes only what it has written itself."""

    def sync(self, targets: Sequence[LogTarget]) -> None:
        old: set[Path] = getattr(self, "written", set())
        self.written = {self.settings.folder / f"{target.id}.json" for target in targets}
        for path in old - self.written:
            path.unlink()
        for target in targets:
            path = self.settings.folder / f"{target.id}.json"
            if not path.exists():
                path.write_text(json.dumps([target.pattern, described(target)]))


class Hasty(Good):
    """Begins with a clean folder, and leaves one."""

    def prepare(self) -> None:
        for path in self.settings.folder.glob("*.json"):
            path.unlink()


class Tidy(Good):
    """Takes its files away when it is closed."""

    def close(self) -> None:
        for path in self.settings.folder.glob("*.json"):
            path.unlink()


class ByPod(Good):
    """Names files for pods, with the uid in them: two pods of one name want one file."""

    def file(self, target: LogTarget) -> File:
        return File(self.settings.folder / f"{target.pod_name}.json", json.dumps(target.pod.uid))

    def owned(self) -> Iterable[Owned]:
        return [Owned(self.settings.folder, r"[a-z0-9-]+\.json")]


class Refusing(Good):
    """Finds fault with every folder."""

    def check(self) -> None:
        raise AgentConfigError("not here")


class Probing(Good):
    """Tries whether it can write, by writing."""

    def check(self) -> None:
        super().check()
        (self.settings.folder / "probe").write_text("")


class Greedy(Good):
    """Takes every name for its own."""

    def owned(self) -> Iterable[Owned]:
        return [Owned(self.settings.folder, r".*")]


class Sweeping(ByHand):
    """Keeps its folder clean of others."""

    def sync(self, targets: Sequence[LogTarget]) -> None:
        super().sync(targets)
        for path in self.settings.folder.iterdir():
            if path.suffix != ".json":
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


class Chatty(Good):
    """Writes a file that it has not declared."""

    def sync(self, targets: Sequence[LogTarget]) -> None:
        super().sync(targets)
        (self.settings.folder / "status.txt").write_text(str(len(targets)))


class Straying(Good):
    """Writes outside of its folder."""

    def sync(self, targets: Sequence[LogTarget]) -> None:
        super().sync(targets)
        (self.settings.folder.parent / "status.txt").write_text(str(len(targets)))


class Littering(ByHand):
    """Forgets its temporary files."""

    def sync(self, targets: Sequence[LogTarget]) -> None:
        super().sync(targets)
        (self.settings.folder / f".new-{targets[0].version if targets else ''}").write_text("")


class Careless(Good):
    """Does not look for its folder."""

    def check(self) -> None:
        return


class Mumbling(Good):
    """Misses its folder without a name."""

    def check(self) -> None:
        if not self.settings.folder.is_dir():
            raise AgentConfigError("a folder is missing")


class Replacing(Good):
    """Removes old files before it writes new ones."""

    def sync(self, targets: Sequence[LogTarget]) -> None:
        for path in self.settings.folder.glob("*.json"):
            path.unlink()
        self._mirror.forget()
        super().sync(targets)


class Swallowing(Good):
    """Keeps faults to itself."""

    def sync(self, targets: Sequence[LogTarget]) -> None:
        try:
            super().sync(targets)
        except AgentError:
            self._mirror.forget()


class Independent(Good):
    """Goes its own way to the disk."""

    def sync(self, targets: Sequence[LogTarget]) -> None:
        for target in targets:
            self.file(target).path.write_bytes(self.file(target).content)


class Thorough(Good):
    """Compares everything with the disk each time."""

    def sync(self, targets: Sequence[LogTarget]) -> None:
        self._mirror.forget()
        super().sync(targets)


class Trusting(Good):
    """Takes it for granted that its files are as it left them."""

    def sync(self, targets: Sequence[LogTarget]) -> float | None:
        if tuple(targets) == self._handed:
            return None
        return super().sync(targets)


class Templating(Good):
    """Puts values into a text."""

    def file(self, target: LogTarget) -> File:
        text = f'["{target.pattern}", {{"app": "{target.application}"}}]'
        return File(self.settings.folder / f"{target.id}.json", text)


class Guessing(Good):
    """Lets values decide about types."""

    def file(self, target: LogTarget) -> File:
        app: Any = target.application
        if app in ("yes", "true"):
            app = True
        return File(self.settings.folder / f"{target.id}.json", json.dumps([target.pattern, {"app": app}]))


class Mixing(Good):
    """Keeps all in one line-based file: a newline in a value makes a line of its own."""

    def render(self, targets: Sequence[LogTarget]) -> Iterable[Item]:
        lines = [f"{target.pattern}={target.pod_name}" for target in targets]
        return [File(self.settings.folder / "list.txt", "\n".join(lines))]

    def owned(self) -> Iterable[Owned]:
        return [Owned(self.settings.folder, r"list\.txt")]


class ByName(Good):
    """Makes a path of a name."""

    def render(self, targets: Sequence[LogTarget]) -> Iterable[Item]:
        return [Link(self.settings.folder / f"{target.pod_name}.log", target.log_path) for target in targets]

    def owned(self) -> Iterable[Owned]:
        return [Owned(self.settings.folder, r".*\.log", links=True)]


class Live(Good):
    """Tells of the live log, whose rotated files then are lost."""

    def file(self, target: LogTarget) -> File:
        log = [str(target.log_path), described(target)]
        return File(self.settings.folder / f"{target.id}.json", json.dumps(log))


class Listing(Good):
    """Tells of each file that is there now."""

    def file(self, target: LogTarget) -> File:
        found = [target.pattern, sorted(glob.glob(target.pattern))]
        return File(self.settings.folder / f"{target.id}.json", json.dumps(found))

    def sync(self, targets: Sequence[LogTarget]) -> float | None:
        self._handed = None
        return super().sync(targets)


class Accounting(Good):
    """Reads what its shipper has read from a file, by path and inode."""

    def read_up_to(self, target: LogTarget, file: LogFile) -> Progress | None:
        rows = self.rows()
        found = [read for path, inode, read in rows if (path, inode) == (str(file.path), file.inode)]
        return Progress(read_bytes=max(found, default=0), at=1.5) if rows else None

    def rows(self) -> Sequence[tuple[str, int, int]]:
        account = self.settings.folder / "account"
        return [tuple(row) for row in json.loads(account.read_text())] if account.exists() else []


class AccountingByPath(Accounting):
    """Believes that a path is a file."""

    def read_up_to(self, target: LogTarget, file: LogFile) -> Progress | None:
        found = [read for path, _, read in self.rows() if path == str(file.path)]
        return Progress(read_bytes=found[0], at=1.5) if found else None


class AccountingByInode(Accounting):
    """Believes that an inode is a file."""

    def read_up_to(self, target: LogTarget, file: LogFile) -> Progress | None:
        found = [read for _, inode, read in self.rows() if inode == file.inode]
        return Progress(read_bytes=found[0], at=1.5) if found else None


class Optimistic(Accounting):
    """Believes that what is not told was read."""

    def read_up_to(self, target: LogTarget, file: LogFile) -> Progress | None:
        return super().read_up_to(target, file) or Progress(read_bytes=1, at=1.5)


class Gating(Good):
    """Shows a log when its file stands."""

    gates = True

    def ready(self, targets: Sequence[LogTarget]) -> Iterable[LogTarget]:
        return [target for target in targets if self.placed(self.file(target).path) is not None]


class Imagining(Gating):
    """Shows what it has been handed once."""

    def ready(self, targets: Sequence[LogTarget]) -> Iterable[LogTarget]:
        self.all = {**getattr(self, "all", {}), **{target.id: target for target in targets}}
        return self.all.values()


class Believing(Gating):
    """Believes that what it wanted stands."""

    def ready(self, targets: Sequence[LogTarget]) -> Iterable[LogTarget]:
        return targets


class Shy(Gating):
    """Shows no log at all."""

    def ready(self, targets: Sequence[LogTarget]) -> Iterable[LogTarget]:
        return []


class Nervous(Gating):
    """Takes a log from sight when its labels change."""

    def ready(self, targets: Sequence[LogTarget]) -> Iterable[LogTarget]:
        self.seen: dict[str, str | None] = getattr(self, "seen", {})
        return [
            target for target in targets if self.seen.setdefault(target.id, target.version) == target.version
        ]


class Remembering(Gating):
    """Never forgets whose file stood once."""

    def ready(self, targets: Sequence[LogTarget]) -> Iterable[LogTarget]:
        self.stood: set[str] = getattr(self, "stood", set())
        self.stood |= {target.id for target in super().ready(targets)}
        return [target for target in targets if target.id in self.stood]


class GatingByPod(Gating):
    """Has a file for each name of a pod, of the pod that has it; the next one waits."""

    def file(self, target: LogTarget) -> File:
        text = json.dumps([target.pod_name, {**described(target), "uid": target.pod.uid}])
        return File(self.settings.folder / f"{target.pod_name}.json", text)

    def render(self, targets: Sequence[LogTarget]) -> Iterable[Item]:
        oldest = sorted(targets, key=lambda target: target.pod.created or 0, reverse=True)
        files = {target.pod_name: self.file(target) for target in oldest}
        (ours,) = self.owned()
        return [file for file in files.values() if ours.matches(file.path)]

    def owned(self) -> Sequence[Owned]:
        return [Owned(self.settings.folder, r"[a-z0-9-]{1,100}\.json")]

    def ready(self, targets: Sequence[LogTarget]) -> Iterable[LogTarget]:
        found = [(target, self.placed(self.file(target).path)) for target in targets]
        return [
            target
            for target, item in found
            if isinstance(item, File) and json.loads(item.content)[1]["uid"] == target.pod.uid
        ]


class Sharing(GatingByPod):
    """Shows all pods of a name, whosever the file is."""

    def ready(self, targets: Sequence[LogTarget]) -> Iterable[LogTarget]:
        return [target for target in targets if self.placed(self.file(target).path) is not None]


class Unordered(Good):
    """Writes a set."""

    def render(self, targets: Sequence[LogTarget]) -> Iterable[Item]:
        names = {target.pod_name for target in targets}
        return [File(self.settings.folder / f"{0:064x}.json", json.dumps(list(names)))]
