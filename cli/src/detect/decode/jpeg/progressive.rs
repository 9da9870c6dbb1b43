//! Progressive files at an eighth of their size: the scans of first coefficients are all that is read.

use super::entropy::{Bits, behind, unstuff};
use super::header::{EOI, Header, SOS, Scan, segment};
use super::planes::Plane;
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
    'scans: loop {
        let mut rest = if scan.band.0 == 0 {
            for &(index, ..) in &scan.components {
                seen[index] = true;
            }
            let rest = unstuff(scan.data, &mut plain, &mut ends);
            decode_scan(&header, &scan, &plain, &ends, &mut means)?;
            rest
        } else {
            behind(scan.data)
        };
        loop {
            let segment = segment(rest)?;
            rest = segment.rest;
            match segment.marker {
                SOS => {
                    scan = header.scan(&segment)?;
                    break;
                }
                EOI => break 'scans,
                marker => header.tables.read(marker, segment.body)?,
            }
        }
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
    let single = scan.components.len() == 1;
    let (across, down) = if single { header.blocks(scan.components[0].0) } else { header.units() };
    let interval = match header.tables.restart_interval {
        0 => across * down,
        n => n,
    };
    let (earlier, low) = scan.approximation;
    if low > 13 {
        return None;
    }
    let (mut unit, mut start) = (0, 0);
    for &end in ends {
        let mut bits = Bits::new(plain, start, end);
        start = end;
        let mut before = [0i32; 4];
        for unit in unit..(unit + interval).min(across * down) {
            let (x, y) = (unit % across, unit / across);
            for &(index, dc, _) in &scan.components {
                let component = &header.components[index];
                let (h, v) = if single { (1, 1) } else { (component.h, component.v) };
                let means = &mut means[index];
                for block in 0..h * v {
                    let at = (y * v + block / h) * means.stride + x * h + block % h;
                    if earlier == 0 {
                        let dc = header.tables.dc[dc].as_ref()?;
                        before[index] = before[index].wrapping_add(dc.difference(&mut bits)?);
                        means.coefficients[at] = (before[index] << low) as i16;
                    } else if bits.bit() {
                        means.coefficients[at] |= 1 << low;
                    }
                }
            }
        }
        if bits.ran_out() {
            return None;
        }
        unit += interval;
        if unit >= across * down {
            return Some(());
        }
    }
    None
}
