"""The proof that no log line is lost, doubled or mislabelled, with the real Scalyr agent.

Nodes of both layouts are churned: containers write numbered lines, logs rotate, pods come and go, the
watcher is killed, the Scalyr agent is stopped. What arrives is compared with what was written.
"""

from __future__ import annotations
