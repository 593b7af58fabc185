"""The least that a start comes to, in a process of its own: get the list, read it, write the same files."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path


def main() -> None:
    """Print the seconds that it took after the imports."""
    import requests  # noqa: PLC0415 - the interpreter's own start is not part of the measurement

    url, out, config, job, count = sys.argv[1], Path(sys.argv[2]), sys.argv[3], sys.argv[4], int(sys.argv[5])
    contents = Path(config).read_bytes(), Path(job).read_bytes()
    began = time.monotonic()
    parameters = {"fieldSelector": "spec.nodeName=node-1", "resourceVersion": "0"}
    json.loads(requests.get(f"{url}/api/v1/pods", params=parameters, timeout=60).content)
    for number in range(count):
        _write(out / f"{number}.job", contents[1])
    _write(out / "agent.json", contents[0])
    print(time.monotonic() - began)


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


if __name__ == "__main__":
    main()
