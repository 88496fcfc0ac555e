# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calico IPAM: blocks, affinities, allocations and handles, kept as custom resources."""
