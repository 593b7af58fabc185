"""Completion of ``kubectl log-watcher``: commands and names of pods.

``kubectl`` calls ``kubectl_complete-log_watcher`` with the words so far, and reads one candidate on each line
and a directive at the end: ``:4`` stands for "no file names".
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Sequence

from kube_log_watcher_kubectl.cluster import Cluster, KubectlFailed

COMMANDS = ("agents", "explain", "status")
SECONDS = 3.0
"""Somebody waits with a finger on the tabulator."""
_NO_FILES = ":4"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the candidates."""
    words = list(sys.argv[1:] if arguments is None else arguments) or [""]
    *before, begun = words
    print("\n".join([*(each for each in candidates(before) if each.startswith(begun)), _NO_FILES]))
    return 0


def candidates(before: Sequence[str]) -> list[str]:
    """Return what may stand after these words."""
    if not before:
        return list(COMMANDS)
    options = ("-n", "--namespace")
    namespace = next((value for name, value in itertools.pairwise(before) if name in options), None)
    if before[0] != "explain" or before[-1].startswith("-"):
        return []
    context = [word for word in before if word.startswith(("--context=", "--kubeconfig="))]
    try:
        return sorted(Cluster(options=context, seconds=SECONDS).pods(namespace))
    except KubectlFailed:
        return []


if __name__ == "__main__":
    sys.exit(main())
