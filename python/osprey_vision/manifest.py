"""A folder of results says what it was made with, and takes no others.

`manifest.json` holds a fingerprint of everything that changes results: model, options, version, schema. Results of
another fingerprint in the same folder would be a mixture that nobody can tell apart again.
"""

from __future__ import annotations

import json
from typing import Any

import pyarrow.fs as pafs

from .errors import OspreyError

NAME = "manifest.json"


class FingerprintError(OspreyError):
    """The folder holds results that were made with something else."""


def claim(folder: str, facts: dict[str, Any]) -> bool:
    """Writes `facts` into the manifest of `folder`, a path or an address that pyarrow knows.

    Returns:
        Whether the folder had this manifest already.

    Raises:
        FingerprintError: It has another one; the message says what differs.
        OSError: The folder cannot be read or written.
    """
    filesystem, root = pafs.FileSystem.from_uri(folder) if "://" in folder else (pafs.LocalFileSystem(), folder)
    path = f"{root}/{NAME}"
    if filesystem.get_file_info(path).type == pafs.FileType.File:
        with filesystem.open_input_stream(path) as stream:
            there = json.loads(stream.read())
        if there.get("fingerprint") != facts["fingerprint"]:
            keys = sorted(k for k in facts if k != "fingerprint" and there.get(k) != facts[k])
            raise FingerprintError(
                f"{folder} holds results that were made with other {', '.join(keys) or 'things'}: choose another folder"
            )
        return True
    filesystem.create_dir(root, recursive=True)
    text = json.dumps(facts, indent=1, sort_keys=True).encode()
    # Object stores have a file when it is closed; elsewhere a rename makes it appear whole.
    with filesystem.open_output_stream(f"{path}.new") as stream:
        stream.write(text)
    filesystem.move(f"{path}.new", path)
    return False
