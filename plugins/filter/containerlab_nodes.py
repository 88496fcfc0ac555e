# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What containerlab lists, whatever its release."""

from __future__ import annotations

DOCUMENTATION = r"""
name: containerlab_nodes
short_description: Understands the output of containerlab inspect
version_added: "0.1.0"
author:
  - The podnet.calico authors (@podnet)
positional: _input
description:
  - Takes the JSON that C(containerlab inspect -f json) prints, in the shape of releases up to 0.67 and in that of later ones, and
    returns each container once.
options:
  _input:
    description: The text that containerlab printed.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: What containerlab deployed
  ansible.builtin.debug:
    msg: "{{ inspection.stdout | podnet.calico.containerlab_nodes | map(attribute='name') }}"
"""

RETURN = r"""
_value:
  description: The containers by name, each with C(lab), C(name), C(container_id), C(image), C(kind), C(state), C(ipv4), C(ipv6).
  type: list
  elements: dict
"""

from typing import Any, Callable, Dict, List

from ansible.errors import AnsibleFilterError
from ansible_collections.podnet.calico.plugins.module_utils import _topology


def containerlab_nodes(text: str) -> List[Dict[str, str]]:
    """The containers of ``text``; see DOCUMENTATION."""
    try:
        return [container._asdict() for container in _topology.containers(str(text))]
    except ValueError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        """The filters of this file, by name."""
        return {"containerlab_nodes": containerlab_nodes}
