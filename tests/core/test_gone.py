"""What became of logs that are gone is remembered for a while, and no longer than it is true."""

from __future__ import annotations

from kube_log_watcher_core.agents.endings import MOST_REMEMBERED as MOST_ENDINGS
from kube_log_watcher_core.agents.endings import Ending, Endings
from kube_log_watcher_core.explain.gone import MOST_REMEMBERED, LastGone
from kube_log_watcher_core.models import Container, Layout, LogTarget, Reason, Skipped, Work
from kube_log_watcher_core.reconcile import Change, Life, Pass, State
from kube_log_watcher_core.resolve import Resolution
from kube_log_watcher_testing.factories import make_container, make_target


def life(key: str, state: State, *, target: LogTarget | None = None, skip: Skipped | None = None) -> Life:
    return Life(key=key, state=state, since=0.0, first_seen=0.0, target=target, skip=skip)


def passed(*changes: tuple[Life, Life]) -> Pass:
    return Pass(Resolution(), Work(), tuple(Change(before, after) for before, after in changes))


def gone_of(number: int) -> tuple[Life, Life]:
    target = make_target(make_container(number))
    key = target.container.key
    return life(key, State.GONE, target=target), life(key, State.ABSENT, target=target)


def test_a_followed_log_that_goes_is_remembered_with_its_pod_and_when() -> None:
    last = LastGone()
    last.note(passed(gone_of(1)), now=1000.0)
    (gone,) = last.without(())
    assert (gone.since, gone.skip, gone.pod) == (1000.0, None, make_target(make_container(1)).pod)


def test_a_skipped_one_is_remembered_with_the_reason() -> None:
    container = Container(key="k", layout=Layout.CRI, name="main", pod_name="debug", namespace="web")
    skip = Skipped(container, Reason.LABEL_MISSING, "no label application")
    last = LastGone()
    last.note(passed((life("k", State.SKIPPED, skip=skip), life("k", State.ABSENT))), now=1000.0)
    (gone,) = last.without(())
    assert (gone.skip, gone.pod) == (skip, None)


def test_one_that_is_there_again_is_no_longer_gone() -> None:
    before, after = gone_of(1)
    last = LastGone()
    last.note(passed((before, after)), now=1000.0)
    last.note(passed((after, life(before.key, State.FOLLOWED, target=before.target))), now=1001.0)
    assert last.without(()) == []


def test_only_so_many_are_remembered_and_the_oldest_are_forgotten_first() -> None:
    last = LastGone()
    for number in range(1, MOST_REMEMBERED + 3):
        last.note(passed(gone_of(number)), now=float(number))
    found = last.without(())
    assert (len(found), found[0].since) == (MOST_REMEMBERED, 3.0)


def test_what_was_left_unread_of_a_log_stays_so_whatever_ends_well_later() -> None:
    endings = Endings()
    endings.note("k", Ending(by_account=False, bytes_left=7))
    endings.note("k", Ending(by_account=True))
    assert str(endings.by_key["k"]) == "did not finish in time: 7 bytes were left unread"


def test_an_agent_remembers_only_so_many_ends() -> None:
    endings = Endings()
    for number in range(MOST_ENDINGS + 2):
        endings.note(str(number), Ending(by_account=True))
    assert len(endings.by_key) == MOST_ENDINGS
    assert "0" not in endings.by_key


def test_an_end_by_time_is_not_called_read() -> None:
    assert "it does not tell" in str(Ending(by_account=False))
    assert str(Ending(by_account=True)) == "read to the end"
