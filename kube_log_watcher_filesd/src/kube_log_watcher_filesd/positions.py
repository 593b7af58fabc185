"""How far Alloy and Promtail have read, by the positions that both write every ten seconds.

Promtail knows a file by its path, Alloy by its path and the labels that it had for it::

    positions:
      /spool/default_shop-1_uid/main-id.1764040000.log: "4711"
      ? path: /spool/default_shop-1_uid/main-id.1764040000.log
        labels: '{namespace="default", pod="shop-1"}'
      : "4711"
"""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from kube_log_watcher_static import Offsets

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parse_positions(content: bytes) -> Offsets:
    """Return the offsets by path; of several for one path the largest, for up to there all was read.

    Nothing is made of the document but its nodes: there is no Python value for a mapping that is a key.

    Raises
    ------
    ValueError
        when this is no file of positions.
    """
    try:
        root = yaml.compose(content, Loader=_LOADER)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(f"no YAML: {error}") from error
    found: dict[str, int] = {}
    for name, node in _members(root):
        if name == "positions":
            for key, value in _pairs(node):
                path = _path(key)
                if path and isinstance(value, yaml.ScalarNode) and value.value.isdecimal():
                    found[path] = max(found.get(path, 0), int(value.value))
    return found


def _pairs(node: yaml.Node | None) -> list[tuple[yaml.Node, yaml.Node]]:
    if node is None or (isinstance(node, yaml.ScalarNode) and node.value in {"", "null"}):
        return []
    if not isinstance(node, yaml.MappingNode):
        raise ValueError("no mapping of positions")
    pairs: list[tuple[yaml.Node, yaml.Node]] = node.value
    return pairs


def _members(node: yaml.Node | None) -> Iterator[tuple[str, yaml.Node]]:
    for key, value in _pairs(node):
        if isinstance(key, yaml.ScalarNode):
            yield key.value, value


def _path(key: yaml.Node) -> str | None:
    """Return the path of a file; None for what is no file, as the cursor of a journal."""
    if isinstance(key, yaml.MappingNode):
        paths = [value.value for name, value in _members(key) if name == "path"]
        return paths[0] if paths and isinstance(paths[0], str) else None
    return key.value if isinstance(key, yaml.ScalarNode) and key.value.startswith("/") else None
