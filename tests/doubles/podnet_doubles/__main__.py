# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a built double starts: it is the tool it was built as."""

from __future__ import annotations

import sys

from podnet_doubles import calicoctl, containerlab, keeper, kind
from podnet_doubles.built import load
from podnet_doubles.sandbox import KEEPER

_TOOLS = {"kind": kind.main, "containerlab": containerlab.main, "calicoctl": calicoctl.main}

built = load()
if sys.argv[1:2] == [KEEPER]:
    sys.exit(keeper.keep(built, *sys.argv[2:]))
sys.exit(_TOOLS[built.tool](built, sys.argv[1:]))
