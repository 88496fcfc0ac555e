# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the running kernel has a feature, by the name of the module that carries it (private).

A distribution's kernel lists its modules under ``/lib/modules``. A kernel of a virtual machine or a container host often has no
such folder: there its configuration says what was built in, and where that is not published either, the feature is tried.
"""

from __future__ import annotations

import gzip
import os
from typing import Callable, Dict, Iterable, List, Optional, Set

#: What is known of a module. All but the last two mean that the feature is there.
BUILT_IN, LOADED, LOADABLE, ABSENT, UNKNOWN = "built in", "loaded", "loadable", "absent", "unknown"
#: The option of the kernel's configuration, where it is not simply the module's name in capitals.
_OPTIONS = {
    "br_netfilter": "BRIDGE_NETFILTER",
    "ip_tables": "IP_NF_IPTABLES",
    "ipip": "NET_IPIP",
    "overlay": "OVERLAY_FS",
    "xt_set": "NETFILTER_XT_SET",
}
#: A device of each kind can be made in a network namespace of its own, which ends with the command.
_TRIALS = {
    "bridge": "type bridge",
    "dummy": "type dummy",
    "ipip": "type ipip remote 192.0.2.1 local 192.0.2.2",
    "veth": "type veth",
    "vxlan": "type vxlan id 4096 dstport 4789",
    "wireguard": "type wireguard",
}


def module_states(names: Iterable[str], root: str = "/", attempt: Optional[Callable[[List[str]], bool]] = None) -> Dict[str, str]:
    """The state of each module. ``attempt`` runs a command and says whether it ended with 0; without it nothing is tried."""
    release = os.uname().release
    folder = os.path.join(root, "lib/modules", release)
    listed = os.path.exists(os.path.join(folder, "modules.dep"))
    built_in = _file_names(os.path.join(folder, "modules.builtin"))
    loadable = _file_names(os.path.join(folder, "modules.dep"))
    loaded = {line.split()[0] for line in _lines(os.path.join(root, "proc/modules"))}
    configured = _configuration(root, release)

    def state(name: str) -> str:
        if name in loaded:
            return LOADED
        if name in built_in or configured.get(_option(name)) == "y":
            return BUILT_IN
        if listed:
            return LOADABLE if name in loadable else ABSENT
        # "m" without a folder of modules: a container sees its host's kernel and not its host's files.
        if configured and configured.get(_option(name)) != "m":
            return ABSENT
        return _tried(name, root, attempt)

    return {name: state(name) for name in names}


def is_modular(root: str = "/") -> bool:
    """Whether modules can be loaded on this machine at all."""
    return os.path.exists(os.path.join(root, "lib/modules", os.uname().release, "modules.dep"))


def _option(name: str) -> str:
    return "CONFIG_" + _OPTIONS.get(name, name.upper())


def _tried(name: str, root: str, attempt: Optional[Callable[[List[str]], bool]]) -> str:
    if name == "overlay":
        mountable = {line.split()[-1] for line in _lines(os.path.join(root, "proc/filesystems"))}
        return BUILT_IN if name in mountable else UNKNOWN
    if attempt is None or name not in _TRIALS:
        return UNKNOWN
    namespace = ["unshare", "--net", "ip", "link"]
    if not attempt(namespace):
        return UNKNOWN
    return BUILT_IN if attempt(namespace + ["add", "trial"] + _TRIALS[name].split()) else ABSENT


def _file_names(path: str) -> Set[str]:
    """The modules that a file of ``/lib/modules`` lists, one a line, as kernel/net/bridge/bridge.ko.xz: …"""
    files = (os.path.basename(line.split(":")[0]) for line in _lines(path))
    return {name.split(".ko")[0].replace("-", "_") for name in files}


def _configuration(root: str, release: str) -> Dict[str, str]:
    for path in ("proc/config.gz", "boot/config-" + release, "lib/modules/%s/config" % release):
        pairs = (line.split("=", 1) for line in _lines(os.path.join(root, path)) if line.startswith("CONFIG_") and "=" in line)
        found = dict(pairs)
        if found:
            return found
    return {}


def _lines(path: str) -> List[str]:
    """The lines of a file, packed or not, that are not empty; none where it cannot be read."""
    opener = gzip.open if path.endswith(".gz") else open
    try:
        with opener(path, "rt", encoding="utf-8", errors="replace") as stream:
            return [line.strip() for line in stream if line.strip()]
    except OSError:
        return []
