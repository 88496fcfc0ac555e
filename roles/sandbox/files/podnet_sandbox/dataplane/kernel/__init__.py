# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel room: makes `desired.py` true in real network namespaces, and runs what runs in pods."""

from __future__ import annotations

from .kernel import Kernel
from .workloads import (
    Answer,
    ContainerSpec,
    ContainerState,
    ExecFailed,
    ExitCallback,
    ForwardFailed,
    ImageUnknown,
    Mount,
    NotRunning,
    PodFile,
    PodHandle,
    PodProcessSpec,
    Session,
    WorkloadError,
)

__all__ = [
    "Answer",
    "ContainerSpec",
    "ContainerState",
    "ExecFailed",
    "ExitCallback",
    "ForwardFailed",
    "ImageUnknown",
    "Kernel",
    "Mount",
    "NotRunning",
    "PodFile",
    "PodHandle",
    "PodProcessSpec",
    "Session",
    "WorkloadError",
]
