# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`exec` of the command line: a pod's exec subresource through the Kubernetes client."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from kubernetes.stream import stream

from .launch import LaunchError


def run(kubeconfig: Path, namespace: str, pod: str, container: str, argv: Sequence[str]) -> int:
    """Run ``argv`` without input, pass its output on; its exit code. Raises `LaunchError`."""
    api = client.CoreV1Api(config.new_client_from_config(str(kubeconfig)))
    named = {"container": container} if container else {}
    try:
        session = stream(
            api.connect_get_namespaced_pod_exec,
            pod,
            namespace,
            command=list(argv),
            stdout=True,
            stderr=True,
            stdin=False,
            tty=False,
            _preload_content=False,
            **named,
        )
    except ApiException as error:
        raise LaunchError(f"pod {namespace}/{pod} cannot run {' '.join(argv)}: {error.reason}") from error
    while session.is_open():
        session.update(timeout=1)
        sys.stdout.write(session.read_stdout(timeout=0) if session.peek_stdout() else "")
        sys.stderr.write(session.read_stderr(timeout=0) if session.peek_stderr() else "")
    return int(session.returncode)
