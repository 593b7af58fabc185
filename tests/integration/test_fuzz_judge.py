"""The fuzz notices what is not true: each kind of untruth is shown to its judge."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest
from benchmarks.fuzz.judge import Look, by_path, differences, faults_of, job_name, shown_by
from benchmarks.fuzz.model import PREFIX, Model, PodModel, Run, Settings, Shown, Version

from kube_log_watcher_testing.fake_node import FakeContainer

LABELS = {"application": "shop", "version": "v1", "tier": "front"}
JWT = {"replacement": "hidden"}
Entry = Mapping[str, Any]


class Truth:
    """A model with the pods `shop-1` and `cart-1`, and what a watcher that is right has written of them."""

    def __init__(self) -> None:
        self.model = Model()
        self.shop, self.cart = self.pod("shop-1"), self.pod("cart-1")

    def pod(self, name: str, **more: str) -> PodModel:
        pod = PodModel("default", name, f"uid-of-{name}", f"uid-of-{name}")
        self.model.pods.append(pod)
        self.run(pod)
        self.show(pod, **more)
        return pod

    def run(self, pod: PodModel, restart: int = 0) -> Run:
        identity = f"id-of-{pod.name}-{restart}"
        log = Path(f"/pods/{pod.uid}/main/{restart}.log")
        files = FakeContainer(
            id=identity,
            name="main",
            pod=pod.name,
            namespace=pod.namespace,
            uid=pod.uid,
            restart=restart,
            image="app",
            log=log,
        )
        return self.model.begin(pod, files)

    def show(self, pod: PodModel, **more: str) -> Version:
        annotations = {name: value for name, value in more.items() if "/" in name}
        labels = (
            LABELS
            | {"release": self.model.release()}
            | {name: value for name, value in more.items() if "/" not in name}
        )
        version = Version(labels, annotations, masks={"main": f"mask-{labels['release']}"})
        self.model.show(pod, version)
        return version

    def entry(self, run: Run, version: Version, /, **other: str) -> Entry:
        own = {
            "namespace": "default",
            "pod": run.files.pod,
            "container": "main",
            "container_id": run.files.id,
        }
        shown = {name: value for name, value in version.labels.items() if name != "tier"}
        rules = [{"replacement": mask} for name, mask in version.masks.items() if name == "main"]
        return {"path": run.path, "attributes": own | shown | other, "redaction_rules": [*rules, JWT]}

    def entries(self) -> list[Entry]:
        return [self.entry(run, pod.versions[-1]) for pod in self.model.pods for run in pod.runs]

    def quiet(self) -> None:
        entries = by_path(self.entries())
        assert differences(look_at(self.entries()), self.model) == []
        self.model.quiet(entries, {path: shown_by(entry) for path, entry in entries.items()})


def look_at(entries: list[Entry], *, jobs: list[Entry] | None = None) -> Look:
    names = [job_name(each["attributes"]["container_id"]) for each in (entries if jobs is None else jobs)]
    return Look(json.dumps({"logs": entries}).encode(), frozenset(names))


@pytest.fixture
def truth() -> Truth:
    made = Truth()
    made.quiet()
    return made


class TestAtAnyMoment:
    def test_the_truth_is_no_fault(self, truth: Truth) -> None:
        assert [*faults_of(look_at(truth.entries()), truth.model)] == []

    @pytest.mark.parametrize("text", [None, b"", b'{"logs": [', b"{}", b'{"logs": 7}'])
    def test_a_file_that_is_gone_or_torn_is_one(self, truth: Truth, text: bytes | None) -> None:
        (fault,) = faults_of(Look(text, frozenset()), truth.model)
        assert fault.startswith("agent.json is")

    def test_an_untouched_log_that_is_lost_is_one(self, truth: Truth) -> None:
        (fault,) = faults_of(look_at(truth.entries()[1:], jobs=truth.entries()), truth.model)
        assert fault == f"{truth.shop.runs[0].path} is lost, and nothing has happened to it"

    def test_an_untouched_job_file_that_is_lost_is_one(self, truth: Truth) -> None:
        (fault,) = faults_of(look_at(truth.entries(), jobs=truth.entries()[1:]), truth.model)
        assert fault.startswith(f"the job file of {truth.shop.runs[0].path} is lost")

    def test_a_log_to_which_something_happens_may_be_away_for_a_moment(self, truth: Truth) -> None:
        truth.model.touch(truth.shop)
        assert [*faults_of(look_at(truth.entries()[1:]), truth.model)] == []

    def test_labels_of_another_pod_are_one(self, truth: Truth) -> None:
        entry = truth.entry(truth.shop.runs[0], truth.cart.versions[-1])
        truth.model.touch(truth.shop)
        (fault,) = faults_of(look_at([entry, truth.entries()[1]]), truth.model)
        assert "has labels that its pod never had" in fault

    def test_labels_of_two_versions_at_once_are_one(self, truth: Truth) -> None:
        truth.show(truth.shop, version="v2")
        mixed = truth.entry(truth.shop.runs[0], truth.shop.versions[-1], version="v1")
        (fault,) = faults_of(look_at([mixed, truth.entries()[1]]), truth.model)
        assert "has labels that its pod never had" in fault

    @pytest.mark.parametrize("rules", [[], [{"replacement": "mask-r0"}]], ids=["none", "another-version-s"])
    def test_labels_without_the_redaction_that_came_with_them_are_one(
        self, truth: Truth, rules: list[Mapping[str, str]]
    ) -> None:
        truth.model.touch(truth.shop)
        entry = {**truth.entries()[0], "redaction_rules": rules}
        (fault,) = faults_of(look_at([entry, truth.entries()[1]]), truth.model)
        assert "has the labels of r1 and hides secrets by" in fault

    def test_older_labels_are_none_until_there_is_quiet(self, truth: Truth) -> None:
        before = truth.entries()
        truth.show(truth.shop, version="v2")
        assert [*faults_of(look_at(before), truth.model)] == []
        assert "not {" in differences(look_at(before), truth.model)[0]

    def test_the_id_or_the_name_of_another_is_one(self, truth: Truth) -> None:
        truth.model.touch(truth.shop)
        run, version = truth.shop.runs[0], truth.shop.versions[-1]
        entry = truth.entry(run, version, container_id=truth.cart.runs[0].files.id, pod="cart-1")
        told = [*faults_of(look_at([entry, truth.entries()[1]]), truth.model)]
        assert f"{run.path} of {truth.shop.key} goes by {{'pod': 'cart-1'}}" in told
        assert f"{run.path} of {truth.shop.key} goes by the id of {truth.cart.runs[0].path}" in told

    def test_a_log_that_is_there_twice_and_one_of_nobody_are_some(self, truth: Truth) -> None:
        strange = {"path": "/etc/shadow", "attributes": {"container_id": "x"}, "redaction_rules": []}
        entries = [*truth.entries(), truth.entries()[0], strange]
        told = [*faults_of(look_at(entries), truth.model)]
        run = truth.shop.runs[0]
        assert told == [
            f"{run.path} is there 2 times",
            f"{run.files.id} is there 2 times",
            "/etc/shadow is nobody's log",
        ]

    def test_a_log_that_is_let_go_before_the_end_of_its_drain_is_one(self, truth: Truth) -> None:
        kept, gone = truth.entries(), truth.entries()[1:]
        truth.model.remove(truth.shop, truth.shop.runs[0], 100.0)

        def faults(entries: list[Entry], at: float) -> list[str]:
            return [*faults_of(attrs.evolve(look_at(entries), at=at), truth.model)]

        assert faults(kept, 100.2) == faults(gone, 100.4) == []
        (fault,) = faults(gone, 100.1)
        assert "is let go 0.20 s before the end of its drain" in fault


class TestAfterQuiet:
    def test_what_is_not_followed_is_told(self, truth: Truth) -> None:
        (told,) = differences(look_at(truth.entries()[1:]), truth.model)
        assert told.startswith(f"{truth.shop.runs[0].path} of {truth.shop.key}: not followed, not {{")

    def test_what_is_followed_and_gone_is_told(self, truth: Truth) -> None:
        entries = truth.entries()
        truth.model.remove(truth.shop, truth.shop.runs[0], 0.0)
        assert [each.partition(" ")[2] for each in differences(look_at(entries), truth.model)] == [
            "is followed, and is not there"
        ]

    def test_job_files_are_told_of_too(self, truth: Truth) -> None:
        entries = truth.entries()
        assert "has no job file" in differences(look_at(entries, jobs=entries[1:]), truth.model)[0]
        more = [
            *entries,
            truth.entry(attrs.evolve(truth.shop.runs[0]), truth.shop.versions[-1], container_id="x"),
        ]
        assert "is nobody's job file" in differences(look_at(entries, jobs=more), truth.model)[0]

    @pytest.mark.parametrize(
        "version",
        [
            {"version": ""},
            {"application": ""},
            {f"{PREFIX}exclude": "true"},
            {f"{PREFIX}exclude.main": "true"},
        ],
    )
    def test_who_lacks_a_label_or_is_excluded_is_not_followed(
        self, truth: Truth, version: Mapping[str, str]
    ) -> None:
        truth.show(truth.shop, **version)
        assert differences(look_at(truth.entries()[1:]), truth.model) == []
        assert differences(look_at(truth.entries()), truth.model) != []

    def test_settings_decide_too(self, truth: Truth) -> None:
        truth.model.reload(Settings(exclude_namespaces=("def*",)))
        assert differences(look_at([]), truth.model) == []
        assert truth.model.untouched == {}

    def test_settings_that_change_nothing_for_a_log_touch_it_not(self, truth: Truth) -> None:
        truth.model.reload(Settings(strict_labels=("application",), drain_seconds=1.0))
        assert len(truth.model.untouched) == 2


class TestPodsThatHaveLeftTheApi:
    def test_their_logs_stay_as_they_were(self, truth: Truth) -> None:
        truth.model.leave(truth.shop)
        assert differences(look_at(truth.entries()), truth.model) == []
        assert differences(look_at(truth.entries()[1:]), truth.model) != []

    def test_the_last_state_counts_where_nothing_kept_it_from_being_heard(self, truth: Truth) -> None:
        before = truth.entries()
        truth.show(truth.shop, version="v2")
        truth.model.leave(truth.shop)
        assert differences(look_at(truth.entries()), truth.model) == []
        assert differences(look_at(before), truth.model) != []
        truth.model.calm = False
        assert differences(look_at(before), truth.model) == []

    def test_who_was_never_heard_of_need_not_be_followed(self, truth: Truth) -> None:
        new = truth.pod("new-1")
        truth.model.leave(new)
        assert differences(look_at(truth.entries()), truth.model) == []
        assert differences(look_at(truth.entries()[:2]), truth.model) == []

    def test_what_it_came_to_stays_so_from_quiet_to_quiet(self, truth: Truth) -> None:
        new = truth.pod("new-1")
        truth.model.leave(new)
        truth.quiet()
        assert differences(look_at(truth.entries()), truth.model) == []
        assert differences(look_at(truth.entries()[:2]), truth.model) != []

    def test_other_settings_may_change_what_is_shown_of_them(self, truth: Truth) -> None:
        truth.model.leave(truth.shop)
        truth.quiet()
        truth.model.reload(Settings(labels_as_attributes=("tier",)))
        allowed = [[*outcomes] for _, outcomes in truth.model.expected()]
        release = truth.shop.versions[-1].release
        assert allowed[0] == [Shown({**LABELS, "release": release})]
        assert truth.model.untouched == {}
