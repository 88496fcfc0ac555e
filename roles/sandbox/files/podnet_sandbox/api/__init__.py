# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox's Kubernetes API: objects in memory (`store`), the rules they obey, and the server in front of them."""
