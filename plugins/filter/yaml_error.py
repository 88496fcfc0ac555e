# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps a text from being read as YAML."""

from __future__ import annotations

DOCUMENTATION = r"""
name: yaml_error
short_description: Says what keeps a text from being read as YAML
version_added: "0.1.0"
author:
  - The podnet.calico authors (@podnet)
positional: _input
description:
  - A file that somebody names can hold anything. This says what is wrong with it before C(from_yaml) fails on it.
  - The text itself is never part of what is said, for a kubeconfig holds credentials.
options:
  _input:
    description: The text of the file.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Refuse a file that is no YAML
  ansible.builtin.assert:
    that: error | length == 0
    fail_msg: "{{ path }}: {{ error }}"
  vars:
    error: "{{ lookup('ansible.builtin.file', path) | podnet.calico.yaml_error }}"
"""

RETURN = r"""
_value:
  description: What is wrong; empty for YAML.
  type: str
"""

from typing import Any, Callable, Dict

import yaml


def yaml_error(text: str) -> str:
    """What keeps ``text`` from being YAML; see DOCUMENTATION."""
    try:
        yaml.safe_load(str(text))
    except yaml.MarkedYAMLError as error:
        line = "line %d: " % (error.problem_mark.line + 1) if error.problem_mark else ""
        return "it is no YAML (%s%s)" % (line, error.problem)
    except (yaml.YAMLError, ValueError):
        return "it holds no text"
    return ""


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        """The filters of this file, by name."""
        return {"yaml_error": yaml_error}
