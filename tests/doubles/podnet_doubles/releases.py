# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What belongs to a release.

Facts: the default node image of each kind (kind source, pkg/apis/config/defaults/image.go at each tag); the kind library inside
each containerlab (containerlab source, go.mod at each tag); the behaviours that a containerlab release changed (containerlab
source and release notes; one line each below).
"""

from __future__ import annotations

#: kind → (Kubernetes, digest) of its default node image.
_DEFAULT_IMAGES = {
    "0.20.0": ("v1.27.3", "3966ac761ae0136263ffdb6cfd4db23ef8a83cba8a463690e98317add2c9ba72"),
    "0.27.0": ("v1.32.2", "f226345927d7e348497136874b6d207e0b32cc52154ad8323129352923a3142f"),
    "0.29.0": ("v1.33.1", "050072256b9a903bd914c0b2866828150cb229cea0efe5892e2b644d5dd3b34f"),
    "0.30.0": ("v1.34.0", "7416a61b42b1662ca6ca89f02028ac133a309a2a30ba309614e8ec94d976dc5a"),
    "0.31.0": ("v1.35.0", "452d707d4862f52530247495d180205e029056831160e22870e37e3f6c1ac31f"),
    "0.32.0": ("v1.36.1", "3489c7674813ba5d8b1a9977baea8a6e553784dab7b84759d1014dbd78f7ebd5"),
    "0.33.0": ("v1.37.0", "a1ed56cfb0e7b93589bdf97c8cd566405a265939e3620fc4f5de89adff580ae5"),
}
#: From this containerlab on, this kind is inside.
_KIND_LIBRARIES = (
    ((0, 73), "0.31.0"),
    ((0, 65), "0.27.0"),
    ((0, 63), "0.26.0"),
    ((0, 57, 1), "0.24.0"),
    ((0, 55), "0.23.0"),
    ((0, 51, 2), "0.22.0"),
    ((0, 51), "0.21.0"),
    ((0, 50), "0.20.0"),
)
#: inspect's JSON is grouped by lab, and `{}` for none.
GROUPED_INSPECT = (0, 68)
#: `version -s` and `version -j`.
SHORT_VERSION = (0, 70)
#: extras.k8s_kind.deploy.kubeconfig.
KUBECONFIG_OPTION = (0, 73)
#: A node that cannot be made is deploy's failure.
DEPLOY_SAYS_SO = (0, 75)
#: The lab folder has .state.clab.yaml.
STATE_FILE = (0, 77)
#: The command `validate`, and deploy --dry-run.
VALIDATE = (0, 78)


def default_image(kind: str) -> str:
    """The node image that a kind takes when it is told none."""
    kubernetes, digest = _DEFAULT_IMAGES.get(kind, _DEFAULT_IMAGES["0.31.0"])
    return f"kindest/node:{kubernetes}@sha256:{digest}"


def kind_library(containerlab: tuple[int, ...]) -> str:
    """The kind inside a containerlab."""
    return next((kind for since, kind in _KIND_LIBRARIES if containerlab >= since), "0.20.0")
