//! From what a tensor held to its scale and zero point.

use crate::histogram::Histogram;

/// Levels of an int8 tensor, less one.
const STEPS: f64 = 255.0;
/// Shares of each end that [`Method::Mse`] tries, from all of it down to an eighth.
const TRIED: usize = 64;

/// How a tensor's range is chosen by what it held. Zero always is in it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub enum Method {
    /// From the least to the greatest value.
    MinMax,
    /// All but this share of the values, half of it at each end; 0.0001 is usual.
    Percentile(f32),
    /// Where values beyond the ends and the steps between them add up to the least squared error.
    #[default]
    Mse,
}

/// Scale and zero point of an int8 tensor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Affine {
    pub(crate) scale: f32,
    pub(crate) zero_point: i32,
}

impl Affine {
    /// So that `low` to `high` and zero are held, zero exactly.
    pub(crate) fn of(low: f32, high: f32) -> Self {
        let (low, high) = (f64::from(low.min(0.0)), f64::from(high.max(0.0)));
        let scale = (high - low) / STEPS;
        // A tensor that is always zero.
        if !(scale as f32).is_normal() {
            return Self { scale: 1.0 / STEPS as f32, zero_point: -128 };
        }
        Self {
            scale: scale as f32,
            zero_point: (-128.0 - low / scale).round_ties_even().clamp(-128.0, 127.0) as i32,
        }
    }

    /// The level nearest to a number.
    pub(crate) fn level(self, value: f32) -> i8 {
        ((value / self.scale).round_ties_even() + self.zero_point as f32).clamp(-128.0, 127.0) as i8
    }
}

/// The range that `method` gives.
pub(crate) fn choose(method: Method, held: &Histogram) -> (f32, f32) {
    match method {
        Method::MinMax => (held.low, held.high),
        Method::Percentile(share) => {
            let beyond = (f64::from(share.clamp(0.0, 1.0)) / 2.0 * held.count() as f64) as u64;
            (-tail(held, false, beyond).min(-held.low), tail(held, true, beyond).min(held.high))
        }
        Method::Mse => least_error(held),
    }
}

/// The distance from zero that no more than `beyond` values on this side exceed.
fn tail(held: &Histogram, positive: bool, beyond: u64) -> f32 {
    let mut seen = 0;
    let mut bins = held.side(positive).rev();
    let outermost = if positive { held.high } else { -held.low };
    bins.find(|&(_, n)| {
        seen += n;
        seen > beyond
    })
    .map_or(0.0, |(value, _)| if beyond == 0 { outermost } else { value as f32 })
}

/// Sums over the bins of one side from each bin outwards: what clipping costs follows from them.
struct Tail {
    /// Distance of the bin, and counts, distances and their squares added up from here on.
    bins: Vec<(f64, [f64; 3])>,
}

impl Tail {
    fn new(held: &Histogram, positive: bool) -> Self {
        let mut sums = [0.0; 3];
        let mut bins: Vec<_> = held
            .side(positive)
            .rev()
            .map(|(v, n)| {
                let n = n as f64;
                sums = [sums[0] + n, sums[1] + n * v, sums[2] + n * v * v];
                (v, sums)
            })
            .collect();
        bins.reverse();
        Self { bins }
    }

    /// Squared error of all that lies beyond `end`, and how many lie within.
    fn clipped(&self, end: f64) -> (f64, f64) {
        let all = self.bins.first().map_or(0.0, |(_, s)| s[0]);
        let at = self.bins.partition_point(|(v, _)| *v <= end);
        let Some((_, [n, sum, squares])) = self.bins.get(at) else { return (0.0, all) };
        ((squares - 2.0 * end * sum + n * end * end).max(0.0), all - n)
    }
}

fn least_error(held: &Histogram) -> (f32, f32) {
    let (below, above) = (Tail::new(held, false), Tail::new(held, true));
    let shares = |end: f32| -> Vec<f64> {
        let tried = if end == 0.0 { 1 } else { TRIED };
        (0..tried).map(|i| f64::from(end.abs()) * (1.0 - 0.875 * i as f64 / TRIED as f64)).collect()
    };
    let (lows, highs) = (shares(held.low), shares(held.high));
    let lows: Vec<_> = lows.into_iter().map(|end| (end, below.clipped(end))).collect();
    let highs: Vec<_> = highs.into_iter().map(|end| (end, above.clipped(end))).collect();
    let mut best = (f64::INFINITY, (held.low, held.high));
    for &(low, (lost_low, within_low)) in &lows {
        for &(high, (lost_high, within_high)) in &highs {
            let step = (low + high) / STEPS;
            // Rounding is spread evenly over a step; zeros are exact and were not counted.
            let error = lost_low + lost_high + (within_low + within_high) * step * step / 12.0;
            if error < best.0 {
                best = (error, (-low as f32, high as f32));
            }
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(values: &[f32]) -> Histogram {
        let mut h = Histogram::default();
        h.add(values).unwrap();
        h
    }

    /// Many small values and one far out.
    fn outlier() -> Histogram {
        let mut values: Vec<f32> = (0..20_000).map(|i| (i % 2000) as f32 / 1000.0 - 1.0).collect();
        values.push(40.0);
        held(&values)
    }

    #[test]
    fn zero_is_exact_and_the_ends_are_held() {
        for (low, high) in [(-1.0, 1.0), (0.0, 6.0), (2.0, 5.0), (-3.0, -1.0), (-0.1, 7.3)] {
            let q = Affine::of(low, high);
            assert_eq!(i32::from(q.level(0.0)), q.zero_point);
            for v in [low, high] {
                let back = (f32::from(q.level(v)) - q.zero_point as f32) * q.scale;
                assert!((back - v).abs() <= q.scale * 0.51, "{low} {high}: {v} becomes {back}");
            }
        }
        assert_eq!(Affine::of(0.0, 0.0).level(0.0), -128);
    }

    #[test]
    fn min_max_takes_all_the_others_leave_outliers_out() {
        let h = outlier();
        assert_eq!(choose(Method::MinMax, &h), (-1.0, 40.0));
        let (low, high) = choose(Method::Percentile(0.001), &h);
        assert!((-1.0..-0.98).contains(&low) && high < 1.1, "{low} {high}");
        let (low, high) = choose(Method::Mse, &h);
        assert!((-1.0..-0.9).contains(&low) && high < 40.0, "{low} {high}");
    }

    #[test]
    fn percentile_of_nothing_is_min_max() {
        assert_eq!(choose(Method::Percentile(0.0), &outlier()), (-1.0, 40.0));
    }
}
