# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox's server process: store, kernel room, cluster and API in one event loop."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import logging
import os
import resource
import socket
import ssl
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from aiohttp import web

from . import tls
from .api.aggregated.gateway import Calico
from .api.authentication import Authenticator
from .api.server import Identity, build_runner
from .api.store import Store
from .cluster import API_PORT, Cluster
from .config import SandboxConfig, release_of
from .dataplane.kernel import Kernel
from .log import LogHandler
from .state import StateFolder
from .zygote_client import ZygoteClient

_TOKEN_SECONDS = 86400
#: The namespace thread gives the interpreter away with every netlink message and would wait Python's 5 ms to have it back.
_SWITCH_INTERVAL = 0.0005
#: Felix of v3.32 repairs what was changed in place, earlier ones do not (FINDINGS D).
_COMPARING_RELEASE = (3, 32)


def run(message: Mapping[str, Any], channel: socket.socket) -> None:
    """Serve until killed. ``message``: the launcher's, with the descriptors by number. Whatever fails is said there."""
    logging.basicConfig(level=logging.INFO, handlers=[LogHandler()])
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    _raise_file_limit()
    sys.setswitchinterval(_SWITCH_INTERVAL)
    try:
        asyncio.run(_serve(message, channel))
    except BaseException as error:
        logging.exception("the server ended")
        _say(message["ready"], {"error": f"{type(error).__name__}: {error}"})
        raise


async def _serve(message: Mapping[str, Any], channel: socket.socket) -> None:
    config = SandboxConfig.from_json(message["config"])
    listener = socket.socket(fileno=message["listener"])
    kernel = Kernel(
        ZygoteClient(channel),
        scratch=str(StateFolder(Path(config.state_dir)).mountpoint),
        single_user=not message["privileged"],
        compare_routes=release_of(config.calico_version) >= _COMPARING_RELEASE,
    )
    credentials = tls.make_credentials(_server_names(config))
    store = Store(service_subnet=config.service_subnet)
    authenticator = Authenticator(store, credentials.token)

    def issue_token(namespace: str, account: str) -> str:
        return authenticator.issue(store.get("serviceaccounts", account, namespace), _TOKEN_SECONDS)

    cluster = Cluster(config, kernel, store, ca_certificate=credentials.ca_certificate, issue_token=issue_token)
    await cluster.start()
    address = config.address_of(config.control_plane)
    identity = Identity(
        ca_certificate=credentials.ca_certificate,
        address=f"{address}:{API_PORT}",
        kubernetes_version=config.kubernetes_version,
    )
    calico = Calico(release_of(config.calico_version), cluster.release_pool)
    runner = build_runner(store, cluster, authenticator, identity, calico=calico)
    await runner.setup()
    context = tls.server_context(credentials)
    await web.SockSite(runner, listener, ssl_context=context).start()
    inside = _Inside(kernel, runner, config.control_plane, address, context)
    await inside.listen()
    cluster.on_boot[config.control_plane] = inside.listen_again
    server = f"https://127.0.0.1:{listener.getsockname()[1]}"
    kubeconfig = tls.make_kubeconfig(credentials, server, config.name)
    _say(message["ready"], {"server": server, "kubeconfig": yaml.safe_dump(kubeconfig, sort_keys=False)})
    await asyncio.Event().wait()


class _Inside:
    """The API on the control plane's address, for pods and nodes."""

    def __init__(self, kernel: Kernel, runner: web.AppRunner, node: str, address: str, context: ssl.SSLContext) -> None:
        self._kernel, self._runner, self._node, self._address, self._context = kernel, runner, node, address, context

    async def listen(self) -> None:
        listener = await self._kernel.listen(self._node, self._address, API_PORT)
        self._site = web.SockSite(self._runner, listener, ssl_context=self._context)
        await self._site.start()

    async def listen_again(self) -> None:
        """On the node's new network. Connections of the old one, whose other ends are gone, would keep it in existence."""
        await self._site.stop()
        for connection in self._runner.server.connections if self._runner.server else ():
            transport = connection.transport
            if transport is not None and transport.get_extra_info("sockname") == (self._address, API_PORT):
                transport.abort()
        await self.listen()


def _server_names(config: SandboxConfig) -> list[str]:
    """What the API server is called from inside: the control plane, the service `kubernetes`."""
    service = str(ipaddress.IPv4Network(config.service_subnet)[1])
    return [config.control_plane, config.address_of(config.control_plane), service, "kubernetes.default.svc"]


def _say(descriptor: int, answer: Mapping[str, str]) -> None:
    """The launcher reads to the end, so the pipe is closed. It may have given up."""
    try:
        os.write(descriptor, json.dumps(answer).encode())
        os.close(descriptor)
    except OSError:
        return


def _raise_file_limit() -> None:
    """Each node and pod holds some descriptors open."""
    _ignored, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
