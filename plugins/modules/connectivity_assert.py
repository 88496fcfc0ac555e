#!/usr/bin/python
# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real packets between pods."""

from __future__ import annotations

DOCUMENTATION = r"""
module: connectivity_assert
short_description: Proves with real packets that pods reach each other the way Calico routes them
version_added: "0.1.0"
author:
  - The podnet.calico authors (@podnet)
description:
  - Pings from one pod to another while C(tcpdump) listens in the destination, and judges loss, TTL, whether the source
    address arrived untouched, and whether the packets went through a tunnel.
  - Needs C(ping) in the sources and C(tcpdump) in the destinations. What is missing makes the check V(inconclusive).
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - podnet.calico.cluster
  - podnet.calico.cluster.selection
  - podnet.calico.verdict
  - podnet.calico.attributes
  - podnet.calico.attributes.cluster
options:
  pairs:
    description:
      - Who pings whom. Empty is one pair on one node and one across nodes, chosen among the selected pods, the same ones
        from run to run.
    type: list
    elements: dict
    default: []
    suboptions:
      source:
        description: The pod that pings, as V(namespace/name), or V(name) where only one pod has it.
        type: str
        required: true
      destination:
        description: The pod that is pinged, in the same form.
        type: str
        required: true
  count:
    description:
      - How many packets each source sends.
    type: int
    default: 4
  interval:
    description:
      - Seconds between two packets. Less than 0.2 is for root only in many images.
    type: float
    default: 0.2
  payload:
    description:
      - Bytes of payload, without the 28 bytes of the IP and ICMP headers. The second pair sends one byte more, and so on, by
        which their packets are told apart.
    type: int
    default: 60
  dont_fragment:
    description:
      - Whether to forbid fragmentation, to prove that packets of this size fit. Needs C(ping) of iputils.
    type: bool
    default: false
seealso:
  - module: podnet.calico.routing_assert
  - module: podnet.calico.pod_path_info
"""

EXAMPLES = r"""
- name: One pair on a node and one across nodes
  podnet.calico.connectivity_assert:
    kubeconfig: "{{ podnet_lab.kubeconfig }}"
    pod_selector: app in (multitool-1, multitool-2)

- name: A packet of the full MTU of 1450 bytes arrives in one piece
  podnet.calico.connectivity_assert:
    pairs:
      - source: default/multitool
        destination: default/multitool-1-wnszh
    payload: 1422
    dont_fragment: true
"""

RETURN = r"""
msg:
  description: The verdict in one line; enough on its own.
  returned: always
  type: str
  sample: "2 of 142 checks failed: pod-routing-worker2 has no route to 192.168.93.192/26"
schema_version:
  description: The version of the shape of the verdict.
  returned: always
  type: int
  sample: 1
summary:
  description: How many checks ended how, one per check and node.
  returned: always
  type: dict
  sample: {"total": 148, "passed": 140, "failed": 2, "warning": 0, "skipped": 6, "inconclusive": 0}
results:
  description: Each check on each node (or on the cluster), with its subjects counted by outcome.
  returned: always
  type: list
  elements: dict
  sample: [{"id": "blocks.remote-route", "node": "pod-routing-worker", "outcome": "passed", "subjects": {"checked": 2}}]
findings:
  description:
    - Everything that did not pass, with what was expected, what was found, what to do, and the command that shows it.
  returned: always
  type: list
  elements: dict
verdict_path:
  description: The file that holds the whole verdict, if one was written.
  returned: always
  type: str
snapshot_path:
  description: The file that holds what was judged, if there is one.
  returned: always
  type: str
screen:
  description:
    - The verdict as lines for a terminal. Which cluster it is, what was proved, what is wrong by cause, with the command that
      puts it right, what was not seen, and what was left out and why. Printable characters only, whatever a cluster called its
      things.
  returned: always
  type: list
  elements: str
  sample: ["Proved       8 of 10 checks passed, 2 failed"]
probes:
  description: What was sent, answered and captured, pair by pair.
  returned: always
  type: list
  elements: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.podnet.calico.plugins.module_utils._arguments import (
    cluster_arguments,
    cluster_of,
    selection_arguments,
    selectors_of,
)
from ansible_collections.podnet.calico.plugins.module_utils._collect import API, collect
from ansible_collections.podnet.calico.plugins.module_utils._errors import PodnetError, fail_from
from ansible_collections.podnet.calico.plugins.module_utils._judgement import finish, judge, verdict_arguments
from ansible_collections.podnet.calico.plugins.module_utils._plain import plain
from ansible_collections.podnet.calico.plugins.module_utils._probe import Pair, Ping, find_pod
from ansible_collections.podnet.calico.plugins.module_utils._source import with_probes


def argument_spec():
    """Cluster, selection and verdict; and what to send."""
    return dict(
        cluster_arguments(),
        pairs=dict(
            type="list",
            elements="dict",
            default=[],
            options=dict(source=dict(type="str", required=True), destination=dict(type="str", required=True)),
        ),
        count=dict(type="int", default=4),
        interval=dict(type="float", default=0.2),
        payload=dict(type="int", default=60),
        dont_fragment=dict(type="bool", default=False),
        **dict(selection_arguments(), **verdict_arguments())
    )


def named_pairs(snapshot, pairs):
    """The pairs that the task names."""
    return [Pair(find_pod(snapshot, pair["source"]), find_pod(snapshot, pair["destination"])) for pair in pairs]


def main():
    """Collect, probe, judge the packets."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    params = module.params
    try:
        cluster = cluster_of(module)
        snapshot = collect(cluster, (API,), selectors_of(module))
        ping = Ping(params["count"], params["interval"], params["payload"], params["dont_fragment"])
        snapshot = with_probes(cluster, snapshot, ping, named_pairs(snapshot, params["pairs"]))
        verdict = judge(module, snapshot, ["connectivity.*"])
        finish(module, snapshot, verdict, probes=plain(snapshot.probes))
    except PodnetError as error:
        fail_from(module, error)


if __name__ == "__main__":
    main()
