# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Options of every module that talks to a cluster; authentication itself is kubernetes.core.k8s_auth_options."""

from __future__ import annotations


class ModuleDocFragment:
    """O(concurrency), O(exec_timeout), O(deadline); and, as C(selection), which nodes and pods are asked."""

    DOCUMENTATION = r"""
options:
  concurrency:
    description:
      - How many commands run at a time, all nodes and pods together.
    type: int
    default: 16
  exec_timeout:
    description:
      - Seconds that one command in one pod may take. What it printed until then is used.
    type: float
    default: 15
  deadline:
    description:
      - Seconds that the module may spend on the cluster. What was not seen by then is reported as not observed.
    type: float
    default: 300
requirements:
  - python >= 3.9
  - kubernetes >= 24.2.0 (Python library)
notes:
  - The module runs C(ip), C(birdcl) and the like through C(pods/exec), which needs the verbs V(get) and
    V(create) on C(pods/exec) in the namespace of C(calico-node), and, for evidence from pods, in theirs.
    Exec into C(calico-node) is root on the node.
  - Runs where the cluster's API can be reached, normally on localhost with
    C(ansible_python_interpreter={{ ansible_playbook_python }}).
"""

    SELECTION = r"""
options:
  node_selector:
    description:
      - Label selector of the nodes to look into, for example V(topology.kubernetes.io/zone=a). Empty is all.
    type: str
  pod_selector:
    description:
      - Label selector of the pods to look into, for example V(app in (multitool-1, multitool-2)). Empty is all.
      - Pods on the host's network, and pods that are not running, are never looked into.
      - Where all that was to be looked into is left out by the selectors and O(namespaces), the verdict is V(inconclusive).
    type: str
  namespaces:
    description:
      - Namespaces of the pods to look into. Empty is all.
    type: list
    elements: str
    default: []
"""

    EVIDENCE = r"""
options:
  evidence:
    description:
      - What to look at. V(api) is always read. V(nodes) runs one command on each node, V(pods) one in each pod.
      - V(probes) sends pings from one pod to another, once on one node and once across nodes, and captures them where they
        arrive. It needs C(ping) and C(tcpdump) in the selected pods.
    type: list
    elements: str
    choices: [api, nodes, pods, probes]
    default: [api, nodes]
  ping_count:
    description:
      - How many packets each probe sends.
    type: int
    default: 4
"""
