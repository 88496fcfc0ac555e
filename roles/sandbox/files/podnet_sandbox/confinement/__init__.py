# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a process of the sandbox may see and do: namespaces, root file system, capabilities. Linux only."""
