# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programmes inside containers. Each file also runs alone, with the standard library and nothing of this package."""
