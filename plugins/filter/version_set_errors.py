# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a set of versions, before anything is obtained."""

from __future__ import annotations

DOCUMENTATION = r"""
name: version_set_errors
short_description: Says why a set of versions cannot be used on a lab host
version_added: "0.1.0"
author:
  - The podnet.calico authors (@podnet)
positional: _input
description:
  - Holds a set of versions against itself and against the host, without asking anybody, and returns every error, not the first
    only. Each names the set, the value and the remedy.
options:
  _input:
    description: The sets by name, in the shape of the role lab's O(podnet.calico.lab#role:main:podnet_version_sets).
    type: dict
    required: true
  name:
    description: The name of the set that is to be used.
    type: str
    required: true
  architecture:
    description: The host's architecture, as C(uname -m) says it.
    type: str
    required: true
  cgroup:
    description: The version of the host's control groups, 1 or 2.
    type: int
    required: true
  containerlab:
    description: Whether containerlab makes the cluster.
    type: bool
    default: true
  node_images:
    description: Digests of node images by kind release and Kubernetes release, for sets that give no image.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Refuse versions that do not fit each other
  ansible.builtin.assert:
    that: errors | length == 0
    fail_msg: "{{ errors | join('\n') }}"
  vars:
    errors: "{{ podnet_version_sets | podnet.calico.version_set_errors('mine', architecture='x86_64', cgroup=2) }}"
"""

RETURN = r"""
_value:
  description: One sentence per error; empty when the set can be used.
  type: list
  elements: str
"""

from typing import Any, Callable, Dict, List, Mapping, Optional

from ansible.errors import AnsibleFilterError
from ansible_collections.podnet.calico.plugins.module_utils import _version_sets


def version_set_errors(
    sets: Mapping[str, Any],
    name: str,
    architecture: str,
    cgroup: int,
    containerlab: bool = True,
    node_images: Optional[Mapping[str, Any]] = None,
) -> List[str]:
    """Every error of the set ``name``, as sentences; see DOCUMENTATION."""
    if not isinstance(sets, Mapping):
        raise AnsibleFilterError("version_set_errors wants a dict of sets by name, got %s" % type(sets).__name__)
    return _version_sets.errors(name, _version_sets.completed(sets, node_images or {}), architecture, int(cgroup), containerlab)


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        """The filters of this file, by name."""
        return {"version_set_errors": version_set_errors}
