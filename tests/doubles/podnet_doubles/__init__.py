# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Doubles of kind, containerlab and calicoctl: their command lines over idle containers and the project's sandbox."""
