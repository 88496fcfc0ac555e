# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose cluster is on a Docker host."""

from __future__ import annotations

DOCUMENTATION = r"""
name: docker_lab
short_description: Says what there is of a lab on a Docker host, and whose it is
version_added: "0.1.0"
author:
  - The podnet.calico authors (@podnet)
positional: _input
description:
  - Finds kind's containers by their label, and holds them against the records of the lab folder. Changes nothing, asks nobody.
options:
  _input:
    description: What M(community.docker.docker_host_info) returned, with O(community.docker.docker_host_info#module:containers),
      O(community.docker.docker_host_info#module:networks) and O(community.docker.docker_host_info#module:verbose_output).
    type: dict
    required: true
  cluster:
    description: The name of the cluster.
    type: str
    required: true
  network:
    description: The name of the nodes' Docker network.
    type: str
    required: true
  building:
    description: The intention of a build that has not come to its end; empty where there is none.
    type: dict
    default: {}
  recorded:
    description: The record of a build that has come to its end; empty where there is none.
    type: dict
    default: {}
  subnets:
    description: The values of C(podnet_node_subnet), C(podnet_pod_subnet) and C(podnet_service_subnet) by name, to be held against
      the networks there are. Empty to leave that out.
    type: dict
    default: {}
  managed:
    description: The subnet of containerlab's management network; empty where it makes none.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: What there is of the lab
  ansible.builtin.debug:
    msg: "{{ (docker_host | podnet.calico.docker_lab('pod-routing', 'kind')).state }}"
"""

RETURN = r"""
_value:
  description:
    - C(state) (V(absent), V(running), V(stopped), V(incomplete), V(half_built) or V(foreign)), C(reason), C(uuid), C(nodes) (C(id),
      C(name), C(role), C(running), C(state), C(created), C(addresses)), C(start_order) (the
      recorded containers' ids), C(network) and C(other_networks) (C(name), C(id), C(subnets),
      C(lab), C(mtu)), C(now) (the host's time), C(errors) (of the subnets, as sentences).
  type: dict
"""

from typing import Any, Callable, Dict, Mapping, Optional

from ansible_collections.podnet.calico.plugins.module_utils import _docker_lab


def docker_lab(
    host: Mapping[str, Any],
    cluster: str,
    network: str,
    building: Optional[Mapping[str, Any]] = None,
    recorded: Optional[Mapping[str, Any]] = None,
    subnets: Optional[Mapping[str, str]] = None,
    managed: str = "",
) -> Dict[str, Any]:
    """What there is, with the errors of the subnets; see DOCUMENTATION."""
    found = _docker_lab.describe(host, cluster, network, building, recorded)
    found["errors"] = _docker_lab.subnet_errors(found, network, subnets, managed or None) if subnets else []
    return found


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        """The filters of this file, by name."""
        return {"docker_lab": docker_lab}
