"""Whatever lies in the node's folders: a log that is followed is a regular file under the roots."""

from __future__ import annotations

import json
import os
import stat
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import attrs
from hypothesis import given
from hypothesis import strategies as st

from daemon_support import SHOP, Stage, staged
from discovery_support import Containers
from fuzz_support import examples
from kube_log_watcher_core.discovery import Discovery, NodePaths
from kube_log_watcher_core.models import Layout, Reason
from kube_log_watcher_testing import hostile
from kube_log_watcher_testing.factories import container_id

ID, OTHER_ID = container_id(0xA), container_id(0xB)
POD = "default_shop-1_6f1d3a52-8f0c-4b5e-9d0a-3f0d9c7b1e24"
LABELS = {
    "io.kubernetes.pod.name": "shop-1",
    "io.kubernetes.pod.namespace": "default",
    "io.kubernetes.container.name": "main",
}
COMPONENTS = st.sampled_from(
    [text for text in hostile.SHORT if 0 < len(text.encode("utf-8", "ignore")) < 250]
    + [
        ID,
        OTHER_ID,
        ID.upper(),
        ID[1:],
        POD,
        f"{POD}_x",
        "default_shop-1",
        "_a_b",
        "main",
        "..",
        ".",
        "0.log",
    ]
)


def as_name(text: str) -> bytes | None:
    """Give a text as the name of a file, if it can be one."""
    name = text.replace("/", "\u2215").replace("\0", "0").encode("utf-8", "replace")
    return None if name in (b"", b".", b"..") or len(name) > 255 else name


@attrs.frozen
class Entry:
    """Something that lies below a folder of containers."""

    parts: tuple[str, ...]
    kind: str
    target: str = ""


KINDS = st.sampled_from(["file", "file", "link", "link", "fifo", "folder", "config", "garbage"])
TARGETS = st.sampled_from(
    [
        "/dev/null",
        "/dev/zero",
        "/etc/passwd",
        "/proc/self/environ",
        "/nonexistent/0.log",
        "..",
        ".",
        "0.log",
        f"{ID}-json.log",
        "{root}/secret.log",
        "{root}/secret",
        "{root}/containers",
        "{root}/containers-evil/0.log",
        f"{{root}}/containers/{POD}/main/0.log",
        f"{{root}}/containers/{POD}/main/1.log",
        f"{{root}}/containers/{ID}/{ID}-json.log",
        f"{{root}}/containers/{OTHER_ID}/{OTHER_ID}-json.log",
        f"{{root}}/elsewhere/{POD}/main/0.log",
        "\x01\u202e",
    ]
)
PLACES = st.one_of(
    st.sampled_from(
        [
            (ID,),
            (OTHER_ID,),
            (POD,),
            (ID, "config.v2.json"),
            (ID, f"{ID}-json.log"),
            (OTHER_ID, "config.v2.json"),
            (OTHER_ID, f"{OTHER_ID}-json.log"),
            (POD, "main"),
            (POD, "main", "0.log"),
            (POD, "main", "1.log"),
            (POD, "main", "0.log.20260101-000000"),
            (f"shop-1_default_main-{ID}.log",),
            (f"shop-1_default_main-{OTHER_ID}.log",),
        ]
    ),
    st.tuples(COMPONENTS),
    st.tuples(st.sampled_from([ID, POD]), COMPONENTS),
    st.tuples(st.just(POD), COMPONENTS, st.sampled_from(["0.log", "1.log", "00.log", "-1.log", "0.log.gz"])),
)
ENTRIES = st.lists(st.builds(Entry, parts=PLACES, kind=KINDS, target=TARGETS), max_size=14)


def make(root: Path, entry: Entry) -> None:
    """Make what can be made: an earlier entry may stand in the way."""
    names = [as_name(part) for part in entry.parts]
    if None in names:
        return
    path = os.path.join(os.fsencode(root / "containers"), *(name for name in names if name))
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        _make(root, path, entry)
    except OSError:
        return


def _make(root: Path, path: bytes, entry: Entry) -> None:
    # Never through a link that was made before: nothing outside the test's own folder is to change.
    flags = os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_WRONLY
    if not os.path.realpath(path).startswith(os.path.realpath(os.fsencode(root)) + b"/"):
        return
    if entry.kind == "link":
        os.symlink(entry.target.format(root=root).encode(), path)
    elif entry.kind == "fifo":
        os.mkfifo(path)
    elif entry.kind == "folder":
        os.mkdir(path)
    else:
        contents = {"config": json.dumps({"Config": {"Labels": LABELS}}), "garbage": "\0{[", "file": ""}
        with open(os.open(path, flags), "w", encoding="utf-8") as file:
            file.write(contents[entry.kind])


