# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections that stay open: exec, attach and port-forward over SPDY/3.1 and over WebSocket, one session object under both."""
