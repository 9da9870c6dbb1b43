//! What MediaPipe's writers say of a detector whose file ends in raw outputs: its anchors, and how boxes and scores
//! are encoded.
//!
//! A flatbuffer of its own (identifier `V001`) among the main graph's custom metadata. Field numbers are those of
//! MediaPipe's `object_detector_metadata_schema.fbs`.

use super::{AnchorSpec, ScoreKind, SsdSpec};
use osprey_engine::graph::flatbuffer::Table;
use osprey_engine::{Error, Result};

/// Name of the custom metadata.
const NAME: &str = "DETECTOR_METADATA";

/// The description in the metadata of a graph, where there is one.
pub(super) fn detector(graph: &Table<'_>) -> Result<Option<SsdSpec>> {
    for custom in graph.tables(9)? {
        if custom.string(0)? == NAME {
            return read(custom.bytes(1)?).map(Some);
        }
    }
    Ok(None)
}

fn read(bytes: &[u8]) -> Result<SsdSpec> {
    let damaged = |what: &str| Error::Malformed { what: format!("{NAME}: {what}") };
    if bytes.get(4..8) != Some(b"V001") {
        return Err(damaged("it does not carry the identifier V001"));
    }
    let options = Table::root(bytes)?;
    let mut spec = SsdSpec { background: Some(false), ..SsdSpec::default() };
    let fixed = options.table(1)?.map(|ssd| ssd.table(0)).transpose()?.flatten();
    if let Some(fixed) = fixed {
        let row = |a: &Table<'_>| -> Result<[f32; 4]> {
            Ok([a.scalar(1, 0.0)?, a.scalar(0, 0.0)?, a.scalar(3, 0.0)?, a.scalar(2, 0.0)?])
        };
        let rows = fixed.tables(0)?.iter().map(row).collect::<Result<Vec<_>>>()?;
        if rows.iter().flatten().any(|v| !v.is_finite()) {
            return Err(damaged("an anchor that is no box"));
        }
        spec.anchors = Some(AnchorSpec::Given { rows });
    }
    if let Some(decoding) = options.table(2)? {
        let [x, y, w, h] = [6, 7, 8, 9].map(|field| decoding.scalar::<f32>(field, 0.0));
        spec.box_scale = Some([y?, x?, h?, w?]);
        spec.linear_sizes = !decoding.flag(10)?;
        if decoding.flag(11)? {
            spec.scores = ScoreKind::Logits;
        }
    }
    spec.check().map_err(|e| damaged(&e.to_string()))?;
    Ok(spec)
}
