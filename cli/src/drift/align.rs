//! Which layer of the quantized model is which of the float model.

use super::tapped::Layer;
use anyhow::{Result, ensure};

/// Cells of the table below: 64 MB.
const MOST_CELLS: usize = 1 << 24;

/// Pairs of layers (float, quantized) in order: the longest common sequence of layers with the same
/// operator and shape. Names would be surer, but converters change them.
pub(super) fn align(float: &[Layer], quantized: &[Layer]) -> Result<Vec<(usize, usize)>> {
    let (rows, columns) = (float.len() + 1, quantized.len() + 1);
    ensure!(rows.saturating_mul(columns) <= MOST_CELLS, "the models have too many layers to be compared");
    // The length of the longest common sequence from (i, j) on.
    let mut longest = vec![0u32; rows * columns];
    for i in (0..float.len()).rev() {
        for j in (0..quantized.len()).rev() {
            longest[i * columns + j] = if alike(&float[i], &quantized[j]) {
                longest[(i + 1) * columns + j + 1] + 1
            } else {
                longest[(i + 1) * columns + j].max(longest[i * columns + j + 1])
            };
        }
    }
    let mut pairs = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < float.len() && j < quantized.len() {
        if alike(&float[i], &quantized[j]) {
            pairs.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if longest[(i + 1) * columns + j] >= longest[i * columns + j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    Ok(pairs)
}

fn alike(a: &Layer, b: &Layer) -> bool {
    a.op == b.op && a.shape == b.shape
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layers(ops: &str) -> Vec<Layer> {
        let layer = |(node, op): (usize, char)| Layer {
            node,
            op: op.to_string(),
            name: String::new(),
            shape: vec![1, 2],
            inputs: Vec::new(),
        };
        ops.chars().enumerate().map(layer).collect()
    }

    #[test]
    fn layers_that_only_one_model_has_are_left_out() {
        assert_eq!(
            align(&layers("CDCAC"), &layers("CDPCAC")).unwrap(),
            [(0, 0), (1, 1), (2, 3), (3, 4), (4, 5)]
        );
        assert_eq!(align(&layers("CRC"), &layers("CC")).unwrap(), [(0, 0), (2, 1)]);
        assert_eq!(align(&layers("AB"), &layers("XY")).unwrap(), []);
    }
}
