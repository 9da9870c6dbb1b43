//! Progressive files at an eighth of their size: the scans of first coefficients are all that is read.

use super::entropy::{behind, unstuff};
use super::header::{Header, Scan};
use super::planes::Plane;
use super::scans::{Next, Unit, each_unit, next};
use super::transform::Transform;

/// The first coefficients of a component, for whole units.
struct Means {
    coefficients: Vec<i16>,
    stride: usize,
}

/// The samples of each component: one for each of its blocks.
pub(super) fn decode(header: &Header, first: Scan<'_>) -> Option<Vec<Plane>> {
    let mut header = header.clone();
    let mut means = Vec::new();
    for component in &header.components {
        let (x, y) = header.units();
        let (stride, rows) = (x * component.h, y * component.v);
        means.push(Means { coefficients: vec![0; stride * rows], stride });
    }
    let mut seen = vec![false; means.len()];
    let (mut plain, mut ends) = (Vec::new(), Vec::new());
    let mut scan = first;
    loop {
        let rest = if scan.band.0 == 0 {
            for &(index, ..) in &scan.components {
                seen[index] = true;
            }
            let rest = unstuff(scan.data, &mut plain, &mut ends);
            decode_scan(&header, &scan, &plain, &ends, &mut means)?;
            rest
        } else {
            behind(scan.data)
        };
        scan = match next(&mut header, rest)? {
            Next::Scan(scan) => scan,
            Next::End => break,
        };
    }
    if !seen.iter().all(|&s| s) {
        return None;
    }
    let (h, v) = header.most_samples();
    let planes = header.components.iter().zip(means).map(|(component, means)| {
        let transform = Transform::new((1, 1), header.tables.quantization[component.quantization].as_ref()?);
        let shift = ((h / component.h).trailing_zeros(), (v / component.v).trailing_zeros());
        let samples = means.coefficients.iter().map(|&c| transform.mean(c.into())).collect();
        Some(Plane { samples, stride: means.stride, shift })
    });
    planes.collect()
}

fn decode_scan(
    header: &Header,
    scan: &Scan<'_>,
    plain: &[u8],
    ends: &[usize],
    means: &mut [Means],
) -> Option<()> {
    let (earlier, low) = scan.approximation;
    if low > 13 {
        return None;
    }
    each_unit(header, scan, plain, ends, |Unit { at: (x, y), bits, before }| {
        for &(index, dc, _) in &scan.components {
            let component = &header.components[index];
            let (h, v) = if scan.is_single() { (1, 1) } else { (component.h, component.v) };
            let means = &mut means[index];
            for block in 0..h * v {
                let at = (y * v + block / h) * means.stride + x * h + block % h;
                if earlier == 0 {
                    let dc = header.tables.dc[dc].as_ref()?;
                    before[index] = before[index].wrapping_add(dc.difference(bits)?);
                    means.coefficients[at] = (before[index] << low) as i16;
                } else if bits.bit() {
                    means.coefficients[at] |= 1 << low;
                }
            }
        }
        Some(())
    })
}
