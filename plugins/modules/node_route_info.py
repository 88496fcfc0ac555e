#!/usr/bin/python
# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each node's kernel and BIRD know."""

from __future__ import annotations

DOCUMENTATION = r"""
module: node_route_info
short_description: Gathers routes, rules, links, sysctls and BGP sessions of Calico's nodes
version_added: "0.1.0"
author:
  - The podnet.calico authors (@podnet)
description:
  - Asks every selected node, through its C(calico-node) pod and by one command, for all that decides where it sends a
    packet.
  - A node without a running C(calico-node) pod is returned with the reason in RV(nodes[].unobserved).
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - podnet.calico.cluster
  - podnet.calico.attributes
  - podnet.calico.attributes.cluster
options:
  node_selector:
    description:
      - Label selector of the nodes to look into, for example V(topology.kubernetes.io/zone=a). Empty is all.
    type: str
seealso:
  - module: podnet.calico.pod_route_info
  - module: podnet.calico.routing_assert
"""

EXAMPLES = r"""
- name: What do the nodes know
  podnet.calico.node_route_info:
    kubeconfig: "{{ podnet_lab.kubeconfig }}"
  register: seen

- name: Show the routes that Felix made
  ansible.builtin.debug:
    msg: "{{ item.routes | selectattr('protocol', 'eq', '80') | map(attribute='dst') }}"
  loop: "{{ seen.nodes }}"
  loop_control:
    label: "{{ item.name }}"
"""

RETURN = r"""
nodes:
  description: The selected nodes, by name.
  returned: success
  type: list
  elements: dict
  contains:
    name: {description: Its name., type: str, returned: always, sample: pod-routing-worker}
    ready: {description: Whether Kubernetes calls it Ready., type: bool, returned: always}
    internal_ip: {description: Its InternalIP., type: str, returned: always, sample: 172.18.0.3}
    calico_address: {description: Its address for Calico with its mask., type: str, returned: always, sample: 172.18.0.3/16}
    vxlan_tunnel_address: {description: The address of its VXLAN device., type: str, returned: always}
    calico_node_pod: {description: The pod it was asked through., type: str, returned: always}
    routes: {description: The routes of table main., type: list, elements: dict, returned: always}
    other_tables: {description: The routes of all other tables., type: list, elements: dict, returned: always}
    rules: {description: Its policy rules., type: list, elements: dict, returned: always}
    links: {description: Its network devices., type: list, elements: dict, returned: always}
    addresses: {description: Its addresses., type: list, elements: dict, returned: always}
    neighbours: {description: Its neighbour entries., type: list, elements: dict, returned: always}
    fdb: {description: The forwarding entries of its VXLAN device., type: list, elements: dict, returned: always}
    sysctls:
      description: The settings that decide about forwarding, by name.
      type: dict
      returned: always
      sample: {"net.ipv4.ip_forward": "1"}
    bird: {description: BIRD's sessions and routes; none where it was not seen., type: dict, returned: always}
    masquerade: {description: What natOutgoing made of the node's NAT., type: dict, returned: always}
    unobserved: {description: What could not be seen and why., type: list, elements: dict, returned: always}
unobserved:
  description: Lists that could not be read, and why. What is there and should be returned may be missing for it.
  returned: success
  type: list
  elements: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.podnet.calico.plugins.module_utils._arguments import cluster_arguments, cluster_of, selectors_of
from ansible_collections.podnet.calico.plugins.module_utils._collect import API, NODES, collect
from ansible_collections.podnet.calico.plugins.module_utils._errors import PodnetError, fail_from
from ansible_collections.podnet.calico.plugins.module_utils._info import node_routes
from ansible_collections.podnet.calico.plugins.module_utils._plain import plain


def main():
    """Collect, and keep the nodes."""
    module = AnsibleModule(
        argument_spec=dict(cluster_arguments(), node_selector=dict(type="str")),
        supports_check_mode=True,
    )
    try:
        snapshot = collect(cluster_of(module), (API, NODES), selectors_of(module))
    except PodnetError as error:
        fail_from(module, error)
    module.exit_json(changed=False, nodes=node_routes(snapshot), unobserved=plain(snapshot.header.unobserved))


if __name__ == "__main__":
    main()
