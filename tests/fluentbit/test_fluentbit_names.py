"""Whose a name is: pods have one name one after the other, and the next one waits."""

from __future__ import annotations

import itertools

from fluentbit_support import spooled
from kube_log_watcher_fluentbit.names import holders, name_of, pod_of

OLD = spooled(1, uid="uid-b", created=100.0)
NEW = spooled(2, uid="uid-a", created=200.0)
OTHER = spooled(3, pod="shop-2")


def test_each_pod_with_a_name_of_its_own_has_it() -> None:
    assert holders([OLD, OTHER], {}) == {name_of(OLD): OLD, name_of(OTHER): OTHER}


def test_the_older_of_two_pods_has_the_name_in_whatever_order_they_come() -> None:
    for targets in itertools.permutations([OLD, NEW, OTHER]):
        assert holders(targets, {})[name_of(OLD)] is OLD


def test_who_had_the_name_before_keeps_it_whatever_the_clocks_say() -> None:
    assert holders([OLD, NEW], {name_of(NEW): pod_of(NEW)})[name_of(NEW)] is NEW


def test_who_had_the_name_and_is_gone_leaves_it_to_the_next() -> None:
    assert holders([NEW], {name_of(OLD): pod_of(OLD)})[name_of(NEW)] is NEW


def test_several_logs_of_one_pod_count_as_one_and_the_first_stands_for_it() -> None:
    first, second = spooled(1, uid="uid-b", name="main"), spooled(2, uid="uid-b", name="side")
    assert holders([first, second], {}) == {name_of(first): first}


def test_a_pod_of_unknown_age_is_taken_for_the_newest() -> None:
    unknown = spooled(4, uid="uid-0")
    assert holders([unknown, NEW], {})[name_of(NEW)] is NEW
