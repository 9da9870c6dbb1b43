//! What a tensor held over all samples, in constant memory.

/// Bins on each side of zero.
const BINS: usize = 2048;

/// Counts of values by size: exact least, greatest and zeros, and equal bins whose width doubles as values grow.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Histogram {
    pub(crate) low: f32,
    pub(crate) high: f32,
    zeros: u64,
    /// The greatest absolute value that has a bin: a power of two.
    reach: f32,
    below: Vec<u64>,
    above: Vec<u64>,
}

impl Default for Histogram {
    fn default() -> Self {
        let bins = || vec![0; BINS];
        Self { low: 0.0, high: 0.0, zeros: 0, reach: f32::MIN_POSITIVE, below: bins(), above: bins() }
    }
}

impl Histogram {
    /// Counts finite values; the first that is not is the error.
    pub(crate) fn add(&mut self, values: &[f32]) -> Result<(), f32> {
        let (mut low, mut high) = (self.low, self.high);
        for &v in values {
            if !v.is_finite() {
                return Err(v);
            }
            low = low.min(v);
            high = high.max(v);
        }
        (self.low, self.high) = (low, high);
        self.grow(high.max(-low));
        let bins = BINS as f32 / self.reach;
        for &v in values {
            if v == 0.0 {
                self.zeros += 1;
                continue;
            }
            let bin = ((v.abs() * bins) as usize).min(BINS - 1);
            if v > 0.0 {
                self.above[bin] += 1;
            } else {
                self.below[bin] += 1;
            }
        }
        Ok(())
    }

    /// What both held.
    pub(crate) fn merge(&mut self, other: &Self) {
        let mut other = other.clone();
        self.grow(other.reach);
        other.grow(self.reach);
        self.low = self.low.min(other.low);
        self.high = self.high.max(other.high);
        self.zeros += other.zeros;
        for (mine, theirs) in [(&mut self.below, &other.below), (&mut self.above, &other.above)] {
            mine.iter_mut().zip(theirs).for_each(|(m, t)| *m += t);
        }
    }

    fn grow(&mut self, to: f32) {
        while self.reach < to && self.reach < f32::MAX / 2.0 {
            self.reach *= 2.0;
            for bins in [&mut self.below, &mut self.above] {
                for i in 0..BINS / 2 {
                    bins[i] = bins[2 * i] + bins[2 * i + 1];
                }
                bins[BINS / 2..].fill(0);
            }
        }
    }

    /// Count of all values.
    pub(crate) fn count(&self) -> u64 {
        self.zeros + self.below.iter().sum::<u64>() + self.above.iter().sum::<u64>()
    }

    /// Value and count of each bin on one side of zero, from zero outwards, the value as its distance.
    pub(crate) fn side(&self, positive: bool) -> impl DoubleEndedIterator<Item = (f64, u64)> {
        let width = f64::from(self.reach) / BINS as f64;
        let bins = if positive { &self.above } else { &self.below };
        bins.iter().enumerate().map(move |(i, &n)| ((i as f64 + 0.5) * width, n))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f32]) -> Histogram {
        let mut h = Histogram::default();
        h.add(values).unwrap();
        h
    }

    #[test]
    fn merging_is_the_same_as_adding() {
        let (a, b) = ([-0.5, 0.0, 3.0], [100.0, -7.0, 1e-3]);
        let mut merged = of(&a);
        merged.merge(&of(&b));
        assert_eq!(merged, of(&[a, b].concat()));
        assert_eq!((merged.low, merged.high, merged.count()), (-7.0, 100.0, 6));
    }

    #[test]
    fn values_are_found_where_they_are() {
        let h = of(&[-0.25, 0.75, 0.75, 0.0]);
        let above: Vec<_> = h.side(true).filter(|b| b.1 > 0).collect();
        assert_eq!(above.len(), 1);
        assert!((above[0].0 - 0.75).abs() < 1e-3 && above[0].1 == 2);
        assert!(h.side(false).any(|(v, n)| n == 1 && (v - 0.25).abs() < 1e-3));
    }

    #[test]
    fn what_is_not_finite_is_told() {
        assert!(Histogram::default().add(&[1.0, f32::NAN]).unwrap_err().is_nan());
        assert_eq!(Histogram::default().add(&[f32::INFINITY]), Err(f32::INFINITY));
    }
}
