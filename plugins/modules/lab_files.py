#!/usr/bin/python
# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write or remove the text files of a lab folder, all in one task."""

from __future__ import annotations

DOCUMENTATION = r"""
module: lab_files
short_description: Writes or removes the text files of a lab folder in one task
version_added: "0.1.0"
author:
  - The podnet.calico authors (@podnet)
description:
  - Creates the folder and writes each file whose content or mode differs, atomically. Or removes the files, and the folders
    that become empty with them.
  - C(ansible.builtin.copy) and C(ansible.builtin.template) write one file in a task of half a second or more. A lab has
    eight, so they would be a third of a run that changes nothing.
options:
  dir:
    description: The folder. It is created with O(dir_mode) where it does not exist.
    type: path
    required: true
  dir_mode:
    description: The mode of the folder and of each folder made below it, octal.
    type: str
    default: "0700"
  files:
    description: The files.
    type: list
    elements: dict
    required: true
    suboptions:
      path:
        description: Where, relative to O(dir) and inside it.
        type: str
        required: true
      content:
        description: The whole text; required with O(state=present).
        type: str
      mode:
        description: The file's mode, octal.
        type: str
        default: "0600"
  state:
    description: Whether the files are to be there. V(absent) also removes each folder that has become empty, O(dir) included.
    type: str
    choices: [present, absent]
    default: present
attributes:
  check_mode:
    description: Can run in check_mode and return changed status prediction without modifying target.
    support: full
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in check_mode), when in diff mode.
    support: full
"""

EXAMPLES = r"""
- name: Write the manifests of the test pods
  podnet.calico.lab_files:
    dir: "{{ podnet_lab_dir }}"
    files:
      - path: tools/multitool-1.yaml
        content: "{{ lookup('ansible.builtin.template', 'daemonset.yaml.j2') }}"

- name: Remove them
  podnet.calico.lab_files:
    dir: "{{ podnet_lab_dir }}"
    files:
      - path: tools/multitool-1.yaml
    state: absent
"""

RETURN = r"""
dir:
  description: The folder.
  returned: always
  type: str
  sample: /home/me/.local/state/podnet/pod-routing
written:
  description: The files that differed, or that were removed, relative to the folder.
  returned: always
  type: list
  elements: str
  sample: [tools/multitool-1.yaml]
left:
  description: What is in the folder afterwards; empty where the folder is gone.
  returned: with O(state=absent)
  type: list
  elements: str
  sample: [runs]
"""

import os
import tempfile
from typing import Any, Dict, List, Optional

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.text.converters import to_bytes, to_text


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "dir": {"type": "path", "required": True},
            "dir_mode": {"type": "str", "default": "0700"},
            "files": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {
                    "path": {"type": "str", "required": True},
                    "content": {"type": "str"},
                    "mode": {"type": "str", "default": "0600"},
                },
            },
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        supports_check_mode=True,
    )
    folder = os.path.normpath(module.params["dir"])
    for wanted in module.params["files"]:
        wanted["path"] = _inside(module, folder, wanted["path"])
    if module.params["state"] == "absent":
        _remove_all(module, folder)
    _write_all(module, folder)


def _write_all(module: AnsibleModule, folder: str) -> None:
    changes: List[Dict[str, str]] = []
    for wanted in module.params["files"]:
        path, content = wanted["path"], wanted["content"]
        if content is None:
            module.fail_json(msg="files: %s needs content; or state: absent to remove it" % path)
        before = _read(module, path)
        if before == content and _mode(path) == int(wanted["mode"], 8):
            continue
        changes.append(_diff(path, before or "", content))
        if not module.check_mode:
            _make_folders(module, os.path.dirname(path))
            _write(module, path, wanted)
    _exit(module, folder, changes)


def _remove_all(module: AnsibleModule, folder: str) -> None:
    changes: List[Dict[str, str]] = []
    for wanted in module.params["files"]:
        before = _read(module, wanted["path"])
        if before is None:
            continue
        changes.append(_diff(wanted["path"], before, ""))
        if not module.check_mode:
            _remove(module, folder, wanted["path"])
    _prune(module, folder, folder)
    _exit(module, folder, changes, left=sorted(os.listdir(folder)) if os.path.isdir(folder) else [])


def _exit(module: AnsibleModule, folder: str, changes: List[Dict[str, str]], **more: Any) -> None:
    written = [os.path.relpath(change["after_header"], folder) for change in changes]
    module.exit_json(changed=bool(changes), dir=folder, written=written, diff=changes, **more)


def _inside(module: AnsibleModule, folder: str, relative: str) -> str:
    path = os.path.normpath(os.path.join(folder, relative))
    if not path.startswith(os.path.join(folder, "")):
        module.fail_json(msg="files: path %r leads out of %s; give a path relative to it" % (relative, folder))
    return path


def _read(module: AnsibleModule, path: str) -> Optional[str]:
    """The file's text; None where there is no file."""
    try:
        with open(path, "rb") as stream:
            return to_text(stream.read(), errors="surrogate_or_strict")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeError) as error:
        module.fail_json(msg="Reading %s, to see whether it differs: %s" % (path, error))
        raise


def _mode(path: str) -> int:
    return os.stat(path).st_mode & 0o7777


def _diff(path: str, before: str, after: str) -> Dict[str, str]:
    return {"before_header": path, "after_header": path, "before": before, "after": after}


def _write(module: AnsibleModule, path: str, wanted: Dict[str, Any]) -> None:
    try:
        handle, temporary = tempfile.mkstemp(dir=module.tmpdir)
        with os.fdopen(handle, "wb") as stream:
            stream.write(to_bytes(wanted["content"], errors="surrogate_or_strict"))
    except OSError as error:
        module.fail_json(msg="Writing %s: %s" % (path, error))
    module.atomic_move(temporary, path)
    module.set_mode_if_different(path, int(wanted["mode"], 8), changed=True)


def _make_folders(module: AnsibleModule, path: str) -> None:
    """Like os.makedirs, but the mode holds for the folders between as well, whatever the umask."""
    if os.path.isdir(path):
        return
    _make_folders(module, os.path.dirname(path))
    try:
        os.mkdir(path)
        os.chmod(path, int(module.params["dir_mode"], 8))
    except OSError as error:
        module.fail_json(msg="Making the folder %s: %s" % (path, error))


def _remove(module: AnsibleModule, folder: str, path: str) -> None:
    try:
        os.unlink(path)
    except OSError as error:
        module.fail_json(msg="Removing %s: %s" % (path, error))
    _prune(module, folder, os.path.dirname(path))


def _prune(module: AnsibleModule, folder: str, path: str) -> None:
    """Remove ``path`` and the folders above it, up to and with ``folder``, as far as they are empty."""
    while path.startswith(folder) and os.path.isdir(path) and not os.listdir(path) and not module.check_mode:
        os.rmdir(path)
        path = os.path.dirname(path)


if __name__ == "__main__":
    main()
