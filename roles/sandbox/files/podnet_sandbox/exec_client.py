# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands in pods for the command line: a pod's exec subresource through the Kubernetes client."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import urllib3
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from kubernetes.stream import stream
from kubernetes.stream.ws_client import ERROR_CHANNEL, WSClient

from .launch import LaunchError


def connect(kubeconfig: Path) -> client.CoreV1Api:
    """The API of a sandbox. One per thread."""
    return client.CoreV1Api(config.new_client_from_config(str(kubeconfig)))


def run(kubeconfig: Path, namespace: str, pod: str, container: str, argv: Sequence[str]) -> int:
    """Run ``argv`` without input, pass its output on; its exit code. Raises `LaunchError`."""
    session = _start(connect(kubeconfig), namespace, pod, container, argv)
    while session.is_open():
        session.update(timeout=1)
        sys.stdout.write(session.read_stdout(timeout=0) if session.peek_stdout() else "")
        sys.stderr.write(session.read_stderr(timeout=0) if session.peek_stderr() else "")
    return _exit_code(session, f"pod {namespace}/{pod}", argv)


def capture(api: client.CoreV1Api, namespace: str, pod: str, container: str, argv: Sequence[str]) -> str:
    """What ``argv`` prints. Raises `LaunchError` where it cannot be run or ends with another code than 0."""
    session = _start(api, namespace, pod, container, argv)
    session.run_forever()
    code = _exit_code(session, f"pod {namespace}/{pod}", argv)
    if code:
        raise LaunchError(f"{' '.join(argv)} ended with {code}: {session.read_stderr(timeout=0).strip()}")
    return str(session.read_stdout(timeout=0))


def _start(api: client.CoreV1Api, namespace: str, pod: str, container: str, argv: Sequence[str]) -> WSClient:
    named = {"container": container} if container else {}
    try:
        return stream(
            api.connect_get_namespaced_pod_exec, pod, namespace, command=list(argv),
            stdout=True, stderr=True, stdin=False, tty=False, _preload_content=False, **named,
        )  # fmt: skip
    except (ApiException, urllib3.exceptions.HTTPError) as error:
        raise LaunchError(f"pod {namespace}/{pod} cannot run {' '.join(argv)}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """The API's own words, where the client has them: at the end of what it makes of a refused upgrade."""
    said = str(getattr(error, "reason", "") or error)
    try:
        return str(json.loads(said[said.rindex("-+-+- ") + 6 :])["message"])
    except (ValueError, KeyError):
        return said


def _exit_code(session: WSClient, where: str, argv: Sequence[str]) -> int:
    """From the Status that ends an exec. Raises `LaunchError` for one that tells of no exit code."""
    text = session.read_channel(ERROR_CHANNEL, timeout=0)
    status: dict[str, Any] = json.loads(text) if text else {"message": "the connection ended before the command did"}
    if status.get("status") == "Success":
        return 0
    causes = (status.get("details") or {}).get("causes") or ()
    code = next((cause.get("message") for cause in causes if cause.get("reason") == "ExitCode"), "")
    if not str(code).isdigit():
        raise LaunchError(f"{where} cannot run {' '.join(argv)}: {status.get('message')}")
    return int(str(code))
