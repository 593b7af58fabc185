"""The watcher on a real Docker engine's own folder: containers start, log, rotate and go."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from daemon_support import CART, Stage, staged
from docker_engine import Engine, EngineError, missing
from kube_log_watcher_core import Layout
from kube_log_watcher_testing.fake_node import FakeContainer

pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif(bool(missing()), reason=missing()),
    pytest.mark.xdist_group("docker"),
]

_SPACES = itertools.count()


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with ExitStack() as stack:
        try:
            running = stack.enter_context(Engine())
        except EngineError as error:
            pytest.skip(str(error))
        yield running


@pytest.fixture(scope="module")
def shared(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    environ = {"WATCHER_CONTAINERS_PATH": engine.containers_path}
    with staged(tmp_path_factory.mktemp("docker"), Layout.DOCKER, environ=environ) as stage:
        yield stage


@pytest.fixture
def stage(shared: Stage) -> Stage:
    """Give the shared stage, and a namespace that no other test has."""
    shared.namespace = f"space-{next(_SPACES)}"
    return shared


def run(engine: Engine, stage: Stage, pod: str, **options: object) -> FakeContainer:
    """Let a kubelet start a pod with one container."""
    made = engine.create(pod=pod, namespace=stage.namespace, **options)  # type: ignore[arg-type]
    engine.docker("start", made.id)
    stage.show(made)
    return made


def configured_log(stage: Stage, container: FakeContainer) -> str:
    """Read the log where the shippers are told to."""
    path = Path(stage.entry(container)["path"])
    source = stage.job(container)["source"]
    assert path == Path(source["path"]) / source["nameGlob"]
    return path.read_text()


def wait_for_line(stage: Stage, container: FakeContainer, text: str) -> None:
    stage.watcher.wait_for(lambda: text in configured_log(stage, container), what=f"the line {text!r}")


def none_exists(paths: Iterable[Path]) -> bool:
    return not any(path.exists() for path in paths)


def test_a_container_is_followed_from_its_start_to_its_removal(engine: Engine, stage: Stage) -> None:
    one = run(engine, stage, "shop-1")
    stage.wait_followed(one)
    wait_for_line(stage, one, "begin")
    engine.say(one, "in the middle")
    wait_for_line(stage, one, "in the middle")

    engine.docker("stop", "--time=0", one.id)
    mate = run(engine, stage, "mate")
    stage.wait_followed(mate)
    assert stage.follows(one), "a stopped container's last lines matter"

    engine.docker("start", one.id)
    engine.say(one, "once more")
    wait_for_line(stage, one, "once more")
    assert stage.follows(one, mate)

    engine.docker("rm", "--force", one.id)
    stage.wait_ignored(one)
    gone = (one.log.parent, stage.dest / one.id, stage.tree / one.id)
    stage.watcher.wait_for(partial(none_exists, gone), what="the end of its folders")
    assert stage.follows(mate)


def test_a_container_that_is_created_is_followed_once_it_is_started(engine: Engine, stage: Stage) -> None:
    one = engine.create(pod="shop-1", namespace=stage.namespace)
    stage.show(one)
    stage.wait_followed(run(engine, stage, "mate"))
    assert stage.ignores(one)
    engine.docker("start", one.id)
    stage.wait_followed(one)
    wait_for_line(stage, one, "begin")


def test_pause_containers_and_those_of_no_kubelet_are_left_alone(engine: Engine, stage: Stage) -> None:
    pause = run(engine, stage, "shop-1", kind="podsandbox")
    other = run(engine, stage, "by-hand", labelled=False)
    stage.wait_followed(run(engine, stage, "mate"))
    assert stage.ignores(pause, other)


def test_a_log_that_rotates_is_followed_under_the_same_path(engine: Engine, stage: Stage) -> None:
    one = run(engine, stage, "shop-1", options=("--log-opt=max-size=1k", "--log-opt=max-file=3"))
    stage.wait_followed(one)
    before, written = stage.entry(one), stage.job_file(one).stat().st_mtime_ns
    engine.say(one, "a line of some length", times=200)
    rotated = [one.log.with_name(f"{one.log.name}.{number}") for number in (1, 2)]
    stage.watcher.wait_for(lambda: all(path.exists() for path in rotated), what="rotated logs")
    engine.say(one, "the newest")
    wait_for_line(stage, one, "the newest")
    stage.wait_followed(run(engine, stage, "mate"))
    assert stage.entry(one) == before
    assert stage.job_file(one).stat().st_mtime_ns == written


def test_containers_that_live_for_a_moment_leave_nothing_behind(engine: Engine, stage: Stage) -> None:
    for number in range(5):
        made = engine.create(
            pod=f"brief-{number}", namespace=stage.namespace, script="echo brief", options=("--rm",)
        )
        stage.show(made)
        engine.docker("start", "--attach", made.id)
        stage.watcher.wait_for(partial(none_exists, [made.log.parent]), what="its removal")
        stage.wait_ignored(made)
    stage.wait_followed(run(engine, stage, "mate"))


def test_a_restart_by_the_kubelet_is_a_container_of_its_own(engine: Engine, stage: Stage) -> None:
    first = run(engine, stage, "shop-1", script="echo first; exit 1")
    engine.docker("wait", first.id)
    second = run(engine, stage, "shop-1", script="echo second; exec /busybox sleep 3600", restart=1)
    stage.wait_followed(first, second)
    wait_for_line(stage, first, "first")
    wait_for_line(stage, second, "second")
    engine.docker("rm", first.id)
    stage.wait_ignored(first)
    assert stage.follows(second)


def test_a_changed_label_reaches_the_shippers_of_a_running_container(engine: Engine, stage: Stage) -> None:
    one = run(engine, stage, "shop-1")
    stage.wait_application(one, "shop")
    stage.show(one, labels=CART)
    stage.wait_application(one, "cart")


def test_a_restart_of_the_engine_takes_nothing_away(engine: Engine, stage: Stage) -> None:
    one = run(engine, stage, "shop-1")
    stage.wait_followed(one)
    before = stage.job_file(one).stat().st_mtime_ns
    engine.stop()
    assert stage.follows(one)
    engine.start()
    engine.docker("start", one.id)
    engine.say(one, "after the restart")
    wait_for_line(stage, one, "after the restart")
    stage.wait_followed(one, run(engine, stage, "mate"))
    assert stage.job_file(one).stat().st_mtime_ns == before
