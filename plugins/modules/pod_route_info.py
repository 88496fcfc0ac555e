#!/usr/bin/python
# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each pod sees of the network, and its host of the pod."""

from __future__ import annotations

DOCUMENTATION = r"""
module: pod_route_info
short_description: Gathers the routes of Calico's pods, from inside and from their hosts
version_added: "0.1.0"
author:
  - The podnet.calico authors (@podnet)
description:
  - Asks every selected pod for its links, addresses, routes and neighbours, by one command per pod, and its node for the
    device and the route that lead to it, by one command per node.
  - A pod that has no C(ip) or no shell is returned with the reason in RV(pods[].unobserved). It is not an error.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - podnet.calico.cluster
  - podnet.calico.cluster.selection
  - podnet.calico.attributes
  - podnet.calico.attributes.cluster
seealso:
  - module: podnet.calico.node_route_info
  - module: podnet.calico.routing_assert
"""

EXAMPLES = r"""
- name: What do the multitool pods see
  podnet.calico.pod_route_info:
    kubeconfig: "{{ podnet_lab.kubeconfig }}"
    pod_selector: app in (multitool-1, multitool-2)
  register: seen

- name: Every pod of Calico has its default route by 169.254.1.1
  ansible.builtin.assert:
    that: item.routes | selectattr('dst', 'eq', '0.0.0.0/0') | map(attribute='gateway') | list == ['169.254.1.1']
  loop: "{{ seen.pods }}"
  loop_control:
    label: "{{ item.namespace }}/{{ item.name }}"
"""

RETURN = r"""
pods:
  description: The selected pods, by namespace and name.
  returned: success
  type: list
  elements: dict
  contains:
    namespace: {description: Its namespace., type: str, returned: always, sample: default}
    name: {description: Its name., type: str, returned: always, sample: multitool-1-ck66k}
    node: {description: The node it runs on., type: str, returned: always, sample: pod-routing-worker}
    owner: {description: Kind and name of what keeps it running., type: str, returned: always, sample: DaemonSet/multitool-1}
    address: {description: Its address in the API., type: str, returned: always, sample: 192.168.93.194}
    interface: {description: Its network device., type: str, returned: always, sample: eth0}
    mtu: {description: The MTU of its device in bytes., type: int, returned: always, sample: 1450}
    addresses: {description: The addresses of its device., type: list, elements: dict, returned: always}
    routes:
      description: Its routes. A destination always carries its prefix length.
      type: list
      elements: dict
      returned: always
      sample: [{"dst": "0.0.0.0/0", "gateway": "169.254.1.1", "dev": "eth0"}]
    gateway_neighbour:
      description: Its neighbour entry for Calico's gateway 169.254.1.1, none if it has not spoken yet.
      type: dict
      returned: always
    neighbours: {description: All its neighbour entries., type: list, elements: dict, returned: always}
    host:
      description:
        - The host's side. The name of the C(cali) device follows from namespace and name; C(routes) are the routes of the
          node to exactly this address, of which there must be one.
      type: dict
      returned: always
    unobserved:
      description: What could not be seen in the pod, the command, and why.
      type: list
      elements: dict
      returned: always
unobserved:
  description: Lists that could not be read, and why. What is there and should be returned may be missing for it.
  returned: success
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
from ansible_collections.podnet.calico.plugins.module_utils._collect import EVIDENCE, collect
from ansible_collections.podnet.calico.plugins.module_utils._errors import PodnetError, fail_from
from ansible_collections.podnet.calico.plugins.module_utils._info import pod_routes
from ansible_collections.podnet.calico.plugins.module_utils._plain import plain


def main():
    """Collect, and keep the pods."""
    module = AnsibleModule(
        argument_spec=dict(cluster_arguments(), **selection_arguments()),
        supports_check_mode=True,
    )
    try:
        snapshot = collect(cluster_of(module), EVIDENCE, selectors_of(module))
    except PodnetError as error:
        fail_from(module, error)
    module.exit_json(changed=False, pods=pod_routes(snapshot), unobserved=plain(snapshot.header.unobserved))


if __name__ == "__main__":
    main()
