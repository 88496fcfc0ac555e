# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""kubernetes.core, unmodified: present, repeat, wait, info, exec, copy, apply, absent, repeat."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from api_server import DEPLOYMENT, POD, ApiServer

PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
pytestmark = pytest.mark.skipif(
    not PLAYBOOK.exists() or importlib.util.find_spec("kubernetes") is None or importlib.util.find_spec("ansible_collections") is None,
    reason="ansible with kubernetes.core is not installed beside this Python",
)

TASKS = """
- hosts: localhost
  gather_facts: false
  connection: local
  module_defaults:
    group/kubernetes.core.k8s: {kubeconfig: "{{ kubeconfig }}"}
  tasks:
    - kubernetes.core.k8s: {definition: "{{ objects }}", namespace: default}
      register: made
    - kubernetes.core.k8s: {definition: "{{ objects }}", namespace: default}
      register: again
    - kubernetes.core.k8s:
        apply: true
        server_side_apply: {field_manager: test}
        definition: {apiVersion: v1, kind: ConfigMap, metadata: {name: ssa, namespace: default}, data: {a: "1"}}
      register: applied
    - kubernetes.core.k8s_info: {kind: Pod, name: a, namespace: default, wait: true, wait_timeout: 10, wait_condition: {type: Ready}}
      register: info
    - kubernetes.core.k8s_exec: {pod: a, namespace: default, command: "sh -c 'echo out; exit 2'"}
      register: command
      failed_when: command.rc != 2
    - kubernetes.core.k8s_cp: {pod: a, namespace: default, content: "{{ 'x' * 300000 }}", remote_path: "{{ copied }}", state: to_pod}
    # A file: of a directory kubernetes.core 6.2 asks for a command that is a text, which the Kubernetes client 37 refuses to send.
    - kubernetes.core.k8s_cp: {pod: a, namespace: default, local_path: "{{ copied }}.back", remote_path: "{{ copied }}", state: from_pod}
    - kubernetes.core.k8s: {state: absent, kind: Pod, name: a, namespace: default, wait: true, wait_timeout: 10}
      register: gone
    - kubernetes.core.k8s: {state: absent, kind: Pod, name: a, namespace: default, wait: true, wait_timeout: 10}
      register: gone_again
    - ansible.builtin.assert:
        that:
          - made is changed
          - again is not changed
          - applied.result.data.a == "1"
          - info.resources[0].status.phase == "Running"
          - command.stdout_lines == ["out"]
          - gone is changed
          - gone_again is not changed
"""


def test_a_playbook_of_kubernetes_core_runs(tmp_path):
    (tmp_path / "play.yml").write_text(TASKS)
    with ApiServer(tmp_path) as server:
        copied = tmp_path / "copied"  # the fake pod's commands run on this machine
        variables = {
            "kubeconfig": str(server.kubeconfig), "objects": [POD, DEPLOYMENT], "copied": str(copied),
            "ansible_python_interpreter": sys.executable,
        }  # fmt: skip
        (tmp_path / "variables.json").write_text(json.dumps(variables))
        command = [str(PLAYBOOK), "-i", "localhost,", "-e", f"@{tmp_path}/variables.json", str(tmp_path / "play.yml")]
        environment = {**os.environ, "ANSIBLE_HOME": str(tmp_path), "ANSIBLE_LOCAL_TEMP": str(tmp_path / "local")}
        environment.pop("KUBECONFIG", None)
        done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False, cwd=tmp_path, env=environment)
        assert done.returncode == 0, done.stdout + done.stderr
        assert copied.read_text() == "x" * 300_000
        assert copied.with_name("copied.back").read_text() == "x" * 300_000
