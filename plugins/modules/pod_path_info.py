#!/usr/bin/python
# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way of a packet from pod to pod."""

from __future__ import annotations

DOCUMENTATION = r"""
module: pod_path_info
short_description: Finds the path between two pods, hop by hop, with the route that decides each hop
version_added: "0.1.0"
author:
  - The podnet.calico authors (@podnet)
description:
  - Follows a packet through the routes that were observed, from the source's own table over the nodes to the destination's
    C(cali) device. Sends no packet.
  - A path that ends early is a result and not an error; RV(path.reason) says where and why.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - podnet.calico.cluster
  - podnet.calico.attributes
  - podnet.calico.attributes.cluster
options:
  source:
    description:
      - The pod that sends, as V(namespace/name), by V(name) where only one pod has it, or by address.
    type: str
    required: true
  destination:
    description:
      - The pod that the packet is for, in the same form.
    type: str
    required: true
  snapshots:
    description:
      - Files of M(podnet.calico.routing_snapshot) to look into instead of the cluster.
    type: list
    elements: path
    default: []
seealso:
  - module: podnet.calico.connectivity_assert
"""

EXAMPLES = r"""
- name: How does a packet get from one pod to the other
  podnet.calico.pod_path_info:
    kubeconfig: "{{ podnet_lab.kubeconfig }}"
    source: default/multitool
    destination: 192.168.112.197
  register: way

- name: Show it
  ansible.builtin.debug:
    msg: "{{ way.text }}"
"""

RETURN = r"""
path:
  description: The path.
  returned: success
  type: dict
  contains:
    source: {description: Who sends., type: str, returned: always, sample: default/multitool}
    destination: {description: Who is meant., type: str, returned: always, sample: default/multitool-1-wnszh}
    source_address: {description: The address of the source., type: str, returned: always, sample: 192.168.93.193}
    destination_address: {description: The address of the destination., type: str, returned: always, sample: 192.168.112.197}
    hops: {description: Each decision on the way with its route., type: list, elements: dict, returned: always}
    outcome: {description: "V(delivered), V(lost) or V(unknown).", type: str, returned: always, sample: delivered}
    reason: {description: Why it is lost or unknown., type: str, returned: always}
    ttl: {description: The TTL it arrives with if it left with 64., type: int, returned: always, sample: 62}
    encapsulated: {description: Whether any hop used a tunnel., type: bool, returned: always}
text:
  description: The path as lines for a person.
  returned: success
  type: list
  elements: str
  sample:
    - "pod default/multitool: default via 169.254.1.1 dev eth0"
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.podnet.calico.plugins.module_utils._arguments import cluster_arguments, cluster_of
from ansible_collections.podnet.calico.plugins.module_utils._collect import API, NODES, collect, pod_facts
from ansible_collections.podnet.calico.plugins.module_utils._errors import PodnetError, fail_from
from ansible_collections.podnet.calico.plugins.module_utils._fib import walk
from ansible_collections.podnet.calico.plugins.module_utils._info import path_lines
from ansible_collections.podnet.calico.plugins.module_utils._plain import plain
from ansible_collections.podnet.calico.plugins.module_utils._probe import find_pod
from ansible_collections.podnet.calico.plugins.module_utils._source import saved_snapshot


def argument_spec():
    """Cluster, or files; from where to where."""
    return dict(
        cluster_arguments(),
        source=dict(type="str", required=True),
        destination=dict(type="str", required=True),
        snapshots=dict(type="list", elements="path", default=[]),
    )


def find_path(module):
    """Walk from source to destination; on a live cluster, the source is asked for its own routes too."""
    params = module.params
    cluster = None if params["snapshots"] else cluster_of(module)
    snapshot = collect(cluster, (API, NODES)) if cluster else saved_snapshot(params["snapshots"])
    source, destination = find_pod(snapshot, params["source"]), find_pod(snapshot, params["destination"])
    for pod in (source, destination):
        if pod.host_network or not pod.address:
            raise PodnetError(
                "%s/%s has no address of its own in the pod network, so no path begins or ends there"
                % (pod.namespace, pod.name)
            )
    if cluster:
        source = source._replace(facts=pod_facts(cluster, source))
    return walk(snapshot, source, destination)


def main():
    """Find the path."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    try:
        path = find_path(module)
    except PodnetError as error:
        fail_from(module, error)
    module.exit_json(changed=False, path=plain(path), text=path_lines(path))


if __name__ == "__main__":
    main()
