"""Every rule of the agents' contract can fail: a broken agent breaks it, a good one of each sort passes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import attrs
import pytest

from kube_log_watcher_testing import AgentContract, PositionContract

CLASSES = Path(__file__).parent.parent / "contract_classes.py"
READERS = CLASSES.with_name("contract_readers.py")

BROKEN = {
    "test_a_target_is_told_to_the_shipper": {"Silent": "targets make no difference"},
    "test_an_unchanged_list_changes_nothing": {
        "Counting": "the same targets changed something",
        "Rewriting": "it was written again",
    },
    "test_the_order_of_targets_does_not_matter": {"Numbering": "another order"},
    "test_a_removed_target_leaves_nothing": {"Hoarding": "targets that went have left something"},
    "test_a_changed_target_is_as_if_it_had_always_been_so": {"Caching": "a changed label has left something"},
    "test_a_restart_cleans_up_after_a_predecessor": {"Forgetful": "something of a predecessor's is left"},
    "test_starting_and_stopping_remove_nothing": {
        "Hasty": "`prepare` changed",
        "Tidy": "`close` changed",
    },
    "test_a_pod_that_comes_again_under_its_name_does_no_harm": {
        "ByPod": "two different items want this path"
    },
    "test_what_is_declared_to_be_lacking_is_lacking": {
        "FalselyDeclared": "it is not so: no_disk, no_read_back, no_account, no_check"
    },
    "test_check_passes_where_the_agent_works": {
        "Refusing": "`check` refuses the folder",
        "Probing": "`check` changed something",
    },
    "test_foreign_files_survive": {
        "Greedy": "takes every name for the agent's own",
        "Sweeping": "not the agent's own were touched",
    },
    "test_nothing_is_written_but_what_is_owned": {
        "Chatty": "not covered by `owned`: status.txt",
        "Straying": "outside of the folder",
        "NotDeclared": "is no FileAgent: tell why, in `no_disk`",
    },
    "test_no_temporary_file_is_left": {"Littering": "left behind by changes: .new-v"},
    "test_check_reports_a_missing_folder": {
        "Careless": "`check` passes without the folder",
        "Mumbling": "does not name the folder",
    },
    "test_a_failed_write_keeps_the_old_files": {
        "Replacing": "gone after a failed",
        "Swallowing": "`sync` did not raise",
        "Independent": "does not use the disk",
    },
    "test_the_same_list_puts_right_what_is_damaged": {"Trusting": "did not put right what was damaged"},
    "test_the_cost_of_a_change_stays_flat": {
        "Thorough": "steps on the disk among 10 targets",
        "Independent": "does not use the disk",
    },
    "test_hostile_labels_stay_data": {
        "Templating": "could not read this any more",
        "Guessing": "changed more than values",
        "WithoutReadBack": "replace `read_back`, or declare `no_read_back`",
        "WithoutTheFixture": "needs a fixture `make_agent`",
    },
    "test_hostile_names_stay_data": {
        "ByName": "refusing to write",
        "Mixing": "stand for no target",
    },
    "test_a_spooled_target_is_told_by_its_pattern": {
        "Live": "is to be told to the shipper, and that is told"
    },
    "test_further_segments_change_nothing": {"Listing": "a further segment changed something"},
    "test_what_was_read_is_said_of_that_very_file": {
        "Unaccounted": "tell how the shipper writes down what it has read",
        "AccountingByPath": "of another file that has the same path",
        "AccountingByInode": "of another file that has got the same inode",
        "FalselyWithoutInodes": "it is not so: `no_inodes`",
        "Optimistic": "before the shipper has said anything",
    },
    "test_only_what_was_handed_is_ready": {"Imagining": "`ready` names what was not handed"},
    "test_nothing_is_ready_before_its_metadata_stand": {"Believing": "is ready after a failed"},
    "test_all_becomes_ready_and_stays_so": {
        "Shy": "not ready after a sync",
        "Nervous": "not ready any more, when labels changed",
    },
    "test_what_comes_again_waits_for_its_metadata_again": {"Remembering": "is ready when it came again"},
    "test_a_name_that_is_taken_over_is_ready_when_its_own_metadata_stand": {
        "Sharing": "is ready while its predecessor's log is read"
    },
    "test_the_same_bytes_under_other_hash_seeds": {"Unordered": "another hash seed changed something"},
}
"""For each rule the agents that break it, and what they are told."""

BROKEN_READERS = {
    "test_what_was_read_is_told": {
        "Blind": "60 bytes were read, and the reader says None",
        "WithoutFixture": "needs a fixture `make_reader`",
        "WithoutNote": "replace `note`",
    },
    "test_nothing_is_claimed_of_a_file_without_a_note": {"Hopeful": "claimed of a file without a note"},
    "test_only_path_and_inode_together_name_a_file": {
        "ByPath": "of another file under its path",
        "ByInode": "of another path with its inode",
        "FalselyWithoutInodes": "it is not so: `no_inodes`",
    },
    "test_missing_positions_claim_nothing": {"Stubborn": "though the positions are gone"},
    "test_broken_positions_claim_nothing": {"Fragile": "raises JSONDecodeError by broken positions"},
    "test_positions_that_are_cut_off_never_claim_too_much": {"Guessing": "cut off after 0 bytes"},
    "test_huge_positions_are_not_held_in_memory": {"Greedy": "bytes were held of a file of"},
    "test_a_pipe_keeps_nobody_waiting": {"Patient": "the reader waits for a pipe"},
}
"""The same for readers of positions."""

SORTS = {
    "Good": set[str](),
    "Accounting": set[str](),
    "Gating": set[str](),
    "GatingByPod": set[str](),
    "ByHand": {"it writes by itself"},
    "BySocket": {"it talks to a socket", "it has no files", "a socket is no folder"},
}
"""Good agents, and the reasons that they declare."""


ELSEWHERE = {"KLW_NO_SKIPS", "PYTEST_ADDOPTS"}
"""Variables that are for other runs of pytest than those of the classes."""


@attrs.frozen
class Outcome:
    """How a run of pytest ended."""

    failed: Mapping[str, str]
    """By class and test, what the failure says."""
    skipped: frozenset[str]
    """Reasons."""
    summary: str


def run(scratch: Path, *selected: str, classes: Path = CLASSES) -> Outcome:
    """Run tests of the classes, in a process of their own, where a declared reason may skip."""
    command = [sys.executable, "-m", "pytest", "-q", "-rfEs", "-p", "no:cacheprovider", "--tb=line", "-n0"]
    done = subprocess.run(
        [*command, f"--basetemp={scratch}", *(f"{classes}::{name}" for name in selected)],
        cwd=CLASSES.parent.parent,
        env={name: value for name, value in os.environ.items() if name not in ELSEWHERE}
        | {"COLUMNS": "1000"},
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    lines = done.stdout
    failed = re.findall(r"^(?:FAILED|ERROR) \S+?::Test(\S+) - (.*)$", lines, re.MULTILINE)
    skipped = re.findall(r"^SKIPPED .*declared: (.*)$", lines, re.MULTILINE)
    return Outcome(dict(failed), frozenset(skipped), lines.strip().splitlines()[-1])


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Let each broken agent meet the rule that it breaks."""
    scratch = tmp_path_factory.mktemp("broken")
    return run(scratch, *(f"Test{agent}::{rule}" for rule, agents in BROKEN.items() for agent in agents))


