# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes' protobuf, from the field tables: what kubectl's imperative commands send, and what clients built with Go ask for."""

from .encoding import encode, encode_event
from .wire import decode

__all__ = ["decode", "encode", "encode_event"]
