# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kills ansible-playbook at the task PODNET_KILL_AT (counted from 1), and all that it started: a machine that goes dark.

With PODNET_KILL_AFTER it dies that many seconds into the task instead of before it. Where the play has fewer tasks it runs to
its end. The names of the tasks that were begun go to the file PODNET_KILL_LOG.
"""

from __future__ import annotations

import os
import signal
import threading

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: kill_at
type: aggregate
short_description: kills the run at a task
description: For the tests of interrupted runs.
"""


class CallbackModule(CallbackBase):
    """Counts the tasks as they begin."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "kill_at"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self):
        super().__init__()
        self._begun = 0
        self._at = int(os.environ.get("PODNET_KILL_AT", "0"))

    def v2_playbook_on_task_start(self, task, is_conditional):
        """Die here, or a moment later."""
        self._begun += 1
        with open(os.environ["PODNET_KILL_LOG"], "a", encoding="utf-8") as log:
            log.write(f"{self._begun} {task.get_name()}\n")
        if self._begun != self._at:
            return
        after = float(os.environ.get("PODNET_KILL_AFTER", "0"))
        if after:
            threading.Timer(after, _die).start()
        else:
            _die()


def _die():
    os.killpg(os.getpgrp(), signal.SIGKILL)
