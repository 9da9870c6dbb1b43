"""A folder of results takes no others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("pyarrow")

from osprey_vision import Detector, arrow, manifest  # noqa: E402


def test_another_fingerprint_is_refused(tmp_path: Path) -> None:
    facts = arrow.fingerprint(Detector())
    folder = str(tmp_path / "found")
    assert manifest.claim(folder, facts) is False and manifest.claim(folder, facts) is True
    assert json.loads((tmp_path / "found" / "manifest.json").read_text()) == json.loads(json.dumps(facts))
    with pytest.raises(manifest.FingerprintError, match="options"):
        manifest.claim(folder, arrow.fingerprint(Detector(score_threshold=0.5)))
    with pytest.raises(manifest.FingerprintError, match="model"):
        manifest.claim(folder, arrow.fingerprint(Detector("ssdlite-mobilenet-v2-quick-160")))
