# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SPDY/3.1 as Kubernetes' clients speak it over an upgraded connection: frames, header blocks, streams.

Written from the draft draft-mbelshe-httpbis-spdy-00 and its revision 3.1; no library on PyPI that is kept does it.
"""

from .connection import Connection, Refused
from .frames import ProtocolError

__all__ = ["Connection", "ProtocolError", "Refused"]
