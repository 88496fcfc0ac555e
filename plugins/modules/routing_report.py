#!/usr/bin/python
# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verdicts as documents."""

from __future__ import annotations

DOCUMENTATION = r"""
module: routing_report
short_description: Writes verdicts as one HTML page, JUnit, Markdown, text or JSON
version_added: "0.1.0"
author:
  - The podnet.calico authors (@podnet)
description:
  - Reads files that M(podnet.calico.routing_assert) or M(podnet.calico.connectivity_assert) wrote and renders them, several
    as one. Needs no cluster.
  - With the snapshot that was judged, the HTML page is the lesson itself. Each exercise with this cluster's commands, their
    outputs and the proof.
  - The reports are the output of a run and not the state of a system, so the task reports RV(ignore:changed=false). Check
    mode writes nothing.
extends_documentation_fragment:
  - podnet.calico.attributes
options:
  verdicts:
    description:
      - The verdict files.
    type: list
    elements: path
    required: true
  snapshot:
    description:
      - The snapshot that was judged. By default the one that the first verdict names, if it is still there.
    type: path
  formats:
    description:
      - What to write.
    type: list
    elements: str
    choices: [html, junit, json, markdown, text]
    default: [html]
  dest:
    description:
      - The folder to write to, which must exist. The files are C(report.html), C(report.xml) (JUnit), C(report.md),
        C(report.txt) and C(report.json).
    type: path
    required: true
  title:
    description:
      - The title of the reports.
    type: str
    default: Calico pod routing
seealso:
  - module: podnet.calico.routing_assert
"""

EXAMPLES = r"""
- name: A page to read and a file for the CI system
  podnet.calico.routing_report:
    verdicts: ["{{ run_dir }}/verdict.json"]
    formats: [html, junit]
    dest: "{{ run_dir }}"
"""

RETURN = r"""
reports:
  description: The files that were written, by format; none in check mode.
  returned: success
  type: dict
  sample: {"html": "/home/me/.local/state/podnet/pod-routing/runs/latest/report.html"}
"""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.podnet.calico.plugins.module_utils import _report, _run_folder, _verdict_file
from ansible_collections.podnet.calico.plugins.module_utils._errors import PodnetError, fail_from
from ansible_collections.podnet.calico.plugins.module_utils._source import saved_snapshot


def judged_snapshot(named, remembered):
    """The snapshot that the task names, which must be there, or the one that a verdict remembers, if it still is."""
    if named:
        return saved_snapshot([named])
    return saved_snapshot([remembered]) if remembered and os.path.exists(remembered) else None


def write_reports(params):
    """The paths of the reports by format."""
    saved = [_verdict_file.read(path) for path in params["verdicts"]]
    snapshot = judged_snapshot(params["snapshot"], saved[0].snapshot_path)
    return _run_folder.render_to([one.verdict for one in saved], snapshot, params["formats"], params["dest"], params["title"])


def main():
    """Read, render, write."""
    module = AnsibleModule(
        argument_spec=dict(
            verdicts=dict(type="list", elements="path", required=True),
            snapshot=dict(type="path"),
            formats=dict(type="list", elements="str", choices=list(_report.FORMATS), default=["html"]),
            dest=dict(type="path", required=True),
            title=dict(type="str", default=_report.TITLE),
        ),
        supports_check_mode=True,
    )
    try:
        if not module.params["verdicts"]:
            raise PodnetError("verdicts is empty", "Name at least one verdict file.")
        reports = {} if module.check_mode else write_reports(module.params)
    except (PodnetError, ValueError) as error:
        fail_from(module, error if isinstance(error, PodnetError) else PodnetError(str(error)))
    module.exit_json(changed=False, reports=reports)


if __name__ == "__main__":
    main()
