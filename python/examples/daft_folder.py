"""A folder of pictures with Daft (`pip install daft`): a table of paths and boxes.

    python daft_folder.py 'PHOTOS/*.jpg'
"""

import sys
from typing import Any

import pyarrow as pa

from osprey_vision import Detector, arrow


def detect(pattern: str) -> Any:
    """A Daft data frame with a row for each file."""
    import daft

    @daft.cls
    class Look:
        def __init__(self) -> None:
            self.detector = Detector()

        @daft.method.batch(return_dtype=daft.DataType.from_arrow_type(pa.struct(list(arrow.SCHEMA))))  # type: ignore[untyped-decorator]
        def rows(self, path: Any, file: Any) -> Any:
            table = pa.record_batch({"path": path.to_arrow().cast(pa.string()), "bytes": file.to_arrow().cast(pa.binary())})
            return pa.StructArray.from_arrays(arrow.detect(table, self.detector).columns, fields=list(arrow.SCHEMA))

    files = daft.from_glob_path(pattern)
    files = files.with_column("bytes", daft.functions.download(files["path"]))
    return files.select(Look().rows(files["path"], files["bytes"]).alias("row"))


if __name__ == "__main__":
    detect(sys.argv[1]).show()
