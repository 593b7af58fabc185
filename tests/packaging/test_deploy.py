"""The chart and the manifests rendered from it: valid for Kubernetes, and right for the watcher."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from helm_python import HelmError, lint

from deploy_support import (
    BEFORE_SIDECARS,
    CHART,
    DEPLOY,
    EXAMPLES,
    Manifest,
    container,
    containers_of,
    manifests,
    mounts,
    notes,
    one,
    pod_of,
    render,
    settings_of,
    watchers,
)
from documents import ROOT, code_blocks
from kube_log_watcher_core.configuration import Configuration, Given, configure
from kube_log_watcher_core.observe.metrics import FAMILIES

SIDECAR_VERSIONS = ("1.29", "1.31", "1.33", kubernetes_validate.latest_version())
OLDER_VERSIONS = ("1.25", "1.27", "1.28")
KEY_FILE = "/etc/scalyr-api-key/api-key"
TOKEN = Path("/var/run/secrets/kubernetes.io/serviceaccount")
MEASURED_MIB = 52
"""What the watcher takes with 1,000 containers."""

LOGS = {"logs", "pod-logs", "docker-containers", "container-links", "spool"}
"""Volumes with logs, or links to them."""
ON_DOCKER = {"node": {"runtime": "docker"}}
BESIDE_DOCKER = "/var/lib/docker/containers/.kube-log-watcher"

examples = pytest.mark.parametrize("example", EXAMPLES)

GUIDES = [ROOT / "docs" / "how-to" / f"{name}.rst" for name in ("deploy", "migrate")]
VALUES_IN_GUIDES = [yaml.safe_load(block) for guide in GUIDES for block in code_blocks(guide, "yaml")]


def given(documents: list[Manifest], folder: Path) -> Configuration:
    """Read the settings as the watcher in its container would."""
    (key := folder / "api-key").write_text("key-0001\n")
    (config := folder / "settings.yaml").write_text(settings_of(documents).replace(KEY_FILE, str(key)))
    environ = {"CLUSTER_NODE_NAME": "node-1", "KUBERNETES_SERVICE_HOST": "10.0.0.1"}
    return configure(Given(environ=environ, config=config))


def paths_in(value: object) -> Iterator[Path]:
    """Give all paths in a settings file."""
    if isinstance(value, dict):
        for each in value.values():
            yield from paths_in(each)
    elif isinstance(value, str) and value.startswith("/"):
        yield Path(value)


# ------------------------------------------------------------------ the chart


@examples
def test_the_chart_is_without_fault(example: str) -> None:
    values = yaml.safe_load(EXAMPLES[example].read_text())
    report = lint(CHART, values, strict=True)
    assert [found for found in report["messages"] if found["severity"] > 1] == []
    assert report["errors"] == []


def test_the_plain_manifests_are_in_step_with_the_chart() -> None:
    command = [sys.executable, str(DEPLOY / "render.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout + done.stderr == ""


def test_the_charts_versions_are_those_of_the_distributions() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    core = tomllib.loads((ROOT / "kube_log_watcher_core" / "pyproject.toml").read_text())
    assert chart["version"] == chart["appVersion"] == core["project"]["version"]


def test_the_values_have_a_schema_with_all_of_them_and_no_others() -> None:
    def names(schema: dict[str, Any], values: object) -> Iterator[tuple[str, object, object]]:
        for name, each in schema.get("properties", {}).items():
            there = isinstance(values, dict) and name in values
            yield name, there, name != "global"
            if there:
                yield from names(each, values[name] if isinstance(values, dict) else None)

    schema = json.loads((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    assert [name for name, there, expected in names(schema, values) if there != expected] == []
    render({})


@pytest.mark.parametrize(
    "values",
    [
        {"nosuch": 1},
        {"node": {"runtime": "rkt"}},
        {"scalyr": {"hostPaths": {"config": "relative"}}},
        {"http": {"port": "9090"}},
        {"scalyr": {"enabled": False}},
        {"podMonitor": {"enabled": True}, "http": {"enabled": False}},
        {"serviceAccount": {"create": False}},
        {"scalyr": {"enabled": False}, "symlinker": {"enabled": True}, "nativeSidecar": True},
        {"spool": {"folder": "relative"}},
        {"spool": {"folder": "/var/lib/kube-log-watcher/spool"}},
        {"spool": {"folder": "/var/log/pods/.spool"}},
        {"node": {"podLogs": "/data/pods"}},
        {"node": {"runtime": "docker"}, "spool": {"folder": "/var/log/spool"}},
        {"symlinker": {"enabled": True, "hostPaths": {"tree": "/var/log/kube-log-watcher"}}},
    ],
    ids=json.dumps,
)
def test_values_that_can_not_work_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(HelmError):
        render(values)


# ------------------------------------------------------------------ Kubernetes


@examples
def test_all_manifests_are_valid_for_kubernetes_of_several_versions(example: str) -> None:
    versions = SIDECAR_VERSIONS if example != BEFORE_SIDECARS else (*OLDER_VERSIONS, *SIDECAR_VERSIONS)
    builtin = [each for each in manifests(example) if not each["apiVersion"].startswith("monitoring.")]
    for version in versions:
        for manifest in builtin:
            assert kubernetes_validate.validate(manifest, version, strict=True)


def test_a_field_that_a_version_does_not_have_would_be_noticed() -> None:
    daemon_set = one(manifests("scalyr-containerd"), "DaemonSet")
    with pytest.raises(kubernetes_validate.ValidationError, match="restartPolicy"):
        kubernetes_validate.validate(daemon_set, "1.27", strict=True)


@examples
def test_the_service_account_may_list_and_watch_pods_and_nothing_else(example: str) -> None:
    documents = manifests(example)
    assert one(documents, "ClusterRole")["rules"] == [
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "watch"]}
    ]
    binding, account = one(documents, "ClusterRoleBinding"), one(documents, "ServiceAccount")
    assert binding["roleRef"]["name"] == one(documents, "ClusterRole")["metadata"]["name"]
    (subject,) = binding["subjects"]
    assert subject["name"] == account["metadata"]["name"] == pod_of(documents)["serviceAccountName"]
    assert subject["namespace"] == account["metadata"]["namespace"] == "kube-system"


def test_events_on_pods_bring_the_right_to_make_them_and_no_other(tmp_path: Path) -> None:
    documents = render({"events": {"enabled": True}})
    assert one(documents, "ClusterRole")["rules"][1:] == [
        {"apiGroups": ["events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch"]}
    ]
    assert given(documents, tmp_path).watcher.events


@examples
def test_shippers_get_no_credentials_of_the_cluster(example: str) -> None:
    pod = pod_of(manifests(example))
    assert pod["automountServiceAccountToken"] is False
    assert [each["name"] for each in containers_of(pod) if TOKEN in mounts(each)] == [
        each["name"] for each in watchers(pod)
    ]


@examples
def test_the_watcher_is_root_without_any_capability(example: str) -> None:
    pod = pod_of(manifests(example))
    for watcher in watchers(pod):
        assert watcher["securityContext"] == {
            "runAsUser": 0,
            "runAsGroup": 0,
            "readOnlyRootFilesystem": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        }
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()


@examples
def test_every_volume_is_mounted_and_every_mount_has_a_volume(example: str) -> None:
    pod = pod_of(manifests(example))
    used = {mount["name"] for each in containers_of(pod) for mount in each["volumeMounts"]}
    assert used == {volume["name"] for volume in pod["volumes"]}


@examples
def test_the_watchers_resources_leave_room_above_what_was_measured(example: str) -> None:
    for watcher in watchers(pod_of(manifests(example))):
        asked, limit = (
            int(watcher["resources"][kind]["memory"].removesuffix("Mi")) for kind in ("requests", "limits")
        )
        assert MEASURED_MIB <= asked < limit


# ------------------------------------------------------------------ the watcher and its shippers


@examples
def test_the_watcher_understands_its_settings(example: str, tmp_path: Path) -> None:
    configuration = given(manifests(example), tmp_path)
    assert configuration.warnings == ()
    assert configuration.watcher.cluster_id == "kube-1"
    assert configuration.agents


@examples
def test_all_folders_of_the_settings_are_mounted(example: str) -> None:
    documents = manifests(example)
    for watcher in watchers(pod_of(documents)):
        there = mounts(watcher)
        named = set(paths_in(yaml.safe_load(settings_of(documents)))) - {Path("/var/log/journal")}
        assert [path for path in named if not {path, *path.parents} & there.keys()] == []


@examples
def test_shippers_have_logs_read_only_and_at_the_watchers_paths(example: str) -> None:
    pod = pod_of(manifests(example))
    hosts = {each["name"]: each["hostPath"]["path"] for each in pod["volumes"] if "hostPath" in each}
    for each in containers_of(pod):
        if each["name"] in {one["name"] for one in watchers(pod)}:
            continue
        names = {"pod-logs", "docker-containers", "spool", "journal"}
        of_logs = [mount for mount in each["volumeMounts"] if mount["name"] in names]
        assert of_logs
        assert all(mount["readOnly"] and mount["mountPath"] == hosts[mount["name"]] for mount in of_logs)


@examples
def test_the_watcher_can_write_to_the_mount_of_the_spool_and_to_no_other_of_logs(example: str) -> None:
    documents = manifests(example)
    pod, spool = pod_of(documents), yaml.safe_load(settings_of(documents)).get("spool_dir")
    for watcher in watchers(pod):
        assert writable(watcher, LOGS) == ([Path("/var/log")] if spool else [])
        assert [
            mount["readOnly"] for mount in watcher["volumeMounts"] if mount["name"] == "scalyr-checkpoints"
        ] == ([True] if "scalyr-checkpoints" in {each["name"] for each in pod["volumes"]} else [])


# ------------------------------------------------------------------ the spool


def writable(watcher: dict[str, Any], names: set[str]) -> list[Path]:
    """Give where volumes of these names are mounted to be written to."""
    return [
        Path(mount["mountPath"])
        for mount in watcher["volumeMounts"]
        if mount["name"] in names and not mount.get("readOnly")
    ]


def mount_of(path: str, watcher: dict[str, Any]) -> Path:
    """Give the mount that a path in a container is on."""
    return max(
        (each for each in mounts(watcher) if Path(path).is_relative_to(each)),
        key=lambda each: len(each.parts),
    )


@pytest.mark.parametrize(
    ("values", "log"),
    [
        ({}, "/var/log/pods/default_shop-1_1/main/0.log"),
        ({"symlinker": {"enabled": True}}, "/var/log/pods/default_shop-1_1/main/0.log"),
        ({**ON_DOCKER, "spool": {"folder": BESIDE_DOCKER}}, "/var/lib/docker/containers/0/0-json.log"),
    ],
    ids=["containerd", "with a tree of links", "docker"],
)
def test_logs_and_spool_are_on_one_mount_which_the_kubelet_makes(values: dict[str, Any], log: str) -> None:
    """A hard link works within one mount only."""
    documents = render(values)
    (spool,) = yaml.safe_load(settings_of(documents))["spool_dir"]
    pod = pod_of(documents)
    for watcher in watchers(pod):
        assert mount_of(spool, watcher) == mount_of(log, watcher)
        assert mount_of(spool, watcher) in writable(watcher, LOGS)
        assert Path("/mnt/spool") in mounts(watcher)
    assert {"path": spool, "type": "DirectoryOrCreate"} in [each.get("hostPath") for each in pod["volumes"]]


@pytest.mark.parametrize("values", [ON_DOCKER, {"spool": {"enabled": False}}], ids=["docker", "switched off"])
def test_without_a_spool_all_logs_are_read_only(values: dict[str, Any]) -> None:
    documents = render(values)
    assert "spool_dir" not in yaml.safe_load(settings_of(documents))
    (watcher,) = watchers(pod_of(documents))
    assert writable(watcher, LOGS) == []
    assert "spool" not in {each["name"] for each in pod_of(documents)["volumes"]}


def test_with_docker_the_notes_tell_why_there_is_no_spool_and_a_folder_that_would_do() -> None:
    told = notes(ON_DOCKER)
    assert "any right on the node" in told
    (option,) = re.findall(r"--set spool\.folder=(\S+)", told)
    documents = render({**ON_DOCKER, "spool": {"folder": option}})
    assert yaml.safe_load(settings_of(documents))["spool_dir"] == [option]
    assert "any right on the node" in notes({**ON_DOCKER, "spool": {"folder": option}})


@pytest.mark.parametrize("values", [{}, {"spool": {"enabled": False}}], ids=["on", "switched off"])
def test_with_containerd_the_notes_tell_where_the_spool_is_or_what_may_be_lost(
    values: dict[str, Any],
) -> None:
    told = notes(values)
    is_on = values == {}
    assert ("is kept in /var/log/kube-log-watcher/spool of its node" in told) == is_on
    assert ("There is no spool: lines may be lost" in told) == (not is_on)
    assert "any right on the node" not in told


@examples
def test_secrets_are_files_for_the_watcher_alone(example: str) -> None:
    pod = pod_of(manifests(example))
    for volume in (each for each in pod["volumes"] if "secret" in each):
        assert volume["secret"]["defaultMode"] == 0o400
        holders = [
            each["name"]
            for each in containers_of(pod)
            if volume["name"] in {mount["name"] for mount in each["volumeMounts"]}
        ]
        assert holders == [each["name"] for each in watchers(pod)]
    assert not [each for watcher in watchers(pod) for each in watcher["env"] if "KEY" in each["name"]]


@pytest.mark.parametrize("values", VALUES_IN_GUIDES, ids=range(len(VALUES_IN_GUIDES)))
def test_the_guides_values_can_be_used(values: dict[str, Any], tmp_path: Path) -> None:
    documents = render(values)
    for manifest in documents:
        assert kubernetes_validate.validate(manifest, SIDECAR_VERSIONS[-1], strict=True)
    if not values.get("extraAgents"):  # those are not installed here
        assert given(documents, tmp_path).warnings == ()


@pytest.mark.parametrize("example", [name for name in EXAMPLES if name != BEFORE_SIDECARS])
def test_the_watcher_is_a_sidecar_that_starts_before_the_shippers(example: str, tmp_path: Path) -> None:
    documents = manifests(example)
    pod = pod_of(documents)
    (watcher,) = pod["initContainers"]
    assert watcher["restartPolicy"] == "Always"
    assert "watcher" not in {each["name"] for each in pod["containers"]}
    probe = watcher["startupProbe"]
    agents = {agent.name: agent.settings for agent in given(documents, tmp_path).agents}
    if "scalyr" in agents:
        assert probe["exec"]["command"] == ["test", "-s", str(agents["scalyr"].config_path)]
    elif "rsyslog" in agents:
        assert probe["exec"]["command"] == ["test", "-s", str(agents["rsyslog"].folder / "table.json")]
    else:
        assert probe["httpGet"] == {"path": "/livez", "port": "http"}


def test_before_sidecars_an_init_container_writes_the_first_configuration() -> None:
    pod = pod_of(manifests(BEFORE_SIDECARS))
    (first,) = pod["initContainers"]
    assert first["args"] == ["init"]
    assert "restartPolicy" not in first
    assert first["volumeMounts"] == container(pod, "watcher")["volumeMounts"]
    assert [each["name"] for each in pod["containers"]] == ["watcher", "scalyr-agent"]


@examples
def test_probes_ask_the_port_that_the_watcher_listens_on(example: str, tmp_path: Path) -> None:
    documents = manifests(example)
    watcher = container(pod_of(documents), "watcher")
    address = given(documents, tmp_path).watcher.http_address
    assert address is not None
    assert watcher["ports"] == [{"name": "http", "containerPort": address.port}]
    asked = [watcher[probe]["httpGet"] for probe in ("livenessProbe", "readinessProbe")]
    assert asked == [{"path": "/livez", "port": "http"}, {"path": "/readyz", "port": "http"}]


def test_without_a_port_there_are_no_probes_of_it(tmp_path: Path) -> None:
    documents = render({"http": {"enabled": False}, "nativeSidecar": True})
    watcher = container(pod_of(documents), "watcher")
    assert not {"ports", "livenessProbe", "readinessProbe"} & watcher.keys()
    assert given(documents, tmp_path).watcher.http_address is None


def test_the_pod_monitor_scrapes_the_watchers_port() -> None:
    documents = render({"podMonitor": {"enabled": True}})
    monitor = one(documents, "PodMonitor")["spec"]
    assert [each["port"] for each in monitor["podMetricsEndpoints"]] == ["http"]
    template = one(documents, "DaemonSet")["spec"]["template"]
    assert monitor["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items()


def test_by_default_the_clusters_version_decides_about_the_sidecar() -> None:
    """Without a cluster, that of the renderer, which is newer than 1.29."""
    assert [each["name"] for each in pod_of(render({}))["initContainers"]] == ["watcher"]


def test_an_empty_list_of_labels_asks_for_none(tmp_path: Path) -> None:
    """As the guide to migration has it."""
    assert given(render({"settings": {"strict_labels": []}}), tmp_path).watcher.strict_labels == ()


def test_settings_of_the_operator_win() -> None:
    documents = render(
        {
            "settings": {"namespaces": ["shop-*"], "scalyr": {"write_interval": 1}},
            "scalyr": {"settings": {"server": "https://eu.example.org", "write_interval": 9}},
        }
    )
    settings = yaml.safe_load(settings_of(documents))
    assert settings["namespaces"] == ["shop-*"]
    assert settings["scalyr"]["server"] == "https://eu.example.org"
    assert settings["scalyr"]["write_interval"] == 1
    assert settings["scalyr"]["api_key_file"] == KEY_FILE


def test_an_image_is_named_by_its_digest_where_one_is_given() -> None:
    digest = f"sha256:{'0' * 64}"
    pod = pod_of(render({"image": {"repository": "registry.example.org/klw", "digest": digest}}))
    assert container(pod, "watcher")["image"] == f"registry.example.org/klw@{digest}"


def test_an_agent_of_ones_own_is_one_more_name(tmp_path: Path) -> None:
    settings = yaml.safe_load(settings_of(render({"extraAgents": ["list"]})))
    assert settings["agents"] == ["scalyr", "list"]


def test_the_pods_own_logs_are_followed() -> None:
    """They have the labels that the watcher asks for by default."""
    labels = one(render({}), "DaemonSet")["spec"]["template"]["metadata"]["labels"]
    assert re.fullmatch(r"[\d.]+", labels["version"])
    assert labels["application"] == "kube-log-watcher"


# ------------------------------------------------------------------ alerts


def test_prometheus_takes_the_alerts_and_each_is_about_a_metric_that_there_is(tmp_path: Path) -> None:
    spec = one(render({"prometheusRule": {"enabled": True}}), "PrometheusRule")["spec"]
    known = {family.full_name for family in FAMILIES}
    for rule in spec["groups"][0]["rules"]:
        named = re.findall(r"kube_log_watcher_\w+", rule["expr"])
        assert named
        assert set(named) <= known
        assert rule["annotations"]["description"]
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("no promtool is installed (Debian: prometheus)")
    (rules := tmp_path / "rules.yaml").write_text(yaml.safe_dump(spec))
    done = subprocess.run([promtool, "check", "rules", rules], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


# ------------------------------------------------------------------ shippers with a static configuration

STATIC = sorted(path.parent.name for path in CHART.glob("files/*/*") if path.parent.name != "files")


def with_shipper(name: str, **more: Any) -> dict[str, Any]:
    return {"shipper": name, "staticShipper": {"image": "shipper:1", "output": "where lines go", **more}}


def test_the_chart_offers_every_agent_that_has_a_static_configuration() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    assert {"", "scalyr", *STATIC} == set(schema["properties"]["shipper"]["enum"])


@pytest.mark.parametrize("name", STATIC)
def test_a_shipper_has_its_configuration_and_its_output_and_no_credentials(name: str, tmp_path: Path) -> None:
    documents = render(with_shipper(name))
    for manifest in documents:
        assert kubernetes_validate.validate(manifest, SIDECAR_VERSIONS[-1], strict=True)
    configuration = given(documents, tmp_path)
    assert ([agent.name for agent in configuration.agents], configuration.warnings) == ([name], ())
    pod = pod_of(documents)
    shipper = container(pod, name)
    assert TOKEN not in mounts(shipper)
    assert {each["name"] for each in pod["containers"]} == {name}
    (own,) = (it["data"] for it in documents if it["metadata"]["name"] == f"kube-log-watcher-{name}")
    assert len(own) == 2
    assert "where lines go\n" in own.values()
    assert any("/var/log/kube-log-watcher" in text for text in own.values())


@pytest.mark.parametrize("name", STATIC)
def test_paths_of_the_values_are_those_of_the_configuration(name: str) -> None:
    values = with_shipper(name, hostPaths={"metadata": "/var/log/metadata", "state": "/srv/state"})
    documents = render({**values, "spool": {"folder": "/var/log/elsewhere"}})
    (own,) = (it["data"] for it in documents if it["metadata"]["name"] == f"kube-log-watcher-{name}")
    text = "".join(own.values())
    assert "/var/log/kube-log-watcher/" not in text
    assert "/var/log/metadata" in text
    if name != "filesd":  # it is told of each segment's path
        assert "/var/log/elsewhere" in text
    shipper = container(pod_of(documents), name)
    assert Path("/var/log/metadata") in mounts(shipper)
    hosts = [volume["hostPath"]["path"] for volume in pod_of(documents)["volumes"] if "hostPath" in volume]
    assert {"/var/log/metadata", "/srv/state"} <= set(hosts)


@pytest.mark.parametrize("name", STATIC)
def test_a_shipper_reads_logs_and_writes_only_what_it_remembers_and_answers(name: str) -> None:
    shipper = container(pod_of(render(with_shipper(name))), name)
    written = {mount["name"] for mount in shipper["volumeMounts"] if not mount.get("readOnly")}
    answers = {"rsyslog", "syslogng"}
    assert written == {"shipper-state"} | ({"shipper-metadata"} if name in answers else set())


@pytest.mark.parametrize(
    "values",
    [
        {"shipper": "fluentbit"},
        {"shipper": "rsyslog", "staticShipper": {"output": "x"}},
        {**with_shipper("fluentbit"), "spool": {"enabled": False}},
        {**with_shipper("fluentd"), **ON_DOCKER},
        {"shipper": "nosuch"},
        {"shipper": ""},
    ],
    ids=json.dumps,
)
def test_a_shipper_that_could_not_work_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(HelmError):
        render(values)


def test_the_scalyr_agent_can_run_beside_another_shipper() -> None:
    documents = render({**with_shipper("fluentbit"), "scalyr": {"enabled": True}})
    names = {each["name"] for each in pod_of(documents)["containers"]}
    assert names == {"fluentbit", "scalyr-agent"}
