# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`calico-node -bird-ready -felix-ready`: what the DaemonSet's readiness probe asks.

Source: calico-facts 9 (`node/pkg/health/health.go`): during the first 30 s every BGP peer must be Established, later
one is enough, and a node without configured peers is ready. Felix says that it is ready by a file in
/run/calico/felix that the sandbox writes when the node's routes are in the kernel.
"""

from __future__ import annotations

import os
import re
import socket
import sys
import time

_SOCKET = "/run/calico/bird.ctl"
FELIX_READY = "/run/calico/felix-ready"
_GRACE = 30.0
_PEER = re.compile(r"^(Mesh|Node|Global)_([\d_]+?)(?:_port_\d+)?\s+BGP\s+(.*)$")


def bird_peers(path: str) -> dict[str, bool]:
    """Peer address → whether its session is Established. OSError where BIRD does not answer."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        client.connect(path)
        stream = client.makefile("rw")
        stream.readline()
        stream.write("show protocols\n")
        stream.flush()
        peers = {}
        for line in stream:
            if line[:5] == "0000 ":
                break
            match = _PEER.match(line[5:] if line[:4].isdigit() else line[1:])
            if match:
                peers[match[2].replace("_", ".")] = "Established" in match[3]
        return peers


def bird_trouble() -> str:
    """"" when BIRD is ready, else why not."""
    try:
        peers = bird_peers(_SOCKET)
    except OSError as error:
        return f"Error querying BIRD: unable to connect to BIRDv4 socket: dial unix {_SOCKET}: {error.strerror}"
    down = sorted(address for address, established in peers.items() if not established)
    just_started = time.time() - os.stat(_SOCKET).st_mtime < _GRACE
    if down and (just_started or len(down) == len(peers)):
        return f"BGP not established with {','.join(down)}"
    return ""


def main(arguments: list[str]) -> int:
    """Exit code 0 when all that was asked for is ready."""
    if "-bird-ready" in arguments:
        trouble = bird_trouble()
        if trouble:
            print(f"calico/node is not ready: BIRD is not ready: {trouble}", file=sys.stderr)
            return 1
    if "-felix-ready" in arguments and not os.path.exists(FELIX_READY):
        print("calico/node is not ready: felix is not ready: readiness probe reporting 503", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
