"""Fakes and contracts for authors of agents."""

from __future__ import annotations
