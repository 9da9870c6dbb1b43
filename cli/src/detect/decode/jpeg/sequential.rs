//! Baseline and extended files: a block's coefficients follow each other.

use super::entropy::{Huffman, unstuff};
use super::header::{Component, Header, Scan};
use super::planes::Plane;
use super::scans::{Next, Unit, each_unit, next};
use super::transform::Transform;

/// A component on its way to samples.
struct Track {
    transform: Transform,
    plane: Plane,
}

/// The samples of each component at `1 / denominator` of the picture's size.
pub(super) fn decode(header: &Header, first: Scan<'_>, denominator: u32) -> Option<Vec<Plane>> {
    let mut header = header.clone();
    let mut tracks = Vec::new();
    for index in 0..header.components.len() {
        tracks.push(track(&header, index, denominator)?);
    }
    let mut seen = vec![false; tracks.len()];
    let (mut plain, mut ends) = (Vec::new(), Vec::new());
    let mut scan = first;
    loop {
        for &(index, ..) in &scan.components {
            seen[index] = true;
        }
        let rest = unstuff(scan.data, &mut plain, &mut ends);
        decode_scan(&header, &scan, &plain, &ends, &mut tracks)?;
        if seen.iter().all(|&s| s) {
            return Some(tracks.into_iter().map(|t| t.plane).collect());
        }
        // Components in scans of their own: tables may come before the next.
        scan = match next(&mut header, rest)? {
            Next::Scan(scan) => scan,
            Next::End => return None,
        };
    }
}

fn track(header: &Header, index: usize, denominator: u32) -> Option<Track> {
    let component = &header.components[index];
    let (h, v) = header.most_samples();
    // A component of fewer samples is scaled down less: colours keep what detail they have.
    let samples = |most: usize, own: usize| {
        let wanted = 8 / denominator as usize * most / own;
        (wanted.min(8), (wanted / 8).max(1).trailing_zeros())
    };
    let ((across, shift_x), (down, shift_y)) = (samples(h, component.h), samples(v, component.v));
    let table = header.tables.quantization[component.quantization].as_ref()?;
    let (units_x, units_y) = header.units();
    let (stride, rows) = (units_x * component.h * across, units_y * component.v * down);
    let plane = Plane::new(stride, rows, (shift_x, shift_y))?;
    Some(Track { transform: Transform::new((across, down), table), plane })
}

/// One block of a unit.
struct Block<'a> {
    component: usize,
    dc: &'a Huffman,
    ac: &'a Huffman,
    /// Which block of the unit's it is, across and down, and how many there are.
    at: (usize, usize),
    of: (usize, usize),
}

fn decode_scan(
    header: &Header,
    scan: &Scan<'_>,
    plain: &[u8],
    ends: &[usize],
    tracks: &mut [Track],
) -> Option<()> {
    let mut blocks = Vec::new();
    for &(component, dc, ac) in &scan.components {
        let (dc, ac) = (header.tables.dc[dc].as_ref()?, header.tables.ac[ac].as_ref()?);
        let Component { h, v, .. } = header.components[component];
        let of = if scan.is_single() { (1, 1) } else { (h, v) };
        for block in 0..of.0 * of.1 {
            blocks.push(Block { component, dc, ac, at: (block % of.0, block / of.0), of });
        }
    }
    each_unit(header, scan, plain, ends, |Unit { at: (x, y), bits, before }| {
        for block in &blocks {
            let track = &mut tracks[block.component];
            let before = &mut before[block.component & 3];
            *before = before.wrapping_add(block.dc.difference(bits)?);
            let (column, row) = (x * block.of.0 + block.at.0, y * block.of.1 + block.at.1);
            let (width, height) = track.transform.size;
            let out = track.plane.samples.get_mut(row * height * track.plane.stride + column * width..)?;
            if track.transform.last == 0 {
                block.ac.step_over(bits, 1)?;
                *out.first_mut()? = track.transform.mean(i32::from(*before as i16));
            } else {
                let mut coefficients = [0; 64];
                coefficients[0] = *before as i16;
                block.ac.coefficients(bits, track.transform.last, &mut coefficients)?;
                track.transform.block(&coefficients, out, track.plane.stride);
            }
        }
        Some(())
    })
}
