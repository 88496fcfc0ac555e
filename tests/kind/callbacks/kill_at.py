# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kills ansible-playbook as the task PODNET_KILL_AT begins; or, without a name, as the first one begins that killed no run before.

Between two tasks nothing else is at work, so this process is all there is to kill. The places at which runs were killed are in the file
PODNET_KILLED, a line for each. Where there is no such task, the play runs to its end.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from pathlib import Path

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: kill_at
type: aggregate
short_description: kills the run at a task
description: For the tests of interrupted runs.
"""
#: A task that a run comes to more often, as in a loop over files, is killed at so many times.
_OFTEN = 3


class CallbackModule(CallbackBase):
    """Knows each task by where it is written and the how manyeth time the run comes to it."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "kill_at"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self):
        super().__init__()
        self._at, self._journal = os.environ["PODNET_KILL_AT"], Path(os.environ["PODNET_KILLED"])
        self._killed = self._journal.read_text(encoding="utf-8").splitlines() if self._journal.exists() else []
        self._times = Counter()

    def v2_playbook_on_task_start(self, task, is_conditional):
        """Die here, if it is the place."""
        name, written = task.get_name().rpartition(" : ")[2], task.get_path()
        self._times[written] += 1
        place = f"{written} {self._times[written]} {name}"
        if name == self._at if self._at else self._times[written] <= _OFTEN and place not in self._killed:
            with self._journal.open("a", encoding="utf-8") as journal:
                journal.write(f"{place}\n")
            os.killpg(os.getpgrp(), signal.SIGKILL)
