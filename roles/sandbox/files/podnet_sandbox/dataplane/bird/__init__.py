# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real BIRD on each node: its configuration as confd renders it, its life, its control socket."""