def check(found: Containers, roots: tuple[Path, ...]) -> None:
    """See whether each log that would be followed may be followed."""
    resolved = [str(root.resolve()) + "/" for root in roots]
    assert len({container.key for container in found}) == len(found)
    for container in found:
        assert (container.log_path is None) == (container.obstacle is not None)
        if container.log_path is None:
            continue
        path = str(container.log_path)
        assert os.path.realpath(path) == path
        assert any(path.startswith(root) for root in resolved)
        assert stat.S_ISREG(os.lstat(path).st_mode)
        for name in (container.name, container.pod_name, container.namespace):
            assert name.isprintable()


@examples(150)
@given(entries=ENTRIES, layout=st.sampled_from(["auto", "auto", "docker", "cri"]), data=st.data())
def test_a_log_always_resolves_to_a_regular_file_under_the_roots(
    entries: list[Entry], layout: str, data: st.DataObject
) -> None:
    with TemporaryDirectory() as name:
        root = Path(name)
        for folder in ("containers", "containers-evil", "secret", f"elsewhere/{POD}/main"):
            (root / folder).mkdir(parents=True)
        for file in ("secret.log", "containers-evil/0.log", "secret/0.log", f"elsewhere/{POD}/main/0.log"):
            (root / file).write_text("not for everybody")
        at = data.draw(st.integers(min_value=0, max_value=len(entries)))
        for entry in entries[:at]:
            make(root, entry)
        paths = NodePaths(root / "containers", layout, (root / "containers",))
        with closing(Discovery(paths)) as discovery:
            check(discovery.scan(), paths.roots)
            for entry in entries[at:]:
                make(root, entry)
            check(discovery.collect(), paths.roots)
            check(discovery.scan(), paths.roots)


def test_hostile_pods_on_a_node_are_followed_or_skipped_and_harm_nobody(tmp_path: Path) -> None:
    """The whole way: names that Docker keeps, and labels, annotations and images that the API shows."""
    texts = [text for text in hostile.SHORT if text]
    odd = [text for text in texts if not text.isprintable()]
    with staged(tmp_path, Layout.DOCKER, environ={"WATCHER_LABELS_AS_ATTRIBUTES": "*"}) as stage:
        made = {
            text: stage.run(
                text,
                namespace=text,
                container=text,
                image=text,
                uid=f"uid-{number}",
                labels={**SHOP, "component": text, "x": text, text: text},
                annotations={text: text, "kubernetes-log-watcher/exclude": text},
            )
            for number, text in enumerate(texts)
        }
        good = stage.run("shop-1")
        followed = [container for text, container in made.items() if text not in odd and text != "true"]
        stage.watcher.wait_for(lambda: stage.follows(good, *followed[-3:]), what="following")
        stage.wait_followed(*followed)
        assert stage.ignores(*(made[text] for text in odd))
        assert len(stage.agent_json()["logs"]) == len(followed) + 1
        assert "Traceback" not in stage.watcher.log
        assert all(line.isprintable() for line in stage.watcher.log.split("\n"))
        assert sorted(os.listdir(tmp_path)) == ["dest", "jobs", "node", "scalyr", "tree"]


def test_a_pods_name_can_not_ask_the_api_for_something_else(tmp_path: Path) -> None:
    """Where list is not allowed, pods are asked for by the names that are on the disk."""
    with Stage(tmp_path, Layout.DOCKER) as stage:
        stage.api.forbid("list", "watch")
        stage.watcher.start()
        for number, text in enumerate(
            ("../../../api/v1/secrets", "..", "a?b=c", "a#b", "a/log", "%2e%2e", "A")
        ):
            stage.node.add(pod=text, namespace=text, uid=f"uid-{number}")
        good = stage.run("shop-1")
        stage.wait_followed(good)
        gets = {request.path for request in stage.api.requests if request.verb in ("get", "other")}
        assert gets == {"/api/v1/namespaces/default/pods/shop-1"}


def test_a_reason_names_no_path_outside_the_node(tmp_path: Path) -> None:
    """A link out of the roots is told with its target, and the target is never opened."""
    with staged(tmp_path, Layout.CRI) as stage:
        bad = stage.node.add(pod="bad")
        bad.log.unlink()
        os.mkfifo(tmp_path / "fifo")
        bad.log.symlink_to(tmp_path / "fifo")
        stage.show(bad)
        stage.wait_followed(stage.run("shop-1"))
        stage.watcher.wait_for_log(Reason.NOT_A_FILE.value)
        assert stage.ignores(bad)
