//! What the scans of baseline and of progressive files have in common: restart intervals, and the way to the next scan.

use super::entropy::Bits;
use super::header::{EOI, Header, SOS, Scan, segment};

/// A unit of a scan, and what is left to read it from.
pub(super) struct Unit<'a, 'b> {
    /// Column and row among the scan's units.
    pub(super) at: (usize, usize),
    pub(super) bits: &'a mut Bits<'b>,
    /// The last first coefficient of each component; zero where an interval begins.
    pub(super) before: &'a mut [i32; 4],
}

/// Calls `read` for each unit of `scan`, whose bytes are `plain` with a restart interval up to each of `ends`.
///
/// `None` if `read` gave it, the bits ran out, or there are fewer intervals than the picture has.
pub(super) fn each_unit(
    header: &Header,
    scan: &Scan<'_>,
    plain: &[u8],
    ends: &[usize],
    mut read: impl FnMut(Unit<'_, '_>) -> Option<()>,
) -> Option<()> {
    let (across, down) = if scan.is_single() { header.blocks(scan.components[0].0) } else { header.units() };
    let units = across * down;
    let interval = match header.tables.restart_interval {
        0 => units,
        n => n,
    };
    let (mut first, mut start) = (0, 0);
    for &end in ends {
        let mut bits = Bits::new(plain, start, end);
        start = end;
        let mut before = [0; 4];
        for unit in first..(first + interval).min(units) {
            read(Unit { at: (unit % across, unit / across), bits: &mut bits, before: &mut before })?;
        }
        if bits.ran_out() {
            return None;
        }
        first += interval;
        if first >= units {
            return Some(());
        }
    }
    None
}

/// What follows a scan's data.
pub(super) enum Next<'a> {
    Scan(Scan<'a>),
    End,
}

/// Reads tables from `rest` up to the next scan or the end of the picture.
pub(super) fn next<'a>(header: &mut Header, mut rest: &'a [u8]) -> Option<Next<'a>> {
    loop {
        let segment = segment(rest)?;
        rest = segment.rest;
        match segment.marker {
            SOS => return header.scan(&segment).map(Next::Scan),
            EOI => return Some(Next::End),
            marker => header.tables.read(marker, segment.body)?,
        }
    }
}
