"""An agent of kube-log-watcher that keeps a tree of links to logs, with their metadata in the paths.

It serves shippers that take labels from a path, and people who look for a log. Switch it on with
``symlinker`` in ``WATCHER_AGENTS``. It needs one setting:

``WATCHER_SYMLINK_DIR``
    (YAML: ``symlinker: {symlink_dir: ...}``) the folder of the tree. It must be there already and be
    mounted read-write. Links lead to the logs' real paths: whoever follows them needs these mounted
    at the same place (see ``WATCHER_LOG_PATH_MAP``).

What is written
    For each log one link::

        <container id>/<application>/<component>/<namespace>/<environment>/<version>/<container>/<pod>.log

    A label that a pod lacks is ``none``, a missing component is the application. In each part,
    whatever is no ASCII letter, digit, ``-`` or ``_`` becomes ``_``; a part ends after 200 bytes.
    When a label changes, the link moves; when a container goes, its folders go.

What is removed
    Links at exactly this depth below a folder named by hexadecimal digits, also those of an earlier
    life, and folders that are empty then. Regular files, other folders and links elsewhere stay.

A shipper that looks for a rotated file beside the *path* that it was given will not find it beside
a link: check how yours follows rotation before it reads through this tree.
"""

from __future__ import annotations

from kube_log_watcher_symlinker.agent import SymlinkerAgent, link_path, safe_part
from kube_log_watcher_symlinker.settings import SymlinkerSettings

__all__ = ["SymlinkerAgent", "SymlinkerSettings", "link_path", "safe_part"]
