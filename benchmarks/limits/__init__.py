"""What a shipper loses by itself: measured with a static configuration, without any watcher."""

from __future__ import annotations
