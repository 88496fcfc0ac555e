# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The multitool's self-made server certificate: one per sandbox, as the image has one for all its containers."""

from __future__ import annotations

from functools import cache

import trustme

_NAME = "localhost"


@cache
def server_files() -> dict[str, bytes]:
    """Path in the container → content."""
    issued = trustme.CA(organization_name="network-multitool").issue_cert(_NAME)
    return {
        "/certs/server.crt": issued.cert_chain_pems[0].bytes(),
        "/certs/server.key": issued.private_key_pem.bytes(),
    }
