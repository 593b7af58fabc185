"""A log is shown once the shipper has taken up what was written of it."""

from __future__ import annotations

from kube_log_watcher_static import Uptake
from static_rules import Clock


def test_what_was_written_is_not_taken_up_before_the_shipper_says_so() -> None:
    uptake = Uptake(clock=Clock())
    uptake.wrote({"a"}, b"one")
    assert (uptake.has("a"), uptake.seconds_left()) == (False, 0.0)
    uptake.confirm(uptake.generation)
    assert (uptake.has("a"), uptake.seconds_left()) == (True, None)


def test_the_word_on_an_earlier_generation_says_nothing_of_a_later_one() -> None:
    uptake = Uptake(clock=Clock())
    uptake.wrote({"a"}, b"one")
    earlier = uptake.generation
    uptake.confirm(earlier)
    uptake.wrote({"a", "b"}, b"two")
    uptake.confirm(earlier)
    assert (uptake.has("a"), uptake.has("b")) == (True, False)


def test_of_a_content_that_comes_again_after_another_nothing_was_said_yet() -> None:
    uptake = Uptake(clock=Clock())
    uptake.wrote({"a"}, b"one")
    uptake.confirm(uptake.generation)
    uptake.wrote({"a", "b"}, b"two")
    uptake.wrote({"a"}, b"one")
    assert uptake.seconds_left() == 0.0


def test_the_word_on_an_earlier_generation_says_something_of_what_has_been_written_ever_since() -> None:
    """Else a log would wait for ever where something changes before each answer."""
    uptake = Uptake(clock=Clock())
    generations = []
    for number in range(4):
        uptake.wrote({"a", "b", str(number)}, str(number).encode())
        generations.append(uptake.generation)
    uptake.confirm(generations[2])
    assert (uptake.has("a"), uptake.has("3"), uptake.seconds_left()) == (True, False, 0.0)
    uptake.confirm(generations[1])
    assert uptake.confirmed == generations[2]


def test_what_was_away_since_an_earlier_generation_is_not_known_by_that() -> None:
    clock = Clock()
    uptake = Uptake(clock=clock)
    uptake.wrote({"a"}, b"one")
    first = uptake.generation
    for ids, content in ((set[str](), b"two"), ({"a", "b"}, b"three")):
        clock.now += 1
        uptake.wrote(ids, content)
    uptake.confirm(first)
    assert not uptake.has("a")


def test_the_same_content_is_the_same_generation_in_another_life() -> None:
    one, other = Uptake(clock=Clock()), Uptake(clock=Clock())
    one.wrote({"a"}, b"content")
    other.wrote({"a"}, b"content")
    assert one.generation == other.generation != ""


def test_a_shipper_without_a_word_has_taken_it_up_after_its_time() -> None:
    clock = Clock()
    uptake = Uptake(clock=clock, seconds=3.0)
    uptake.wrote({"a"}, b"one")
    clock.now += 1
    assert uptake.seconds_left() == 2.0
    assert not uptake.has("a")
    clock.now += 2
    assert uptake.seconds_left() is None
    assert uptake.has("a")


def test_writing_again_does_not_begin_the_time_anew() -> None:
    """Else a node on which something changes every second would never show a log."""
    clock = Clock()
    uptake = Uptake(clock=clock, seconds=3.0)
    uptake.wrote({"a"}, b"one")
    clock.now += 2
    uptake.wrote({"a", "b"}, b"two")
    assert uptake.seconds_left() == 1.0
    clock.now += 1
    assert (uptake.has("a"), uptake.has("b"), uptake.seconds_left()) == (True, False, 2.0)


def test_what_was_gone_for_a_while_needs_its_time_again() -> None:
    clock = Clock()
    uptake = Uptake(clock=clock, seconds=3.0)
    uptake.wrote({"a"})
    uptake.wrote(set())
    clock.now += 3
    uptake.wrote({"a"})
    assert not uptake.has("a")


def test_what_is_no_longer_written_is_no_longer_taken_up() -> None:
    uptake = Uptake(clock=Clock())
    uptake.wrote({"a", "b"}, b"two")
    uptake.confirm(uptake.generation)
    uptake.wrote({"b"}, b"one")
    assert not uptake.has("a")
    assert uptake.has("b")


def test_what_was_left_out_for_a_while_needs_a_word_on_what_was_written_since() -> None:
    """A log that was held and is mended: the table that the shipper has says that its lines are dropped."""
    uptake = Uptake(clock=Clock())
    uptake.wrote({"a", "b"}, b"both")
    uptake.confirm(uptake.generation)
    uptake.wrote({"b"}, b"a is held")
    held = uptake.generation
    uptake.wrote({"a", "b"}, b"a is mended")
    assert (uptake.has("a"), uptake.has("b")) == (False, True)
    uptake.confirm(held)
    assert not uptake.has("a")
    uptake.confirm(uptake.generation)
    assert uptake.has("a")
