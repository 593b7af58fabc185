"""What ``check`` asks of the Kubernetes API: whether it answers, and whether we may list and watch."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

from kube_log_watcher_core.cli.findings import Finding, fail, ok, warn
from kube_log_watcher_core.configuration import Configuration
from kube_log_watcher_core.errors import ApiError, Forbidden, Unauthorized
from kube_log_watcher_core.kube import ApiAccess, Timing
from kube_log_watcher_core.kube.listing import read_list
from kube_log_watcher_core.kube.session import ApiSession

RIGHTS = """\
in a ClusterRole that is bound to the service account:
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch]"""
_TIMING = Timing(connect_seconds=5.0, answer_seconds=10.0, list_seconds=15.0)


def check_api(configuration: Configuration, *, found_on_disk: int) -> Iterable[Finding]:
    """Ask for this node's pods, and open one short watch."""
    access = configuration.access
    session = ApiSession(access, timing=_TIMING, clock=time.monotonic, count=_uncounted)
    node = configuration.watcher.cluster_node_name
    selector = {"fieldSelector": f"spec.nodeName={node}"} if node else {"limit": "1"}
    try:
        count = _list(session, selector)
        yield ok("API", f"{access.url} answers; we may list pods")
        yield from _known_pods(node, count, found_on_disk)
        _watch(session, selector)
        yield ok("API", "we may watch pods")
    except ApiError as error:
        yield _refused(error, access)
    finally:
        session.close()


def _uncounted(_verb: str, _code: str) -> None:
    """Count nothing: nobody asks afterwards."""


def _list(session: ApiSession, selector: Mapping[str, str]) -> int:
    params = {**selector, "resourceVersion": "0"} if "limit" not in selector else dict(selector)
    with session.get("list", "/api/v1/pods", params=params, answer_seconds=_TIMING.answer_seconds) as answer:
        pieces = answer.limited(limit_bytes=_TIMING.list_bytes, limit_seconds=_TIMING.list_seconds)
        return len(read_list(pieces).pods)


def _watch(session: ApiSession, selector: Mapping[str, str]) -> None:
    kept = {key: value for key, value in selector.items() if key != "limit"}
    params = {**kept, "watch": "1", "resourceVersion": "0", "timeoutSeconds": "1"}
    with session.get("watch", "/api/v1/pods", params=params, answer_seconds=_TIMING.answer_seconds):
        return


def _known_pods(node: str | None, count: int, found_on_disk: int) -> Iterable[Finding]:
    if node and not count and found_on_disk:
        text = f"no pod has spec.nodeName={node}, but {found_on_disk} containers are on disk"
        yield warn("API", text, "CLUSTER_NODE_NAME must be the node's name as `kubectl get nodes` has it")


def _refused(error: ApiError, access: ApiAccess) -> Finding:
    if isinstance(error, Forbidden):
        return fail("API", str(error), RIGHTS)
    if isinstance(error, Unauthorized):
        where = access.token_file or "the proxy's own credentials (WATCHER_KUBE_URL)"
        remedy = f"look at the token: {where}; or set WATCHER_KUBE_URL to a proxy that authenticates"
        return fail("API", str(error), remedy)
    return fail("API", f"{access.url}: {error}", _way_there(access))


def _way_there(access: ApiAccess) -> str:
    if access.token_file is None:
        return f"is the proxy of WATCHER_KUBE_URL={access.url} running, and reachable from here?"
    return f"is {access.url} reachable from here, and its certificate signed by {access.ca_file}?"
