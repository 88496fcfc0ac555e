# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs between Calico's releases in the routes they make (private). Source: recordings of v3.30.7 and v3.32.1."""

from __future__ import annotations

import re
from typing import NamedTuple, Optional, Tuple

_VERSION = re.compile(r"v?(\d+)\.(\d+)")
NORMAL_PRIORITY = 1024
#: The set of all pools: its name until v3.31, and since v3.32 (recorded of v3.32.1).
ALL_POOLS, NETWORK_POOLS = "cali40all-ipam-pools", "cali40network-ip-pools"


class Release(NamedTuple):
    """A release as (major, minor); None where it is not known, and then every form is accepted."""

    number: Optional[Tuple[int, int]]

    @property
    def metrics(self) -> Tuple[int, ...]:
        """Metric of local workload routes and of BGP routes: none before v3.32, 1024 since."""
        if self.number is None:
            return (0, NORMAL_PRIORITY)
        return (NORMAL_PRIORITY,) if self.number >= (3, 32) else (0,)

    @property
    def all_pools_set(self) -> str:
        """The set of all pools, in which masquerading ends; where the release is not known, as most have it."""
        return NETWORK_POOLS if self.number is not None and self.number >= (3, 32) else ALL_POOLS

    @property
    def names_both_programmers(self) -> bool:
        """Whether Felix and BIRD are told apart, each by its own field, who of them programs the routes of pools without VXLAN."""
        return self.number is not None and self.number == (3, 32)

    @property
    def felix_may_own_cluster_routes(self) -> bool:
        """Whether Felix programs IPIP routes without being told to: from v3.33 on."""
        return self.number is None or self.number >= (3, 33)


def release(version: Optional[str]) -> Release:
    """``v3.30.7`` → v3.30; anything unreadable (``master``) is an unknown release."""
    match = _VERSION.match(version or "")
    return Release((int(match.group(1)), int(match.group(2))) if match else None)
