"""The differential fuzz: whatever happens in whatever order, the shippers are told the truth.

Random things happen to a node, its API server and the watcher, hostile ones among them. What the watcher has
written is compared with a model that has seen the same things and shares no code with the watcher: at every
look nothing is torn, mislabelled, doubled, or lost that nothing happened to; after quiet all of it is equal.
"""

from __future__ import annotations
