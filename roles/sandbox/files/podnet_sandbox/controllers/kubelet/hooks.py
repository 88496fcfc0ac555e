# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""postStart and preStop: a command in the container, a GET to it, or a pause."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from ...dataplane.kernel import WorkloadError
from .node import PodContext
from .probes import asker

#: A hook may take as long as it likes: who runs it sets the limit.
_FOREVER = 86400.0


class HookFailed(Exception):
    """The hook did not do what it was to do."""


async def run_hook(context: PodContext, container: Mapping[str, Any], hook: Mapping[str, Any]) -> None:
    """Run ``hook`` of ``container``. Raises `HookFailed`."""
    if "sleep" in hook:
        await asyncio.sleep(hook["sleep"]["seconds"])
        return
    probe = {**hook, "timeoutSeconds": _FOREVER}
    ask = asker(context.node.kernel, context.pod, container, probe, context.facts.pod_ip)
    try:
        done = await ask()
    except WorkloadError as error:
        raise HookFailed(str(error)) from error
    if not done:
        raise HookFailed(done.why)
