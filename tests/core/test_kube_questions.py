"""When to ask for a pod, and for which."""

from __future__ import annotations

import pytest

from kube_log_watcher_core.kube import Timing
from kube_log_watcher_core.kube.fallback import Questions, can_exist, common_node
from kube_log_watcher_core.models import Pod

A, B = ("shop", "a-1"), ("shop", "b-1")


def asked_at(*, found: bool, until: float, timing: Timing | None = None) -> list[float]:
    questions = Questions(timing or Timing())
    questions.want([A], now=0.0)
    times: list[float] = []
    while (due := questions.next_due()) is not None and due <= until:
        times.append(due)
        questions.answered(A, found=found, now=due)
    return times


def test_a_pod_that_is_missing_is_asked_for_less_and_less() -> None:
    assert asked_at(found=False, until=12.0) == pytest.approx([0, 1.5, 4.5, 10.5])
    assert asked_at(found=False, until=300.0)[-3:] == pytest.approx([154.5, 214.5, 274.5])


def test_a_pod_that_was_found_is_asked_for_seldom() -> None:
    assert asked_at(found=True, until=1000.0) == pytest.approx([0, 15, 45, 105, 225, 465, 705, 945])


def test_another_answer_than_before_starts_the_intervals_over() -> None:
    questions = Questions(Timing())
    questions.want([A], now=0.0)
    for now in (0.0, 1.5, 4.5):
        questions.answered(A, found=False, now=now)
    questions.answered(A, found=True, now=10.5)
    assert questions.next_due() == pytest.approx(25.5)


def test_a_name_that_is_new_is_due_at_once_and_one_that_is_gone_is_forgotten() -> None:
    questions = Questions(Timing())
    questions.want([A], now=0.0)
    questions.answered(A, found=True, now=0.0)
    complete = [questions.complete]
    questions.want([A, B], now=1.0)
    assert questions.due(1.0) == [B]
    complete.append(questions.complete)
    questions.want([], now=2.0)
    assert questions.next_due() is None
    assert [*complete, questions.complete] == [True, False, True]
    questions.answered(A, found=True, now=2.0)  # an answer that came too late
    assert questions.next_due() is None


def test_a_hurry_has_its_bounds() -> None:
    questions = Questions(Timing())
    questions.want([A], now=0.0)
    questions.hurry()
    assert questions.due(0.0) == [A]
    questions.answered(A, found=True, now=0.0)
    questions.hurry()
    questions.hurry()
    assert questions.next_due() == pytest.approx(3.0)


def test_a_question_that_can_not_be_answered_is_put_off_but_stays_open() -> None:
    questions = Questions(Timing())
    questions.want([A], now=0.0)
    times = []
    for _ in range(3):
        questions.failed(A, now=0.0)
        times.append(questions.next_due())
    assert times == pytest.approx([1.5, 3.0, 6.0])
    assert not questions.complete
    questions.failed(B, now=0.0)  # nobody wants it any more


def test_what_a_list_has_shown_is_not_asked_for() -> None:
    questions = Questions(Timing())
    questions.want([A, B], now=0.0)
    questions.known([A, ("other", "x")], now=0.0)
    assert questions.due(0.0) == [B]


@pytest.mark.parametrize(
    "name", ["", "..", ".", "a/b", "a b", "A", "a?b", "-a", "a-", "a" * 300, "a%2f", "\n"]
)
def test_what_can_be_no_name_is_not_asked_for(name: str) -> None:
    """Folder names come from disk, and ``..`` in a path would ask for something else."""
    assert not can_exist(("shop", name))
    assert not can_exist((name, "a-1"))
    assert can_exist(("shop", "a-1.example"))


def test_most_pods_tell_the_node() -> None:
    """One folder may have outlived its pod, which runs elsewhere by now."""
    on = [
        Pod(uid=str(number), name="a", namespace="b", node=node)
        for number, node in enumerate(("x", "y", "y"))
    ]
    assert common_node(on) == "y"
    assert common_node([Pod(uid="1", name="a", namespace="b")]) is None
    assert common_node([]) is None
