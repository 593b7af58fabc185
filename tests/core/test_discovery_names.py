"""Names of folders, links and logs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kube_log_watcher_core.discovery.names import (
    LinkName,
    PodFolder,
    RunLog,
    RunPath,
    is_container_id,
    parse_docker_log,
    parse_link_name,
    parse_pod_folder,
    parse_run_log,
    parse_run_path,
)

ID = "0123456789abcdef" * 4
LABELS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
ODD = st.text(st.characters(), max_size=80) | st.text("_-./log0123456789abcdef\udc80\n", max_size=160)


@given(ODD)
def test_no_name_makes_a_parser_fail(name: str) -> None:
    for parse in (parse_pod_folder, parse_run_log, parse_run_path, parse_link_name, parse_docker_log):
        parse(name)
    is_container_id(name)


@given(LABELS, LABELS, LABELS, st.integers(0, 10**9))
def test_what_a_kubelet_names_is_taken_apart_again(namespace: str, pod: str, name: str, number: int) -> None:
    folder = f"{namespace}_{pod}_{ID[:32]}"
    assert parse_pod_folder(folder) == PodFolder(namespace=namespace, pod=pod, uid=ID[:32])
    path = f"/var/log/pods/{folder}/{name}"
    assert parse_run_path(f"{path}/{number}.log") == RunPath(path, pod=folder, container=name, number=number)
    assert parse_link_name(f"{pod}_{namespace}_{name}-{ID}.log") == LinkName(pod, namespace, name, ID)


@pytest.mark.parametrize(
    "name", ["", "a_b", "a_b_", "_b_c", "a_b_c_d", "a_b_c/d", ".._.._..", "a_b_c\n", "lost+found"]
)
def test_other_folders_are_no_pods(name: str) -> None:
    assert parse_pod_folder(name) is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("0.log", RunLog(0, rotated=False)),
        ("17.log", RunLog(17, rotated=False)),
        ("0.log.20261122-085007", RunLog(0, rotated=True)),
        ("0.log.20261122-085007.gz", RunLog(0, rotated=True)),
        ("0.log.20261122-085007.tmp", RunLog(0, rotated=True)),
        ("00.log", None),
        ("-1.log", None),
        ("\u0661.log", None),
        ("0.log\n", None),
        ("a.log", None),
        ("0.logs", None),
        ("0.log.", None),
        ("9" * 5000 + ".log", None),
    ],
)
def test_only_a_number_names_a_run(name: str, expected: RunLog | None) -> None:
    assert parse_run_log(name) == expected


def test_a_cut_link_tells_no_id() -> None:
    """Names are cut at 255 bytes, and the id stands at the end."""
    cut = parse_link_name("long-pod_default_container-with-a-rather-long-name-for-the-.log")
    assert cut is not None
    assert cut.id is None


def test_a_rotated_log_is_no_run() -> None:
    assert parse_run_path("/var/log/pods/a_b_c/main/0.log.20261122-085007") is None


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (f"/var/lib/docker/containers/{ID}/{ID}-json.log", ID),
        (f"{ID}-json.log", ID),
        (f"/a/{ID}-json.log.1", None),
        (f"/a/{ID}.log", None),
        ("/a/x-json.log", None),
    ],
)
def test_a_docker_log_is_known_by_its_name(path: str, expected: str | None) -> None:
    assert parse_docker_log(path) == expected


@pytest.mark.parametrize("name", [ID[:-1], ID + "0", "g" * 64, "A" * 64, ID + "\n", ""])
def test_a_container_id_has_64_hexadecimal_digits(name: str) -> None:
    assert not is_container_id(name)
    assert is_container_id(ID)
