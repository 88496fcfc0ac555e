# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Docker engine of a machine says of itself, by its own socket (private): no client program and no library is needed."""

from __future__ import annotations

import json
import os
import socket
from http.client import HTTPConnection, HTTPException
from typing import Any, Dict, List

SOCKET = "/var/run/docker.sock"
CONFIGURATION = "/etc/docker/daemon.json"
_DATA_ROOT = "/var/lib/docker"
_SNAP = "/snap/docker"
_SECONDS = 10


class _Engine(HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)

    def ask(self, path: str) -> Any:
        self.request("GET", path)
        answer = self.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise OSError("GET %s: %s %s" % (path, answer.status, body[:200].decode("utf-8", "replace")))
        return json.loads(body)


def engine(path: str = SOCKET, configuration: str = CONFIGURATION) -> Dict[str, Any]:
    """Whether an engine answers at ``path``, and what; ``problem`` says why not. Never raises."""
    config, fault = _configuration(configuration)
    found: Dict[str, Any] = {
        "running": False,
        "problem": "",
        "version": "",
        "root": config.get("data-root", _DATA_ROOT),
        "networks": [],
        "snap": os.path.isdir(_SNAP),
        "init": config.get("init") is True,
        "configuration_fault": fault,
    }
    connection = _Engine(path)
    try:
        info = connection.ask("/info")
        networks = connection.ask("/networks")
        found.update(
            running=True,
            version=info.get("ServerVersion", ""),
            root=info.get("DockerRootDir") or found["root"],
            networks=[_network(one) for one in networks],
        )
    except (OSError, HTTPException, ValueError) as error:
        found["problem"] = "%s: %s" % (path, error)
    finally:
        connection.close()
    return found


def _network(one: Dict[str, Any]) -> Dict[str, Any]:
    ranges: List[Dict[str, str]] = (one.get("IPAM") or {}).get("Config") or []
    options: Dict[str, str] = one.get("Options") or {}
    return {
        "name": one["Name"],
        "subnets": [entry["Subnet"] for entry in ranges if entry.get("Subnet")],
        "device": options.get("com.docker.network.bridge.name", "br-" + one["Id"][:12]),
    }


def _configuration(path: str) -> Any:
    """The daemon's configuration file, and what is wrong with it."""
    if not os.path.exists(path):
        return {}, ""
    try:
        with open(path, encoding="utf-8") as stream:
            config = json.load(stream)
    except (OSError, ValueError) as error:
        return {}, "%s: %s" % (path, error)
    return (config, "") if isinstance(config, dict) else ({}, "%s is not a JSON object" % path)
