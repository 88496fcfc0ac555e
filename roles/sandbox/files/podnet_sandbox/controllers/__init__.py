# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes objects come true: scheduling, workloads, services, nodes, pods, and Calico's operator."""
