#!/usr/bin/python
# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a collection's shards."""

from __future__ import annotations

DOCUMENTATION = r"""
module: shard_files
short_description: Obtains the files of shards that several jobs have collected
version_added: "0.1.0"
author:
  - The podnet.calico authors (@podnet)
description:
  - Finds the file of each shard of a collection, where the role P(podnet.calico.shards#role) has stored it. That is a shared folder,
    an object store, or what the shard has published itself. M(podnet.calico.routing_assert) judges the files.
  - What a shard has published is looked at before it is used. A file must have the SHA-256 sum in it; a path or URL in it is not followed.
  - A shard whose file cannot be had fails nothing here. Why is in RV(refused), for the verdict to tell it by its name.
extends_documentation_fragment:
  - podnet.calico.attributes
options:
  shards:
    description: The names of all shards.
    type: list
    elements: str
    required: true
  collection:
    description: The collection to judge. Empty is the one that most shards have published.
    type: str
    default: ""
  default_collection:
    description: The collection to judge where O(collection) is empty and nothing was published.
    type: str
    default: ""
  published:
    description:
      - What the shards have published, by variable, C(podnet_shard_<name>). Without any, the shards are looked for in O(store).
    type: dict
    default: {}
  store:
    description: Where the files are, if nothing was published.
    type: str
    choices: [path, url, artifact]
    default: path
  folder:
    description: The shared folder. A shard's file is C(<folder>/<collection>/<shard>.jsonl.gz).
    type: path
  url:
    description: The URL of a shard's object, with C({shard}) and C({collection}) in it.
    type: str
    default: ""
  urls:
    description: URLs by shard, in place of O(url).
    type: dict
    default: {}
  headers:
    description: Headers of these requests.
    type: dict
    default: {}
  wait:
    description: How many seconds to wait for files that are not there yet.
    type: float
    default: 0
  max_bytes:
    description: How large a file may be, packed and unpacked.
    type: int
    default: 268435456
  dest:
    description: A folder for the files that are not in the shared one. It must exist; check mode writes nothing, and looks for nothing.
    type: path
    required: true
seealso:
  - module: podnet.calico.routing_snapshot
  - module: podnet.calico.routing_assert
"""

EXAMPLES = r"""
- name: Find the files of all shards
  podnet.calico.shard_files:
    shards: [shard-1, shard-2]
    collection: nightly-20300101
    folder: /mnt/podnet
    dest: /tmp/podnet-shards
    wait: 60
  register: files

- name: Judge them as one
  podnet.calico.routing_assert:
    snapshots: "{{ files.snapshots }}"
    shards:
      names: [shard-1, shard-2]
      collection: "{{ files.collection }}"
      refused: "{{ files.refused }}"
"""

RETURN = r"""
snapshots:
  description: Where the file of each shard is, or would be.
  returned: success
  type: list
  elements: path
  sample: [/mnt/podnet/nightly-20300101/shard-1.jsonl.gz]
collection:
  description: The collection that they are of.
  returned: success
  type: str
  sample: nightly-20300101
refused:
  description: Why the files of these shards could not be had, by shard.
  returned: success
  type: dict
  sample: {"shard-2": "missing: no job has published podnet_shard_shard_2"}
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.podnet.calico.plugins.module_utils._cut import refusal
from ansible_collections.podnet.calico.plugins.module_utils._errors import PodnetError, fail_from
from ansible_collections.podnet.calico.plugins.module_utils._shard_files import (
    STORES,
    Source,
    as_published,
    collection_of,
    obtain,
    without_secrets,
)


def find(module):
    """The result; PodnetError for options that make no sense."""
    params = module.params
    for url in (params["url"], *params["urls"].values()):
        if isinstance(url, str) and url == without_secrets(url):
            module.no_log_values.discard(url)  # it is no secret, and hiding it would hide what was asked for
    wrong = refusal(params["shards"]) if params["shards"] else "no shard is named"
    if wrong:
        raise PodnetError("shards: " + wrong)
    if params["max_bytes"] < 1:
        raise PodnetError("max_bytes is %d and must be at least 1" % params["max_bytes"])
    published = as_published(params["published"])
    collection = collection_of(published, params["collection"], params["default_collection"])
    source = Source(**{name: params[name] for name in Source._fields})
    paths, refused = ({}, {}) if module.check_mode else obtain(params["shards"], collection, published, source, params["wait"])
    return dict(snapshots=[paths[name] for name in params["shards"] if name in paths], collection=collection, refused=refused)


def main():
    """Find and fetch."""
    module = AnsibleModule(
        argument_spec=dict(
            shards=dict(type="list", elements="str", required=True),
            collection=dict(type="str", default=""),
            default_collection=dict(type="str", default=""),
            published=dict(type="dict", default={}),
            store=dict(type="str", choices=list(STORES), default=STORES[0]),
            folder=dict(type="path"),
            url=dict(type="str", default="", no_log=True),
            urls=dict(type="dict", default={}, no_log=True),
            headers=dict(type="dict", default={}, no_log=True),
            wait=dict(type="float", default=0),
            max_bytes=dict(type="int", default=268435456),
            dest=dict(type="path", required=True),
        ),
        supports_check_mode=True,
    )
    try:
        result = find(module)
    except PodnetError as error:
        fail_from(module, error)
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
