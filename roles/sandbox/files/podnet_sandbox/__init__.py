# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An embedded Kubernetes cluster with Calico's pod routing: one process tree, real kernel, real BIRD."""
