# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From API objects to kernel routes: the calculation, the reconciler, the kernel."""
