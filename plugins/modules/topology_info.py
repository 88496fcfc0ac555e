#!/usr/bin/python
# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which nodes there are."""

from __future__ import annotations

DOCUMENTATION = r"""
module: topology_info
short_description: Gathers the nodes of a cluster, their state and addresses
version_added: "0.1.0"
author:
  - The podnet.calico authors (@podnet)
description:
  - Reads the nodes from the API. Works on any cluster, before Calico is installed too.
  - Of a lab in containers it is told what the host says of them, and holds the two against each other.
options:
  inspect:
    description:
      - What C(containerlab inspect -f json) printed, in the shape of releases up to 0.67 or of later ones, or what
        C(docker inspect) printed of the containers of a cluster that kind made alone.
      - Empty for a cluster whose nodes are no containers.
    type: str
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - podnet.calico.cluster
  - podnet.calico.attributes
  - podnet.calico.attributes.cluster
seealso:
  - module: podnet.calico.node_route_info
"""

EXAMPLES = r"""
- name: Which nodes are there
  podnet.calico.topology_info:
    kubeconfig: "{{ podnet_lab.kubeconfig }}"
  register: topology

- name: Ask containerlab
  ansible.builtin.command:
    argv: [containerlab, inspect, --topo, "{{ podnet_lab.dir }}/pod-routing.clab.yaml", --format, json]
  become: true
  changed_when: false
  register: inspection

- name: Nodes and containers are the same thing
  podnet.calico.topology_info:
    kubeconfig: "{{ podnet_lab.kubeconfig }}"
    inspect: "{{ inspection.stdout }}"
  register: topology
  failed_when: topology.disagreements | default([]) | length > 0

- name: All are Ready
  ansible.builtin.assert:
    that: topology.nodes | rejectattr('ready') | length == 0
"""

RETURN = r"""
server:
  description: The URL of the API server.
  returned: success
  type: str
  sample: https://127.0.0.1:6443
nodes:
  description: The nodes by name.
  returned: success
  type: list
  elements: dict
  contains:
    name: {description: Its name., type: str, returned: always, sample: pod-routing-control-plane}
    role: {description: V(control-plane) or V(worker)., type: str, returned: always, sample: control-plane}
    ready: {description: Whether Kubernetes calls it Ready., type: bool, returned: always}
    not_ready_reason: {description: Why it is not Ready., type: str, returned: always}
    internal_ip: {description: Its InternalIP., type: str, returned: always, sample: 172.18.0.2}
    calico_address: {description: Its address for Calico with its mask., type: str, returned: always, sample: 172.18.0.2/16}
    vxlan_tunnel_address: {description: The address of its VXLAN device., type: str, returned: always}
    ipip_tunnel_address: {description: The address of its IPIP device., type: str, returned: always}
    kubelet_version: {description: Its Kubernetes version., type: str, returned: always, sample: v1.32.13}
    os: {description: Its operating system., type: str, returned: always, sample: linux}
    container:
      description:
        - Its container, where O(inspect) names one, with C(lab), C(name), C(container_id), C(image), C(kind), C(state), C(ipv4),
          C(ipv6).
      type: dict
      returned: always
disagreements:
  description: Where nodes and containers are not the same thing, a sentence each. Empty without O(inspect).
  returned: success
  type: list
  elements: str
  sample: [pod-routing-worker2 is a node of the cluster and no container]
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.podnet.calico.plugins.module_utils import _topology
from ansible_collections.podnet.calico.plugins.module_utils._arguments import cluster_arguments, cluster_of
from ansible_collections.podnet.calico.plugins.module_utils._collect import nodes_only
from ansible_collections.podnet.calico.plugins.module_utils._errors import PodnetError, fail_from
from ansible_collections.podnet.calico.plugins.module_utils._info import disagreements, topology


def main():
    """List the nodes."""
    module = AnsibleModule(argument_spec=dict(cluster_arguments(), inspect=dict(type="str")), supports_check_mode=True)
    try:
        containers = _topology.containers(module.params["inspect"] or "")
    except ValueError as error:
        module.fail_json(msg="inspect is not what containerlab inspect -f json or docker inspect prints: %s" % error)
    try:
        cluster = cluster_of(module)
        nodes = nodes_only(cluster)
    except PodnetError as error:
        fail_from(module, error)
    differ = disagreements(nodes, containers) if module.params["inspect"] else []
    module.exit_json(changed=False, server=cluster.server, nodes=topology(nodes, containers), disagreements=differ)


if __name__ == "__main__":
    main()
