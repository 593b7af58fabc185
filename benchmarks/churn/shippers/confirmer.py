"""Hand each line of standard input to a socket, and its answer to standard output: a shipper's own child."""

from __future__ import annotations

import socket
import sys


def main(path: str) -> None:
    """Copy the first answer, then a line and its answer in turn, until there are no more lines."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        answers = connection.makefile("rb")
        while answer := answers.readline():
            sys.stdout.buffer.write(answer)
            sys.stdout.buffer.flush()
            line = sys.stdin.buffer.readline()
            if not line:
                return
            connection.sendall(line)


if __name__ == "__main__":
    main(sys.argv[1])
