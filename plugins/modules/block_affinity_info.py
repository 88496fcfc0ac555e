#!/usr/bin/python
# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which node owns which address block."""

from __future__ import annotations

DOCUMENTATION = r"""
module: block_affinity_info
short_description: Gathers Calico's pools, address blocks and their owners
version_added: "0.1.0"
author:
  - The podnet.calico authors (@podnet)
description:
  - Reads pools, blocks, affinities and allocations from the API, and counts their use. Runs no command in any pod.
  - Where the objects contradict each other, RV(contradictions) says so.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - podnet.calico.cluster
  - podnet.calico.attributes
  - podnet.calico.attributes.cluster
seealso:
  - module: podnet.calico.routing_assert
"""

EXAMPLES = r"""
- name: Who owns which block
  podnet.calico.block_affinity_info:
    kubeconfig: "{{ podnet_lab.kubeconfig }}"
  register: ipam

- name: Show it
  ansible.builtin.debug:
    var: ipam.by_node
"""

RETURN = r"""
pools:
  description: The pools, with how many blocks they have and how many of their addresses are in use.
  returned: success
  type: list
  elements: dict
  sample: [{"name": "default-ipv4-ippool", "cidr": "192.168.0.0/16", "blocks": 3, "addresses": 65536, "in_use": 13}]
blocks:
  description: The blocks by address, each with its owner and its allocations.
  returned: success
  type: list
  elements: dict
  sample: [{"cidr": "192.168.93.192/26", "node": "pod-routing-worker", "addresses": 64, "in_use": 4, "free": 60}]
affinities:
  description: The affinities, which say to whom a block was promised.
  returned: success
  type: list
  elements: dict
by_node:
  description: The blocks of each node.
  returned: success
  type: dict
  sample: {"pod-routing-worker": ["192.168.93.192/26"]}
contradictions:
  description: What does not agree between pools, blocks, affinities, allocations and pods, one sentence each.
  returned: success
  type: list
  elements: str
unobserved:
  description: Lists that could not be read, and why.
  returned: success
  type: list
  elements: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.podnet.calico.plugins.module_utils._arguments import cluster_arguments, cluster_of
from ansible_collections.podnet.calico.plugins.module_utils._collect import API, collect
from ansible_collections.podnet.calico.plugins.module_utils._errors import PodnetError, fail_from
from ansible_collections.podnet.calico.plugins.module_utils._info import contradictions, ipam
from ansible_collections.podnet.calico.plugins.module_utils._plain import plain


def main():
    """Collect from the API alone, and keep what concerns addresses."""
    module = AnsibleModule(argument_spec=cluster_arguments(), supports_check_mode=True)
    try:
        snapshot = collect(cluster_of(module), (API,))
    except PodnetError as error:
        fail_from(module, error)
    module.exit_json(
        changed=False,
        contradictions=contradictions(snapshot),
        unobserved=plain(snapshot.header.unobserved),
        **ipam(snapshot)
    )


if __name__ == "__main__":
    main()
