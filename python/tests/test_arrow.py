"""Arrow in, Arrow out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

from conftest import CAT  # noqa: E402
from osprey_vision import Detector, arrow  # noqa: E402


def batch(*files: bytes | None) -> pa.RecordBatch:
    return pa.record_batch({"path": [f"{i}.png" for i in range(len(files))], "bytes": pa.array(files, pa.binary())})


def test_a_damaged_picture_is_a_row() -> None:
    cat = CAT.read_bytes()
    out = arrow.detect(batch(cat, b"damaged", cat[:900], None, b"", cat))
    assert out.schema.equals(arrow.SCHEMA) and out.num_rows == 6
    assert out["status"].to_pylist() == ["ok", "not_a_picture", "damaged", "not_a_picture", "not_a_picture", "ok"]
    assert [len(b) for b in out["boxes"].to_pylist()][1:5] == [0] * 4
    assert out["error"].null_count == 2 and out["width"].null_count == 4
    first, last = out["boxes"][0].as_py(), out["boxes"][5].as_py()
    assert first == last and first[0]["label"] == "cat"
    assert out["image_id"][0] == out["image_id"][5] != out["image_id"][1]
    assert arrow.detect(batch()).num_rows == 0
    tables = list(arrow.detect_batches([batch(cat), batch(b"x")]))
    assert [t.num_rows for t in tables] == [1, 1]


def test_rows_say_what_detect_says() -> None:
    detector = Detector(score_threshold=0.05)
    found = detector.detect(CAT)
    row = arrow.detect(batch(CAT.read_bytes()), detector).to_pylist()[0]
    assert (row["width"], row["height"]) == found.size
    assert [b["score"] for b in row["boxes"]] == found.confidence.tolist()
    assert [[b[k] for k in ("x1", "y1", "x2", "y2")] for b in row["boxes"]] == found.xyxy.tolist()
    assert [b["label"] for b in row["boxes"]] == found.labels


def test_the_program_writes_the_same_rows(tmp_path: Path) -> None:
    cat = CAT.read_bytes()
    files = {"cat.png": cat, "damaged.jpg": b"damaged", "empty.png": b"", "half.png": cat[:900], "twice.png": cat}
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for name, content in files.items():
        (pictures / name).write_bytes(content)
    command = [sys.executable, "-m", "osprey_vision", "detect", pictures, "-o", tmp_path / "found.parquet", "--quiet"]
    assert subprocess.run(command, check=False).returncode == 2
    table = parquet.read_table(tmp_path / "found.parquet")
    assert [f.name for f in table.schema] == arrow.SCHEMA.names
    table = table.cast(arrow.SCHEMA)
    paths = [str(pictures / name) for name in files]
    mine = arrow.detect(pa.record_batch({"path": paths, "bytes": pa.array(files.values(), pa.binary())}))
    assert table.drop(["ms"]).to_pylist() == mine.drop_columns(["ms"]).to_pylist()
    assert [ms > 0 for ms in table["ms"].to_pylist()] == [True, False, False, False, True]


def test_other_libraries_read_detections() -> None:
    found = Detector().detect(CAT)
    array = pa.array(found)
    assert array.type == arrow.BOX and array[0]["label"].as_py() == "cat"


def test_a_fingerprint_changes_with_what_changes_results() -> None:
    of = lambda **options: arrow.fingerprint(Detector("ssdlite-mobilenet-v2-quick-160", **options))["fingerprint"]  # noqa: E731
    assert of() == of(threads=2) != of(score_threshold=0.5)
    assert arrow.fingerprint(Detector())["fingerprint"] != of()
