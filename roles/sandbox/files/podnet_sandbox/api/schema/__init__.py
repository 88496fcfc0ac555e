# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fields of the built-in kinds: what strict decoding, strategic merge, server-side apply and OpenAPI know of them."""

from .fields import Atomic, Field, Kinds, ListField, MapField, ObjectField, OneOf, Scalar, kinds

__all__ = ["Atomic", "Field", "Kinds", "ListField", "MapField", "ObjectField", "OneOf", "Scalar", "kinds"]
