"""``kubectl log-watcher``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from kube_log_watcher_kubectl.cluster import SELECTOR, Cluster, KubectlFailed, Watcher
from kube_log_watcher_kubectl.overview import overview

UNAVAILABLE = 69
NOT_FOUND = 3

_PASSED_ON = ("context", "kubeconfig", "as", "cluster", "user", "request-timeout")
"""Options of kubectl that are handed on as they are."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    given = parser().parse_args(arguments)
    try:
        code: int = given.run(cluster_of(given), given)
    except KubectlFailed as error:
        print(f"kubectl log-watcher: {error}", file=sys.stderr)
        return UNAVAILABLE
    except KeyboardInterrupt:
        return 130
    return code


def parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    common = argparse.ArgumentParser(add_help=False)
    group = common.add_argument_group("the cluster")
    for name in _PASSED_ON:
        group.add_argument(f"--{name}", metavar="VALUE", help=f"as kubectl's own --{name}")
    group.add_argument(
        "--watcher-namespace", metavar="NAME", help="where the watcher's pods are; else all are looked at"
    )
    group.add_argument(
        "--watcher-selector", metavar="LABELS", default=SELECTOR, help="by which they are found; %(default)s"
    )
    group.add_argument(
        "--timeout", metavar="SECONDS", type=float, default=20.0, help="for each answer; %(default)g"
    )
    main = argparse.ArgumentParser(
        prog="kubectl log-watcher",
        description="Ask the log watcher of a node.",
        epilog="examples: kubectl log-watcher explain shop-1 -n web; kubectl log-watcher status --all-nodes",
    )
    commands = main.add_subparsers(title="commands", required=True, metavar="COMMAND")

    explain = commands.add_parser("explain", parents=[common], help="why a pod's log is shipped, or not")
    explain.add_argument("pods", nargs="+", metavar="[NAMESPACE/]POD")
    explain.add_argument("-n", "--namespace", metavar="NAME", help="of the pods; else the context's")
    explain.add_argument("-o", "--output", choices=["table", "wide", "json", "yaml"], default="table")
    explain.add_argument("--node", metavar="NAME", help="ask this node's watcher, whatever the API says")
    explain.set_defaults(run=_explain)

    status = commands.add_parser("status", parents=[common], help="how a node's watcher is, or all are")
    which = status.add_mutually_exclusive_group(required=True)
    which.add_argument("--node", metavar="NAME", help="of this node")
    which.add_argument("-A", "--all-nodes", action="store_true", help="a table of all nodes")
    status.set_defaults(run=_status)

    agents = commands.add_parser("agents", parents=[common], help="the agents of a node's watcher")
    agents.add_argument("--node", metavar="NAME", help="of this node; else of any that has a watcher")
    agents.set_defaults(run=_agents)
    return main


def cluster_of(given: argparse.Namespace) -> Cluster:
    """Return the cluster that the options name."""
    values = {name: getattr(given, name.replace("-", "_")) for name in _PASSED_ON}
    return Cluster(
        options=tuple(f"--{name}={value}" for name, value in values.items() if value is not None),
        watcher_namespace=given.watcher_namespace,
        watcher_selector=given.watcher_selector,
        seconds=given.timeout,
    )


def _explain(cluster: Cluster, given: argparse.Namespace) -> int:
    return max(_explain_one(cluster, given, name) for name in given.pods)


def _explain_one(cluster: Cluster, given: argparse.Namespace, name: str) -> int:
    namespace, _, pod = name.rpartition("/")
    namespace = namespace or given.namespace
    found = None if given.node else cluster.find(namespace, pod)
    namespace = found.namespace if found else namespace
    asked = f"{namespace}/{pod}" if namespace else pod
    arguments = ["explain", "--output", given.output, "--", asked]
    node = found.node if found else given.node
    if node is not None:
        return _pass_on(cluster, _watcher_on(cluster, node), *arguments)
    print(f"the API has no pod {asked} on a node: all watchers are asked who remembers it", file=sys.stderr)
    return _explain_gone(cluster, asked, arguments)


def _explain_gone(cluster: Cluster, asked: str, arguments: Sequence[str]) -> int:
    """Ask every watcher about a pod that the API does not show, and print what those say that know of it."""
    codes, silent = [], []
    for watcher in cluster.watchers():
        try:
            answer = cluster.run(watcher, *arguments)
        except KubectlFailed as error:
            silent.append(f"{watcher.node} ({error})")
            continue
        if answer.code == NOT_FOUND:
            continue
        if answer.code in (0, 1) and answer.output:
            print(f"node {watcher.node}:")
            print(answer.output, end="")
            codes.append(answer.code)
        else:
            silent.append(f"{watcher.node} ({answer.error.strip()})")
    for each in silent:
        print(f"no answer from {each}", file=sys.stderr)
    if codes:
        return max(codes)
    print(f"no watcher remembers {asked}")
    return UNAVAILABLE if silent else NOT_FOUND


def _status(cluster: Cluster, given: argparse.Namespace) -> int:
    if not given.all_nodes:
        return _pass_on(cluster, _watcher_on(cluster, given.node), "status")
    lines, code = overview(cluster)
    print("\n".join(lines))
    return code


def _agents(cluster: Cluster, given: argparse.Namespace) -> int:
    return _pass_on(cluster, _watcher_on(cluster, given.node), "agents")


def _watcher_on(cluster: Cluster, node: str | None) -> Watcher:
    found = cluster.watchers(node)
    if not found:
        where = cluster.watcher_namespace or "any namespace"
        on_node = f"on node {node} " if node else ""
        raise KubectlFailed(
            f"no watcher runs {on_node}in {where} with the labels {cluster.watcher_selector}: "
            "see --watcher-namespace and --watcher-selector"
        )
    return found[0]


def _pass_on(cluster: Cluster, watcher: Watcher, *arguments: str) -> int:
    """Print what a command says in a watcher's pod; return its exit code."""
    answer = cluster.run(watcher, *arguments)
    sys.stdout.write(answer.output)
    sys.stderr.write(answer.error)
    return answer.code


if __name__ == "__main__":
    sys.exit(main())
