# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why the sandbox's API says something else than the recorded server: cases (``|`` between them), place, reason; ``*`` is anything.

Each entry must still be needed, and each difference must have one: `test_api_conversations.py`.
"""

from __future__ import annotations

_TABLES = "*table*"
_PODS = "pods table|one pod table, metadata only objects|list limit 2|list continue"
_NOT_SERVED = "not served: nothing in the sandbox would act on it"
_OTHER_LIFE = "the recorded cluster had lived through more: restarts and edits"

REASONS: tuple[tuple[str, str, str], ...] = (
    ("version", "gitCommit", "another program, built by no Go compiler"),
    ("version", "goVersion", "another program, built by no Go compiler"),
    ("version", "compiler", "another program, built by no Go compiler"),
    ("api versions", "serverAddressByClientCIDRs[0].serverAddress", "the replay reaches the API on loopback"),
    # What there is
    ("groups", "groups[*]", _NOT_SERVED),
    ("core resources", "resources[*]", _NOT_SERVED),
    ("aggregated discovery of core", "items[0].versions[0].resources[*]", _NOT_SERVED),
    ("openapi v3 index", "paths.*", "groups that are not served, and documents about discovery itself, which no client reads"),
    # The state of the cluster
    ("custom resource list", "items[0].metadata.generation", _OTHER_LIFE),
    ("custom resource table", "rows[0].object.metadata.generation", _OTHER_LIFE),
    ("custom resource *", "*.annotations.projectcalico.org/metadata", "the annotation holds the time the pool was made"),
    ("daemonsets table", "rows[*].object.metadata.generation", _OTHER_LIFE),
    ("daemonsets table", "rows[*].object.metadata.annotations", "the recording left kubectl's annotations out"),
    (_PODS, "*.metadata.labels.controller-revision-hash", "the hash of a pod template is made otherwise"),
    (_PODS, "*.metadata.labels.pod-template-generation", _OTHER_LIFE),
    (_PODS, "*.metadata.annotations.kubectl.kubernetes.io/restartedAt", _OTHER_LIFE),
    (_PODS, "*.metadata.annotations.cni.projectcalico.org/containerID", "differs from pod to pod"),
    (_PODS, "*.metadata.annotations.cni.projectcalico.org/podIP*", "addresses are of other blocks"),
    ("list limit 2|list continue", "*.status.podIP*", "addresses are of other blocks"),
    ("pods table|one pod table, metadata only objects", "rows[*].cells[5]", "addresses are of other blocks"),
    ("list limit 2|list continue", "*.status.containerStatuses[*].image*", "the replay runs no containers"),
    ("list limit 2|list continue", "*.status.containerStatuses[*].containerID", "the replay runs no containers"),
    ("nodes table", "rows[*].cells[4]", "the recorded kubelet was a stand-in and said so"),
    ("nodes table", "rows[*].cells[8]", "the kernel of the machine it runs on"),
    ("nodes table", "rows[*].cells[9]", "containers are namespaces, not containerd's"),
    ("nodes table", "rows[*].object.metadata.annotations.projectcalico.org/IPv4*", "another node subnet, other blocks"),
    ("nodes table", "rows[*].object.metadata.annotations.projectcalico.org/Interfaces", "calico-node's list of a node's interfaces is not imitated"),
    ("nodes table", "rows[*].object.metadata.annotations.volumes.kubernetes.io/*", "there is no attach-detach controller"),
    ("namespaces table", "rows[*].object.metadata.labels.pod-security.kubernetes.io/*", "the operator's namespaces are made without it"),
    ("namespaces table", "rows[*].object.metadata.ownerReferences", "the operator's namespaces are made without it"),
    ("watch from 0|list for watch", "*.annotations", "kube-controller-manager's description of the ConfigMap is not imitated"),
    ("watch table", "*.rows[0].object.metadata.annotations", "kube-controller-manager's description of the ConfigMap is not imitated"),
    ("watch from 0|list for watch", "*.data.ca.crt", "another cluster's certificate"),
    ("pod change image", "status.conditions", "the recorded scheduler had not looked at the pod yet"),
    ("status *|delete pod, grace 0", "status.conditions[0].message", "the recorded scheduler was a stand-in that does not tell of preemption"),
    # How it is said
    (_TABLES, "*columnDefinitions[*].description", "Kubernetes' prose about fields is not copied"),
    ("protobuf", "text", "uids, times and managers in binary; test_api_formats reads back what is written"),
    ("pod immutable field", "message", "a diff of Go structs follows in the recording, which go-cmp words differently at random"),
    ("pod immutable field", "details.causes[0].message", "a diff of Go structs follows in the recording, which go-cmp words differently at random"),
    ("watch list with bookmark", "", "the recorded server had this feature switched off, as its etcd could not do it"),
)
