# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `kubectl get pods` shows of a pod that is not simply running."""

from __future__ import annotations

import pytest
from podnet_sandbox.api.kinds import builtin
from podnet_sandbox.api.tables import table


def shown(phase, states, init=(), specs=None):
    """READY, STATUS and RESTARTS of a pod with such containers: (state, ready, restarts, started)."""

    def statuses(given, prefix):
        return [
            {"name": f"{prefix}{n}", "state": state, "ready": ready, "restartCount": restarts, "started": started}
            for n, (state, ready, restarts, started) in enumerate(given)
        ]

    pod = {
        "metadata": {"name": "p", "namespace": "default"},
        "spec": {
            "containers": [{"name": f"c{n}"} for n in range(len(states))],
            "initContainers": [{"name": f"i{n}", **(specs or {}).get(n, {})} for n in range(len(init))],
        },
        "status": {"phase": phase, "containerStatuses": statuses(states, "c"), "initContainerStatuses": statuses(init, "i")},
    }
    (row,) = table(builtin().by_name("pods"), [pod], {})["rows"]
    return row["cells"][1:4]


RUNNING, DONE = {"running": {"startedAt": "2026-11-29T12:00:00Z"}}, {"terminated": {"exitCode": 0, "reason": "Completed"}}
WAITING = {"waiting": {"reason": "PodInitializing"}}


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (("Pending", [(WAITING, False, 0, False)], [(RUNNING, False, 0, False), (WAITING, False, 0, False)]), ["0/1", "Init:0/2", "0"]),
        (("Pending", [(WAITING, False, 0, False)], [(DONE, True, 0, False), (RUNNING, False, 0, False)]), ["0/1", "Init:1/2", "0"]),
        (("Pending", [(WAITING, False, 0, False)], [(DONE, True, 0, False)]), ["0/1", "PodInitializing", "0"]),
        (
            ("Pending", [(WAITING, False, 0, False)], [({"waiting": {"reason": "CrashLoopBackOff"}}, False, 2, False)]),
            ["0/1", "Init:CrashLoopBackOff", "2"],
        ),
        (("Running", [(RUNNING, True, 0, True)], [(RUNNING, True, 1, True)], {0: {"restartPolicy": "Always"}}), ["2/2", "Running", "1"]),
    ],
)
def test_init_containers_and_sidecars_are_shown_as_kubernetes_prints_them(cells, expected):
    assert shown(*cells) == expected
