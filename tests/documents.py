"""Takes examples out of the documents, so that they can be run."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

ROOT = Path(__file__).parent.parent
"""The checkout."""


def code_blocks(document: Path, language: str) -> list[str]:
    """Give the contents of a reStructuredText file's code blocks in a language, in their order."""
    pattern = rf"^( *)\.\. code-block:: {language}\n((?:\1 .*\n|\s*\n)+)"
    return [textwrap.dedent(body) for _, body in re.findall(pattern, document.read_text(), re.MULTILINE)]


def readme_agent() -> str:
    """Give the README's agent, a module ``list_agent``."""
    (block,) = code_blocks(ROOT / "README.rst", "python")
    return block
