# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The best path of each destination as BIRD on a node has it."""

from __future__ import annotations

DOCUMENTATION = r"""
name: birdcl_route
short_description: Reads what C(birdcl show route) printed
version_added: "0.1.0"
author:
  - The podnet.calico authors (@podnet)
positional: _input
description:
  - The best path of each destination as BIRD on a node has it, from what C(birdcl show route) printed. Of BIRD 1.6 as Calico
    ships it.
  - Where there is no best path, which a BIRD that runs always has, it is an error with what was printed.
options:
  _input:
    description: What the command printed, as text.
    type: str
    required: true
seealso:
  - plugin: podnet.calico.birdcl_protocols
    plugin_type: filter
"""

EXAMPLES = r"""
- name: The way to a block, by BGP
  ansible.builtin.assert:
    that: (printed | podnet.calico.birdcl_route | first).via == '172.18.0.4'
  vars:
    printed: |
      BIRD v0.3.3+birdv1.6.8 ready.
      192.168.112.192/26 via 172.18.0.4 on eth0 [Mesh_172_18_0_4 14:52:33] * (100/0) [i]
"""

RETURN = r"""
_value:
  description: The paths, each with C(dst), C(via), C(dev), C(protocol), C(mark) (V(*), or V(!) where the kernel did not take
    it), C(kind).
  type: list
  elements: dict
"""

from typing import Any, Callable, Dict, List

from ansible_collections.podnet.calico.plugins.module_utils import _bird
from ansible_collections.podnet.calico.plugins.plugin_utils._offline import listing


def birdcl_route(output: Any) -> List[Dict[str, Any]]:
    """The best path of each destination as BIRD on a node has it; see DOCUMENTATION."""
    return listing("birdcl_route", "birdcl show route", _bird.parse_bird_routes, output)


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        """The filters of this file, by name."""
        return {"birdcl_route": birdcl_route}
