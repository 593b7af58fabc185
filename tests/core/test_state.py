"""What survives a restart, and what of it is believed."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest

from kube_log_watcher_core.errors import WatcherError
from kube_log_watcher_core.models import (
    Container,
    Departed,
    FrozenMap,
    Layout,
    LogTarget,
    NodeContext,
    Owner,
    Pod,
    PodContainer,
    Work,
)
from kube_log_watcher_core.resolve import Rules
from kube_log_watcher_core.resolve.target import make_target
from kube_log_watcher_core.state import MOST_BYTES, MOST_BYTES_OF_POD, NAME, StateFile

RULES = Rules(
    node=NodeContext(cluster_id="c", node="n"),
    labels_as_attributes=("team",),
    log_path_map=((Path("/logs"), Path("/host")),),
)
LOGS = Path("/logs")
POD = Pod(
    uid="u",
    name="shop-1",
    namespace="default",
    labels=FrozenMap({"application": 'sh"öp\n', "version": "v7", "team": "x"}),
    annotations=FrozenMap({"a/b": "{}"}),
    owner=Owner("ReplicaSet", "shop"),
    containers=(PodContainer("main", image="team/app:1", id="a" * 64, restart_count=3),),
    created=12.5,
)


def run(number: int = 0, pod: Pod = POD) -> Container:
    return Container(
        key=f"{pod.namespace}/{pod.name}/{pod.uid}/main/{number}",
        layout=Layout.CRI,
        name="main",
        pod_name=pod.name,
        namespace=pod.namespace,
        pod_uid=pod.uid,
        restart_count=number,
        log_path=LOGS / f"{pod.namespace}_{pod.name}_{pod.uid}" / "main" / f"{number}.log",
    )


def target(number: int = 0, pod: Pod = POD) -> LogTarget:
    return make_target(f"{number:02x}{pod.uid.encode().hex()[:2]}" * 16, run(number, pod), pod, RULES)


def docker_target() -> LogTarget:
    digits = "d" * 64
    container = attrs.evolve(
        run(), key=digits, id=digits, layout=Layout.DOCKER, log_path=LOGS / digits / f"{digits}-json.log"
    )
    return make_target(digits, attrs.evolve(container, created=12.5), POD, RULES)


WORK = Work(
    (target(0), docker_target()),
    (Departed(target(1), since=1234.5, size=77), Departed(target(2), since=1.0)),
)


def loaded(folder: Path, roots: tuple[Path, ...] = (LOGS,)) -> Work:
    return StateFile(folder).load(RULES, roots)


def test_targets_and_drains_come_back_as_they_were(tmp_path: Path) -> None:
    StateFile(tmp_path).save(WORK)
    assert loaded(tmp_path) == WORK


def test_what_derives_from_rules_comes_back_as_the_rules_of_now_have_it(tmp_path: Path) -> None:
    StateFile(tmp_path).save(WORK)
    rules = attrs.evolve(RULES, node=NodeContext(cluster_id="c-2"), log_path_map=())
    back = StateFile(tmp_path).load(rules, [LOGS])
    assert {each.cluster_id for each in back.targets} == {"c-2"}
    assert back.departed[0].target.log_path == run(1).log_path


def test_an_image_that_only_the_pods_status_tells_outlives_the_pod(tmp_path: Path) -> None:
    StateFile(tmp_path).save(WORK)
    assert loaded(tmp_path).targets[0].pod.containers[0].image == "team/app:1"


def test_each_pods_text_stands_once_however_many_logs_it_has(tmp_path: Path) -> None:
    large = attrs.evolve(POD, annotations=FrozenMap({"note": "N" * 255_000}))
    work = Work(tuple(target(number, large) for number in range(50)))
    StateFile(tmp_path).save(work)
    assert (tmp_path / NAME).stat().st_size < 300_000
    assert loaded(tmp_path) == work


def test_a_pod_over_its_bound_is_left_out_alone_and_that_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    huge = attrs.evolve(POD, uid="huge", name="huge", annotations=FrozenMap({"n": "x" * MOST_BYTES_OF_POD}))
    file = StateFile(tmp_path)
    for _ in range(2):
        file.save(Work((target(0), target(0, huge)), (Departed(target(1, huge), since=1.0),)))
    assert loaded(tmp_path) == Work((target(0),))
    assert caplog.text.count("default/huge") == 1


def test_many_large_pods_never_push_out_a_small_one_nor_make_a_file_that_is_not_read(tmp_path: Path) -> None:
    annotations = FrozenMap({"n": "\x01" * (MOST_BYTES_OF_POD // 6 - 1000)})
    large = [
        attrs.evolve(POD, uid=f"{n:02x}", name=f"a-{n}", annotations=annotations)
        for n in range(MOST_BYTES // MOST_BYTES_OF_POD + 10)
    ]
    targets = tuple(target(n, pod) for n, pod in enumerate(large))
    StateFile(tmp_path).save(Work((*targets, target(255))))
    assert (tmp_path / NAME).stat().st_size <= MOST_BYTES * 1.01
    back = loaded(tmp_path).targets
    assert target(255) in back
    assert len(back) > len(large) / 2


Edit = Callable[[dict[str, Any]], object]


def _set(**changes: object) -> Edit:
    return lambda entry: entry.update(changes)


def _set_container(**changes: object) -> Edit:
    return lambda entry: entry["container"].update(changes)


def _set_path(path: str) -> Edit:
    return _set_container(log_path=path)


@pytest.mark.parametrize(
    "edit",
    [
        _set(id="../../etc"),
        _set(id="A" * 64),
        _set_path("/etc/shadow"),
        _set_path("/logs/../etc/shadow"),
        _set_path("/logs/default_shop-1_u/main/../main/9.log"),
        _set_path("/logs/shadow"),
        _set_path("/logs/default_other_v/main/9.log"),
        _set_path("/logs/default_shop-1_u/main/8.log"),
        _set_path("/logs/default_shop-1_u/main/9.log.gz"),
        _set_path(f"/logs/{'e' * 64}/{'e' * 64}-json.log"),
        _set_path("logs/default_shop-1_u/main/9.log"),
        _set_path("/logs/default_shop-1_u/ma\0in/9.log"),
        _set_container(key="default/other/v/main/9"),
        _set_container(key="e" * 64),
        _set_container(id="../x"),
        _set_container(pod_name="other"),
        _set_container(namespace="kube-system"),
        _set_container(pod_uid=None),
        _set_container(restart_count=8),
        _set(id=target(0).id),
        _set_container(
            **{name: getattr(run(0), name) for name in ("key", "restart_count")},
            log_path=str(run(0).log_path),
        ),
    ],
)
@pytest.mark.parametrize("place", ["targets", "departed"])
def test_an_entry_that_the_disk_could_not_have_shown_is_left_out_alone_and_told(
    tmp_path: Path, place: str, edit: Edit, caplog: pytest.LogCaptureFixture
) -> None:
    bad = target(9)
    StateFile(tmp_path).save(
        attrs.evolve(WORK, targets=(*WORK.targets, bad))
        if place == "targets"
        else attrs.evolve(WORK, departed=(*WORK.departed, Departed(bad, since=2.0)))
    )
    document = json.loads((tmp_path / NAME).read_text())
    entry = document[place][-1]
    edit(entry if place == "targets" else entry["target"])
    (tmp_path / NAME).write_text(json.dumps(document))
    assert loaded(tmp_path) == WORK
    assert "1 entries of" in caplog.text


@pytest.mark.parametrize("kind", ["link", "link above", "folder", "FIFO"])
def test_a_log_that_is_no_longer_a_regular_file_of_its_own_is_left_out(tmp_path: Path, kind: str) -> None:
    logs, state = tmp_path / "logs", tmp_path / "state"
    path = logs / "default_shop-1_u" / "main" / "0.log"
    for folder in (path.parent, state, tmp_path / "secret" / "main"):
        folder.mkdir(parents=True)
    (tmp_path / "secret" / "main" / "0.log").write_text("secret")
    path.write_text("line")
    mine = make_target("a" * 64, attrs.evolve(run(), log_path=path), POD, RULES)
    StateFile(state).save(Work((), (Departed(mine, since=1.0),)))
    assert len(loaded(state, (logs,)).departed) == 1
    path.unlink()
    assert len(loaded(state, (logs,)).departed) == 1, "it may be gone"
    if kind == "link":
        path.symlink_to(tmp_path / "secret" / "main" / "0.log")
    elif kind == "folder":
        path.mkdir()
    elif kind == "FIFO":
        os.mkfifo(path)
    else:
        path.parent.rmdir()
        path.parent.parent.rmdir()
        path.parent.parent.symlink_to(tmp_path / "secret")
    assert loaded(state, (logs,)) == Work()


def test_logs_outside_the_log_roots_of_now_are_left_out(tmp_path: Path) -> None:
    StateFile(tmp_path).save(WORK)
    assert loaded(tmp_path, (Path("/other"),)) == Work()


def test_what_a_killed_process_left_in_the_making_is_removed_and_nothing_else(tmp_path: Path) -> None:
    StateFile(tmp_path).save(WORK)
    for name in (f".{NAME}.0123abcd.klw-tmp", ".other.0123abcd.klw-tmp", "notes"):
        (tmp_path / name).write_text("half")
    StateFile(tmp_path).tidy()
    assert set(os.listdir(tmp_path)) == {NAME, ".other.0123abcd.klw-tmp", "notes"}


def test_a_state_that_can_t_be_written_is_told_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(WatcherError, match=r"none/state\.json can't be written: No such file"):
        StateFile(tmp_path / "none").save(WORK)


def test_nobody_else_may_read_the_file(tmp_path: Path) -> None:
    StateFile(tmp_path).save(WORK)
    assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o600


def test_an_empty_folder_is_an_empty_state(tmp_path: Path) -> None:
    assert loaded(tmp_path) == Work()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'{"version": 1, "targets": [], "departed": []}',
        b'{"version": 2}',
        b'{"version": 2, "pods": {}, "targets": []}',
        b'{"version": 2, "pods": [], "targets": [], "departed": []}',
        b'{"version": 2, "pods": {"u": {}}, "targets": [], "departed": []}',
        b"[" * 100_000,
        b"\xff\x00",
    ],
)
def test_a_damaged_file_is_told_and_started_anew(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / NAME).write_bytes(content)
    assert loaded(tmp_path) == Work()
    assert NAME in caplog.text


@pytest.mark.parametrize("since", ["NaN", "-Infinity", '"x"'])
def test_a_time_that_is_none_makes_no_half_state(tmp_path: Path, since: str) -> None:
    StateFile(tmp_path).save(WORK)
    whole = (tmp_path / NAME).read_text()
    (tmp_path / NAME).write_text(whole.replace("1234.5", since))
    assert loaded(tmp_path) == Work()


def test_a_target_with_a_field_missing_makes_no_half_state(tmp_path: Path) -> None:
    StateFile(tmp_path).save(WORK)
    document: Mapping[str, Any] = json.loads((tmp_path / NAME).read_text())
    del document["targets"][1]["container"]["key"]
    (tmp_path / NAME).write_text(json.dumps(document))
    assert loaded(tmp_path) == Work()


def test_a_link_in_the_files_place_is_not_read(tmp_path: Path) -> None:
    StateFile(tmp_path).save(WORK)
    os.rename(tmp_path / NAME, tmp_path / "elsewhere")
    (tmp_path / NAME).symlink_to("elsewhere")
    assert loaded(tmp_path) == Work()


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        loaded(tmp_path / "none")
