"""What a job file says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_support import make_target
from kube_log_watcher_appdynamics.render import FIELD_NAMES, document, job, literal_glob
from kube_log_watcher_core import Layout, LogTarget

DATA = Path(__file__).parents[1] / "data" / "appdynamics"

GOLDEN = {
    "docker.job": make_target(
        labels={
            "application": "shop",
            "version": "1.10",
            "release": "2024-r3",
            "appdynamics_tier": "frontend",
            "appdynamics_app": "storefront",
        },
        attributes={"team": "on", "app.kubernetes.io/part-of": "0123"},
    ),
    "cri.job": make_target(2, layout=Layout.CRI, labels={}, cluster_id=None, name="web"),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_a_job_file_looks_as_reviewed(name: str) -> None:
    assert job(GOLDEN[name]) == (DATA / name).read_text()


def fields(target: LogTarget) -> dict[str, Any]:
    """Give the fields as a reader of the job file sees them."""
    found = yaml.safe_load(job(target))["fields"]
    assert isinstance(found, dict)
    return found


def test_the_source_is_the_one_log_from_its_start() -> None:
    target = make_target(layout=Layout.CRI)
    assert yaml.safe_load(job(target))["source"] == {
        "type": "file",
        "path": str(target.log_path.parent),
        "nameGlob": "0.log",
        "startAtEnd": False,
    }


@pytest.mark.parametrize(
    "text", ["1.10", "42", "0123", "yes", "null", "~", "2020-01-01", "1e3", "0x1f", "1:30", "="]
)
def test_a_text_that_looks_like_something_else_stays_text(text: str) -> None:
    labels = {"application": text, "version": text, "release": text, "appdynamics_app": text}
    found = fields(make_target(labels=labels, cluster_id=text, pod=text, namespace=text, name=text))
    same = ("application_id", "application_version", "application_release", "appName", "kubernetes_cluster")
    assert {found[name] for name in (*same, "application_pod", "container_name")} == {text}


def test_without_labels_the_application_is_the_pod_and_the_version_none() -> None:
    found = fields(make_target(labels={}, pod="bare-1"))
    assert (found["sourceType"], found["application_id"]) == ("application-bare-1", "bare-1")
    assert found["application_version"] == "none"


def test_what_is_unknown_is_left_out() -> None:
    found = fields(make_target(cluster_id=None))
    assert not {"kubernetes_cluster", "application_release", "tierName", "appName"} & found.keys()


def test_an_empty_label_counts_as_none() -> None:
    labels = {"application": "", "version": "", "release": "", "appdynamics_tier": "", "appdynamics_app": ""}
    assert fields(make_target(labels=labels)) == fields(make_target(labels={}))


def test_attributes_become_fields() -> None:
    found = fields(make_target(attributes={"team": "red", "example.org/cost": "7"}))
    assert (found["team"], found["example.org/cost"]) == ("red", "7")


def test_an_attribute_never_overrides_a_field_nor_takes_the_place_of_one_left_out() -> None:
    target = make_target(labels={}, cluster_id=None, attributes=dict.fromkeys(FIELD_NAMES, "forged"))
    assert fields(target) == fields(make_target(labels={}, cluster_id=None))


def test_the_same_target_gives_the_same_text_whatever_the_order_of_its_labels() -> None:
    attributes = {"b": "1", "a": "2", "c": "3"}
    turned = dict(reversed(attributes.items()))
    assert job(make_target(attributes=attributes)) == job(make_target(attributes=turned))


@pytest.mark.parametrize(
    ("name", "glob"),
    [("0.log", "0.log"), ("a-json.log", "a-json.log"), ("a[1].log", "a?1?.log"), (r"*{x,y}\?!", "??x,y????")],
)
def test_a_glob_means_the_one_name(name: str, glob: str) -> None:
    assert literal_glob(name) == glob


HOSTILE = st.text(st.characters(), max_size=300) | st.sampled_from(
    [
        "a: b",
        "*.log",
        "${jndi:ldap://example.org/a}",
        "x\nenabled: false",
        'x"\nenabled: false',
        "# no comment",
        "%{GREEDYDATA:message}",
        "\\",
        "\\x41\\",
        "'",
        "!!python/object:os.system",
        "&a *a",
        "\u2028\x85\x00\x7f\ufeff\U0001f600",
    ]
)
LABELS = st.dictionaries(
    HOSTILE | st.sampled_from(["application", "version", "release", "appdynamics_tier"]), HOSTILE, max_size=6
)


@settings(deadline=None)
@given(labels=LABELS, attributes=LABELS, name=HOSTILE)
def test_hostile_values_stay_data(labels: dict[str, str], attributes: dict[str, str], name: str) -> None:
    target = make_target(labels=labels, attributes=attributes, pod=name, namespace=name, name=name)
    text = job(target)
    assert text.isascii()
    found = yaml.safe_load(text)
    own = fields(make_target(labels=labels, pod=name, namespace=name, name=name))
    assert found["fields"] == {
        **{key: value for key, value in attributes.items() if key not in FIELD_NAMES},
        **own,
    }
    assert own["application_pod"] == own["application_namespace"] == own["container_name"] == name
    assert own["sourceType"] == "application-" + (labels.get("application") or name)
    assert {key: found[key] for key in ("version", "enabled")} == {"version": 2, "enabled": True}
    assert found.keys() == document(target).keys()


@settings(deadline=None)
@given(labels=st.dictionaries(st.text(max_size=50), st.text(max_size=50), max_size=4))
def test_another_parser_reads_the_same(labels: dict[str, str]) -> None:
    """The C library behind PyYAML shares no code with the writer."""
    target = make_target(labels=labels, attributes=labels)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    assert yaml.load(job(target), Loader=loader) == document(target)  # noqa: S506
