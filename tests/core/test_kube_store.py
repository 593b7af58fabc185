"""The pods as they are known."""

from __future__ import annotations

import attrs
from hypothesis import given
from hypothesis import strategies as st

from kube_log_watcher_core.kube.store import MOST_GONE, PodStore
from kube_log_watcher_core.models import Pod
from kube_support import pod


def held(store: PodStore) -> set[str]:
    return {each.uid for each in store.pods()}


def test_the_first_list_is_a_change_even_when_it_is_empty() -> None:
    store = PodStore()
    seen = [store.synced, store.replace([]), store.synced, store.replace([])]
    assert seen == [False, True, True, False]


def test_a_list_replaces_all() -> None:
    store = PodStore()
    store.replace([pod(uid="u-1"), pod("b", uid="u-2")])
    assert store.replace([pod("c", uid="u-3")])
    assert held(store) == {"u-3"}


def test_a_pod_that_a_list_shows_unchanged_stays_the_same_object() -> None:
    store = PodStore()
    first = pod(version="1")
    store.replace([first])
    before = store.pods()
    assert not store.replace([pod(version="1")])
    assert store.pods() is before
    assert store.pods().by_uid("u-1") is first


def test_an_event_without_a_difference_is_no_change() -> None:
    store = PodStore()
    first = pod(version="1")
    assert store.put(first)
    assert not store.put(attrs.evolve(first))
    assert store.put(pod(version="2"))


def test_one_changed_pod_leaves_the_others_the_same_objects() -> None:
    store = PodStore()
    other = pod("b", uid="u-2")
    store.replace([pod(), other])
    store.replace([pod(version="2"), pod("b", uid="u-2")])
    assert store.pods().by_uid("u-2") is other


def test_a_snapshot_does_not_change_afterwards() -> None:
    store = PodStore()
    store.put(pod())
    before = store.pods()
    store.remove(pod(uid="u-1"))
    assert len(before) == 1
    assert len(store.pods()) == 0


def test_a_successor_of_the_same_name_takes_its_place() -> None:
    store = PodStore()
    store.put(pod(uid="old"))
    store.put(pod(uid="other", namespace="else"))
    store.put(pod(uid="new"))
    assert held(store) == {"new", "other"}


def test_a_pod_goes_by_uid_or_name_and_only_once() -> None:
    store = PodStore()
    store.replace([pod(uid="u-1"), pod("b", uid="u-2"), pod("c", uid="u-3")])
    assert store.remove(pod(uid="u-1"))
    assert not store.remove(pod(uid="u-1"))
    assert store.remove_named("shop", "b")
    assert not store.remove_named("shop", "b")
    assert not store.keep_named({("shop", "c")})
    assert store.keep_named({("shop", "x")})
    assert not held(store)


def test_who_has_left_is_told_once_with_the_last_that_was_said_of_it() -> None:
    store = PodStore()
    store.replace([pod(uid="u-1"), pod("b", uid="u-2"), pod("c", uid="u-3")])
    store.remove(pod(uid="u-1", version="at-last"))
    store.replace([pod("b", uid="u-2")])
    store.put(pod("b", uid="u-4"))
    assert store.take_gone() == {
        "u-1": pod(uid="u-1", version="at-last"),
        "u-3": pod("c", uid="u-3"),
        "u-2": pod("b", uid="u-2"),
    }
    assert not store.take_gone()


def test_who_comes_back_has_not_left_and_nobody_who_asks_makes_no_heap() -> None:
    store = PodStore()
    for number in range(2 * MOST_GONE):
        store.put(pod(f"p-{number}", uid=f"u-{number}"))
        store.remove(pod(f"p-{number}", uid=f"u-{number}"))
    store.put(pod(uid=f"u-{2 * MOST_GONE - 1}"))
    gone = store.take_gone()
    assert len(gone) <= MOST_GONE
    assert list(gone)[-1] == f"u-{2 * MOST_GONE - 2}"


def test_single_answers_can_complete_the_store_once() -> None:
    store = PodStore()
    assert store.mark_synced()
    assert not store.mark_synced()
    assert store.synced


pods = st.builds(
    pod, st.sampled_from(["a", "b", "c"]), uid=st.sampled_from(["1", "2", "3"]), version=st.sampled_from("xy")
)


def unique(found: list[Pod]) -> list[Pod]:
    return list({each.name: each for each in {each.uid: each for each in found}.values()}.values())


@given(st.lists(st.lists(pods).map(unique)))
def test_after_a_list_the_store_holds_exactly_that_list(lists: list[list[Pod]]) -> None:
    store = PodStore()
    for each in lists:
        before = store.pods()
        changed = store.replace(each)
        assert {(one.uid, one) for one in store.pods()} == {(one.uid, one) for one in each}
        assert changed or store.pods() is before
