# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calico's aggregated API, projectcalico.org/v3: a view of the objects that are kept as crd.projectcalico.org/v1, never a second store.

Source: projectcalico/calico v3.30.7 (apiserver/pkg/storage/calico, libcalico-go/lib/backend/k8s/resources, lib/clientv3), and the
recordings that have both sides of each object.
"""
