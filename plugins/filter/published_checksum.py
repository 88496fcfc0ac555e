# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checksum of one file in what its publisher says."""

from __future__ import annotations

DOCUMENTATION = r"""
name: published_checksum
short_description: Finds the SHA-256 of a file in its publisher's checksum file
version_added: "0.1.0"
author:
  - The podnet.calico authors (@podnet)
positional: _input
description:
  - Understands a file with a checksum alone, and one with lines as C(sha256sum) writes them.
options:
  _input:
    description: The text of the checksum file.
    type: str
    required: true
  file:
    description: The name of the file whose checksum is wanted; a path's last part counts.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: What the publisher says of the file
  ansible.builtin.debug:
    msg: "{{ answer.content | podnet.calico.published_checksum('kind-linux-amd64') }}"
"""

RETURN = r"""
_value:
  description: The checksum; empty when the text has none of the file.
  type: str
"""

from typing import Any, Callable, Dict

from ansible_collections.podnet.calico.plugins.module_utils import _version_sets


def published_checksum(text: str, file: str) -> str:
    """The checksum of ``file``; see DOCUMENTATION."""
    return _version_sets.published_checksum(str(text), file)


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        """The filters of this file, by name."""
        return {"published_checksum": published_checksum}
