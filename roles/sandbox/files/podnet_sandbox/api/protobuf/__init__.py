# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes' protobuf, read only, for what kubectl's imperative commands send (`create`, `auth can-i`, `drain`, …)."""

from .wire import decode

__all__ = ["decode"]