def test_there_is_a_broken_agent_for_every_rule() -> None:
    rules = {name for name in dir(AgentContract) if name.startswith("test_")}
    assert rules == BROKEN.keys()


@pytest.mark.xdist_group("contract")
@pytest.mark.parametrize(
    ("rule", "agent"), [(rule, agent) for rule, agents in BROKEN.items() for agent in agents]
)
def test_a_broken_agent_breaks_the_rule(broken: Outcome, rule: str, agent: str) -> None:
    told = broken.failed.get(f"{agent}::{rule}", f"nothing: {broken.summary}")
    assert BROKEN[rule][agent] in told


@pytest.mark.xdist_group("contract")
@pytest.mark.parametrize("sort", SORTS)
def test_a_good_agent_of_each_sort_passes_but_for_what_it_declares(sort: str, tmp_path: Path) -> None:
    outcome = run(tmp_path, f"Test{sort}")
    assert outcome.failed == {}, outcome.summary
    assert outcome.skipped == SORTS[sort]
    assert " passed" in outcome.summary


@pytest.fixture(scope="module")
def broken_readers(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Let each broken reader of positions meet the rule that it breaks."""
    scratch = tmp_path_factory.mktemp("readers")
    selected = [f"Test{reader}::{rule}" for rule, readers in BROKEN_READERS.items() for reader in readers]
    return run(scratch, *selected, classes=READERS)


def test_there_is_a_broken_reader_for_every_rule_of_positions() -> None:
    rules = {name for name in dir(PositionContract) if name.startswith("test_")}
    assert rules == BROKEN_READERS.keys()


@pytest.mark.xdist_group("contract")
@pytest.mark.parametrize(
    ("rule", "reader"), [(rule, reader) for rule, readers in BROKEN_READERS.items() for reader in readers]
)
def test_a_broken_reader_breaks_the_rule(broken_readers: Outcome, rule: str, reader: str) -> None:
    """A rule with parameters is broken by one of them at least."""
    told = [text for name, text in broken_readers.failed.items() if name.startswith(f"{reader}::{rule}")]
    assert any(BROKEN_READERS[rule][reader] in text for text in told), broken_readers


@pytest.mark.xdist_group("contract")
@pytest.mark.parametrize("sort", ["Reader", "ByPathAsDeclared"])
def test_a_good_reader_passes(sort: str, tmp_path: Path) -> None:
    outcome = run(tmp_path, f"Test{sort}", classes=READERS)
    assert outcome.failed == {}, outcome.summary
    assert " passed" in outcome.summary
