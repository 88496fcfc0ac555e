# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Named faults (private): how each is made in a lab, and healed again, from any machine; `docs/faults.md` is written from them."""

from __future__ import annotations

from typing import Dict

from . import in_ipam, on_nodes, on_pods
from .entry import Entry, Fault
from .making import Lab, Outcome, said

FAULTS: Dict[str, Fault] = {fault.name: fault for fault in on_nodes.FAULTS + on_pods.FAULTS + in_ipam.FAULTS}

__all__ = ["FAULTS", "Entry", "Fault", "Lab", "Outcome", "said"]
