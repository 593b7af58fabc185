"""Parts for agents whose shipper has one static configuration.

Configuration is code: each shipper's language expands something. So nothing of it is written for a container.
An operator owns one static configuration over the whole spool, and the agent writes *data*: what is to be
looked up by the container id in a segment's path. The order is: metadata, taken up by the shipper where it
can tell; then the first segment. On the way out the last segment goes first, then the metadata.

- `StaticAgent` has this order. What is left to say: which files, and where the shipper keeps positions.
- `metadata_of` gives one document for a log, with the same names for all shippers.
- `TableFormat` writes many of them into one file; `JSON_MAP` and `csv_table` are two such formats.
- `TableAgent` keeps one such table, and waits for a shipper that looks at it now and then;
  `AcknowledgedTableAgent` waits for the shipper's word.
- `PositionFile` reads how far the shipper is; only path *and* inode together name a file.
- `redaction_asked` finds what a shipper must not ship as it is.
- `check_configuration` says which of our folders the operator's configuration doesn't name.
- `Uptake` remembers what the shipper has taken up, by its own word or by the time that it needs.
- `print_shipped` prints the configuration that an agent's package brings.
"""

from __future__ import annotations

from kube_log_watcher_static.acknowledged import AcknowledgedTableAgent
from kube_log_watcher_static.agent import StaticAgent
from kube_log_watcher_static.answers import Answers
from kube_log_watcher_static.configuration import check_configuration
from kube_log_watcher_static.metadata import MOST_BYTES, Document, cut, metadata_of, to_json, without_nul
from kube_log_watcher_static.positions import (
    Offsets,
    PositionFile,
    by_path,
    by_path_and_inode,
    read_bounded,
)
from kube_log_watcher_static.redaction import redaction_asked
from kube_log_watcher_static.shipped import print_shipped
from kube_log_watcher_static.table_agent import TableAgent
from kube_log_watcher_static.tables import JSON_MAP, TableFormat, UnsafeRow, csv_table
from kube_log_watcher_static.uptake import Uptake, generation_of

__all__ = [
    "JSON_MAP",
    "MOST_BYTES",
    "AcknowledgedTableAgent",
    "Answers",
    "Document",
    "Offsets",
    "PositionFile",
    "StaticAgent",
    "TableAgent",
    "TableFormat",
    "UnsafeRow",
    "Uptake",
    "by_path",
    "by_path_and_inode",
    "check_configuration",
    "csv_table",
    "cut",
    "generation_of",
    "metadata_of",
    "print_shipped",
    "read_bounded",
    "redaction_asked",
    "to_json",
    "without_nul",
]
