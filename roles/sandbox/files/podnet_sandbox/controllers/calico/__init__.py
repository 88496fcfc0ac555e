# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calico: the operator, what calico-node does at its start, and the collection of what nobody uses any more."""
