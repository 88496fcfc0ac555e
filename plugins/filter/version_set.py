# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A set of versions with everything that follows from it."""

from __future__ import annotations

DOCUMENTATION = r"""
name: version_set
short_description: Returns a set of versions with the files it means
version_added: "0.1.0"
author:
  - The podnet.calico authors (@podnet)
positional: _input
description:
  - Picks a set in which P(podnet.calico.version_set_errors#filter) finds no error, and says which files it means on a host, what a
    person should know of it, and where Calico's manifests will be.
options:
  _input:
    description: The sets by name, in the shape of the role lab's O(podnet.calico.lab#role:main:podnet_version_sets).
    type: dict
    required: true
  name:
    description: The name of the set.
    type: str
    required: true
  architecture:
    description: The host's architecture, as C(uname -m) says it.
    type: str
    required: true
  tools_dir:
    description: The folder below which the files are installed.
    type: str
    required: true
  urls:
    description: URL templates, with C({version}) and C({file}), that take the place of the publishers'.
    type: dict
    default: {}
  package:
    description: The form in which containerlab comes; empty where it is not used.
    type: str
    choices: ["", tar.gz, deb, rpm]
    default: ""
  node_images:
    description: Digests of node images by kind release and Kubernetes release, for sets that give no image.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Which files the set means
  ansible.builtin.debug:
    msg: "{{ (podnet_version_sets | podnet.calico.version_set('mine', 'x86_64', '/opt/podnet')).artefacts }}"
"""

RETURN = r"""
_value:
  description:
    - The set, and with it C(artefacts) (C(tool), C(version), C(file), C(url), C(checksums_url), C(sha256), C(member) of an archive,
      C(path), C(mode)), C(notes) (sentences) and C(calico_manifests) (C(crds), C(operator)).
  type: dict
"""

from typing import Any, Callable, Dict, Mapping, Optional

from ansible.errors import AnsibleFilterError
from ansible_collections.podnet.calico.plugins.module_utils import _version_sets


def version_set(
    sets: Mapping[str, Any],
    name: str,
    architecture: str,
    tools_dir: str,
    urls: Optional[Mapping[str, str]] = None,
    package: str = "",
    node_images: Optional[Mapping[str, Any]] = None,
) -> Dict[str, Any]:
    """The set ``name`` and what follows from it; see DOCUMENTATION."""
    unknown = sorted(set(urls or {}) - set(_version_sets.url_names()))
    if unknown:
        raise AnsibleFilterError(
            "podnet_download_urls has %s, which nothing is downloaded by. The names are %s"
            % (", ".join(unknown), ", ".join(_version_sets.url_names()))
        )
    chosen = _version_sets.completed(sets, node_images or {})[name]
    artefacts = _version_sets.artefacts(chosen, architecture, urls or {}, package or None)
    for artefact in artefacts:
        artefact["path"] = "%s/%s" % (tools_dir, artefact["path"])
    return dict(
        chosen,
        artefacts=artefacts,
        notes=_version_sets.notes(chosen),
        calico_manifests=_version_sets.manifests(artefacts),
    )


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        """The filters of this file, by name."""
        return {"version_set": version_set}
