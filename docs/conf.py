from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "kube-log-watcher"
author = copyright = "The kube-log-watcher authors"
release = importlib.metadata.version("kube-log-watcher-core")

extensions = ["sphinx.ext.autodoc", "sphinx.ext.napoleon", "generated"]
exclude_patterns = ["_build"]
default_role = "py:obj"
# A setting that is mentioned must be one; names of Python need no page.
nitpicky = True
nitpick_ignore_regex = [("py:.*", ".*")]
html_theme = "furo"
html_title = f"kube-log-watcher {release}"
html_static_path = ["_static"]

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_class_signature = "separated"
