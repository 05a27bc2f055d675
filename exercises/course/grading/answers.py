"""The process that runs a student's code, and nothing else: ``python -m grading.answers``.

It is told the file on its standard input, runs it, and then calls its functions as it is asked.
It knows neither the checks' seed nor the solutions nor the points: whatever the code does here, it
can change its own answers and no more.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from minitx.checks.reader import read
from minitx.errors import UserError

from .stand_ins import Printed
from .wire import Peer


def limit(gigabytes: float, seconds: float) -> None:
    """Limits that cannot be lifted again: memory and processor time of this process, files."""
    if not sys.platform.startswith("linux"):
        return
    import resource

    with open("/proc/self/statm") as sizes:
        used = int(sizes.read().split()[0]) * resource.getpagesize()
    for what, most in (
        (resource.RLIMIT_AS, used + int(gigabytes * 2**30)),
        (resource.RLIMIT_CPU, int(seconds) + 1),
        (resource.RLIMIT_FSIZE, 2**24),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (most, most))


def line() -> Peer:
    """Standard input and output as the line to the judge, and nothing in their old places."""
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for old in (0, 1, 2):
        os.dup2(nothing, old)
    sys.stdout = Printed()
    return Peer(source, sink)


def main() -> None:
    peer = line()
    order = peer.hear()
    path = Path(order["name"])  # no folder in it: the student will see it in messages
    path.write_text(order["text"], "utf8")
    limit(order["gigabytes"], order["processor_seconds"])
    peer.say(defined(peer, path, order))
    while True:
        peer.serve(peer.hear())


def defined(peer: Peer, path: Path, order: dict[str, Any]) -> dict[str, Any]:
    """What went wrong while the file was read, and those of its names that are asked for."""
    try:
        found, problem = read(path, order["reading_seconds"])
        wanted = {name: peer.pack(found[name]) for name in order["wanted"] if name in found}
        answer = {"problem": problem, "defined": wanted}
        json.dumps(answer)
    except UserError as error:
        answer = {"problem": f"{error}.", "defined": {}}
    except Exception as error:  # such as a list that holds itself, where a function is asked for
        answer = {"problem": f"{path.name}: {type(error).__name__}: {error}", "defined": {}}
    return answer


if __name__ == "__main__":
    main()
