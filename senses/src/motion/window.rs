//! Windows of evenly spaced samples, out of samples that come as they come.

use super::{MotionError, Resampling};
use serde::Serialize;

/// Grid points and samples closer than this, in periods, are at the same time.
const SAME_TIME: f64 = 1e-3;
/// A gap is at least this long, in periods of the model and in seconds: slower sensors than the
/// model's rate are still one stream.
const GAP_PERIODS: f64 = 4.0;
const GAP_SECONDS: f64 = 0.5;
/// Times are told apart to a microsecond up to here, in seconds: beyond it, the points of a grid would
/// fall together. A century since 1970 in seconds is 3.2e9; the same in milliseconds is beyond.
const LATEST: f64 = 4e9;
/// No sensor's value is larger, in any unit; sums of more would overflow on their way to the model.
const LARGEST: f32 = 1e9;

/// Shape and pace of the windows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WindowSettings {
    /// Values of a sample.
    pub channels: usize,
    /// Points of a window.
    pub length: usize,
    /// Points from the start of one window to that of the next, at most the length.
    pub hop: usize,
    /// Points per second.
    pub rate: f64,
    /// How points follow from samples.
    pub resampling: Resampling,
    /// Seconds without a sample after which the stream starts anew.
    pub max_gap: f64,
}

impl WindowSettings {
    /// Windows that do not overlap, linear resampling, and a gap of four periods or half a second,
    /// whichever is longer.
    pub fn new(channels: usize, length: usize, rate: f64) -> Self {
        let max_gap = (GAP_PERIODS / rate).max(GAP_SECONDS);
        Self { channels, length, hop: length, rate, resampling: Resampling::Linear, max_gap }
    }

    fn check(&self) -> Result<(), MotionError> {
        let positive = |v: f64| v.is_finite() && v > 0.0;
        let (setting, value, allowed) = match self {
            s if s.channels == 0 => ("the number of channels", 0.0, "1 or more"),
            s if s.length == 0 => ("the length of a window", 0.0, "1 or more"),
            s if s.hop == 0 || s.hop > s.length => {
                ("the hop between windows", s.hop as f64, "1 to the window's length")
            }
            s if !positive(s.rate) => ("the sampling rate", s.rate, "above 0 Hz"),
            s if !positive(s.max_gap) => ("the longest gap", s.max_gap, "above 0 s"),
            _ => return Ok(()),
        };
        Err(MotionError::Setting { setting, value, allowed })
    }
}

/// What became of all samples; all but the restarts add up to the samples pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct SampleCounts {
    /// Taken.
    pub taken: u64,
    /// Left out: at the same time as the one before.
    pub duplicates: u64,
    /// Left out: older than the one before.
    pub late: u64,
    /// Left out: NaN or infinite values, or values beyond 1e9.
    pub not_finite: u64,
    /// Left out: a time that is NaN, infinite, or more than 4e9 seconds from zero.
    pub bad_time: u64,
    /// Left out: another number of values.
    pub wrong_length: u64,
    /// Of those taken, how many started the stream anew, after a gap or a clock set back.
    pub restarts: u64,
}

/// What a [`MotionWindow`] has to say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum WindowEvent<'a> {
    /// The stream starts anew: states that were carried from window to window are void.
    Restart,
    /// A window is full.
    Window {
        /// Time of its last point, in seconds.
        time: f64,
        /// Its points, oldest first, the channels of each side by side.
        values: &'a [f32],
    },
}

/// A ring buffer that turns samples at any times into windows at a fixed rate.
///
/// The first sample sets the grid. Between samples values are resampled; duplicates in time are
/// left out; a gap, or a clock set back by more than a gap, starts anew. Pushing allocates nothing.
#[derive(Debug, Clone)]
pub struct MotionWindow {
    settings: WindowSettings,
    /// Two copies of the ring, so that every window lies in one piece.
    ring: Vec<f32>,
    /// Points since the restart, and how many more the next window takes.
    points: u64,
    until_window: usize,
    origin: f64,
    newest: Option<f64>,
    newest_values: Vec<f32>,
    /// The point being made: whether its value on the line is known, that value, and the sum of the
    /// samples around it.
    on_line: bool,
    line: Vec<f32>,
    sum: Vec<f64>,
    summed: u32,
    counts: SampleCounts,
}

impl MotionWindow {
    /// An empty buffer.
    ///
    /// # Errors
    /// [`MotionError::Setting`].
    pub fn new(settings: WindowSettings) -> Result<Self, MotionError> {
        settings.check()?;
        let channels = settings.channels;
        Ok(Self {
            ring: vec![0.0; 2 * settings.length * channels],
            points: 0,
            until_window: settings.length,
            origin: 0.0,
            newest: None,
            newest_values: vec![0.0; channels],
            on_line: false,
            line: vec![0.0; channels],
            sum: vec![0.0; channels],
            summed: 0,
            counts: SampleCounts::default(),
            settings,
        })
    }

    /// Shape and pace of the windows.
    pub fn settings(&self) -> &WindowSettings {
        &self.settings
    }

    /// What became of all samples so far.
    pub fn counts(&self) -> SampleCounts {
        self.counts
    }

    /// Forgets all samples; the next one starts a new grid.
    pub fn reset(&mut self) {
        self.newest = None;
    }

    /// Takes a sample with the time it was measured at, in seconds on any clock, and tells
    /// `on_event` of restarts and of the windows that it completes: none for most samples, several
    /// where the model's rate is higher than the sensor's.
    ///
    /// # Errors
    /// [`MotionError::Channels`], [`MotionError::NotFinite`], [`MotionError::Time`],
    /// [`MotionError::Late`]; the sample is then left out, and those after it are taken.
    pub fn push(
        &mut self,
        time: f64,
        values: &[f32],
        mut on_event: impl FnMut(WindowEvent<'_>),
    ) -> Result<(), MotionError> {
        self.check(time, values)?;
        let max_gap = self.settings.max_gap;
        match self.newest {
            Some(newest) if time < newest && time >= newest - max_gap => {
                self.counts.late += 1;
                return Err(MotionError::Late { time, newest });
            }
            Some(newest) if time == newest => {
                self.counts.duplicates += 1;
                return Ok(());
            }
            Some(newest) if time > newest && time - newest <= max_gap => {
                self.advance(newest, time, values, &mut on_event);
            }
            _ => {
                self.restart(time);
                on_event(WindowEvent::Restart);
                self.advance(time, time, values, &mut on_event);
            }
        }
        self.counts.taken += 1;
        self.newest = Some(time);
        self.newest_values.copy_from_slice(values);
        Ok(())
    }

    fn check(&mut self, time: f64, values: &[f32]) -> Result<(), MotionError> {
        let expected = self.settings.channels;
        if values.len() != expected {
            self.counts.wrong_length += 1;
            return Err(MotionError::Channels { expected, actual: values.len() });
        }
        if !time.is_finite() || time.abs() > LATEST {
            self.counts.bad_time += 1;
            return Err(MotionError::Time { time });
        }
        if let Some(channel) = values.iter().position(|v| !v.is_finite() || v.abs() > LARGEST) {
            self.counts.not_finite += 1;
            return Err(MotionError::NotFinite { channel, time, value: values[channel] });
        }
        Ok(())
    }

    fn restart(&mut self, time: f64) {
        self.counts.restarts += 1;
        (self.origin, self.points, self.until_window) = (time, 0, self.settings.length);
        self.on_line = false;
        self.clear_sum();
    }

    fn clear_sum(&mut self) {
        self.sum.fill(0.0);
        self.summed = 0;
    }

    /// Makes all points that the line from the newest sample to this one decides.
    fn advance(&mut self, from: f64, to: f64, values: &[f32], on_event: &mut impl FnMut(WindowEvent<'_>)) {
        let period = 1.0 / self.settings.rate;
        let tolerance = SAME_TIME * period;
        loop {
            let point = self.origin + self.points as f64 * period;
            if !self.on_line {
                if point > to + tolerance {
                    break;
                }
                self.interpolate(from, to, point, values, tolerance);
                self.on_line = true;
            }
            if self.settings.resampling == Resampling::Mean {
                if to < point + period / 2.0 - tolerance {
                    break;
                }
                if self.summed >= 2 {
                    let count = f64::from(self.summed);
                    self.line.iter_mut().zip(&self.sum).for_each(|(v, s)| *v = (s / count) as f32);
                }
                self.clear_sum();
            }
            self.on_line = false;
            self.store(point, on_event);
        }
        if self.settings.resampling == Resampling::Mean {
            self.sum.iter_mut().zip(values).for_each(|(s, v)| *s += f64::from(*v));
            self.summed += 1;
        }
    }

    fn interpolate(&mut self, from: f64, to: f64, point: f64, values: &[f32], tolerance: f64) {
        // A sample on the grid passes as it is, to the last bit.
        if (to - point).abs() <= tolerance {
            self.line.copy_from_slice(values);
        } else if (from - point).abs() <= tolerance {
            self.line.copy_from_slice(&self.newest_values);
        } else {
            let share = ((point - from) / (to - from)) as f32;
            for ((v, a), b) in self.line.iter_mut().zip(&self.newest_values).zip(values) {
                *v = a + (b - a) * share;
            }
        }
    }

    fn store(&mut self, time: f64, on_event: &mut impl FnMut(WindowEvent<'_>)) {
        let (length, channels) = (self.settings.length, self.settings.channels);
        let at = (self.points % length as u64) as usize;
        for copy in [at, at + length] {
            self.ring[copy * channels..][..channels].copy_from_slice(&self.line);
        }
        self.points += 1;
        self.until_window -= 1;
        if self.until_window == 0 {
            self.until_window = self.settings.hop;
            let values = &self.ring[(at + 1) * channels..][..length * channels];
            on_event(WindowEvent::Window { time, values });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// (time of its end, values) of every window, and the number of restarts.
    fn run(settings: WindowSettings, samples: &[(f64, f32)]) -> (Vec<(f64, Vec<f32>)>, usize, SampleCounts) {
        let mut window = MotionWindow::new(settings).unwrap();
        let (mut windows, mut restarts) = (Vec::new(), 0);
        for &(time, value) in samples {
            let _ = window.push(time, &[value], |event| match event {
                WindowEvent::Restart => restarts += 1,
                WindowEvent::Window { time, values } => windows.push((time, values.to_vec())),
            });
        }
        let counts = window.counts();
        let finite = counts.not_finite + counts.bad_time;
        let left_out = counts.duplicates + counts.late + finite + counts.wrong_length;
        assert_eq!(counts.taken + left_out, samples.len() as u64, "every sample is accounted for");
        (windows, restarts, counts)
    }

    fn every(hop: usize, length: usize, rate: f64) -> WindowSettings {
        WindowSettings { hop, ..WindowSettings::new(1, length, rate) }
    }

    #[test]
    fn samples_on_the_grid_pass_unchanged() {
        let samples: Vec<(f64, f32)> =
            (0..10).map(|i| (1.6e9 + f64::from(i) / 50.0, 0.1 + i as f32)).collect();
        let (windows, restarts, _) = run(every(2, 4, 50.0), &samples);
        let starts: Vec<f32> = windows.iter().map(|(_, w)| w[0]).collect();
        assert_eq!((starts, restarts), (vec![0.1, 2.1, 4.1, 6.1], 1));
        assert_eq!(windows[1].1, [2.1, 3.1, 4.1, 5.1]);
    }

    proptest! {
        #[test]
        fn a_straight_line_stays_straight(steps in prop::collection::vec(1u32..200, 30..200), rate in 2f64..80.0, mean: bool) {
            let mut time = 100.0;
            let samples: Vec<(f64, f32)> = steps.iter().map(|ms| {
                time += f64::from(*ms) / 1000.0;
                (time, (time - 100.0) as f32)
            }).collect();
            let resampling = if mean { Resampling::Mean } else { Resampling::Linear };
            let settings = WindowSettings { max_gap: 1.0, resampling, ..every(1, 3, rate) };
            let (windows, restarts, _) = run(settings, &samples);
            prop_assert_eq!(restarts, 1);
            for (k, (end, values)) in windows.iter().enumerate() {
                let expected_end = samples[0].0 + (k + 2) as f64 / rate;
                prop_assert!((end - expected_end).abs() < 1e-9);
                // A mean lies within half a period of the point, a sample taken for it within the tolerance.
                let near = if mean { 0.5 } else { SAME_TIME as f32 };
                let tolerance = near / rate as f32 + 1e-4;
                for (i, v) in values.iter().enumerate() {
                    let time = end - (2 - i) as f64 / rate;
                    prop_assert!((v - (time - 100.0) as f32).abs() < tolerance, "{v} at {time}");
                }
            }
            let span = samples[samples.len() - 1].0 - samples[0].0;
            let due = ((span - if mean { 0.5 / rate } else { 0.0 }) * rate).floor() - 1.0;
            prop_assert!((windows.len() as f64 - due.max(0.0)).abs() <= 1.0, "{} windows, {due} due", windows.len());
        }
    }

    #[test]
    fn means_remove_what_is_too_fast() {
        // 400 Hz with a strong hum at 200 Hz, of which a sensor at 20 Hz would see anything.
        let samples: Vec<(f64, f32)> =
            (0..800).map(|i| (f64::from(i) / 400.0, 1.0 + if i % 2 == 0 { 5.0 } else { -5.0 })).collect();
        let (linear, ..) = run(every(1, 1, 20.0), &samples);
        assert!(linear.iter().skip(1).all(|(_, v)| v[0] == 6.0), "all on one side of the hum");
        let mean = WindowSettings { resampling: Resampling::Mean, ..every(1, 1, 20.0) };
        let (mean, ..) = run(mean, &samples);
        assert!(mean.len() >= 38 && mean.iter().skip(1).all(|(_, v)| (v[0] - 1.0).abs() < 1e-5), "{mean:?}");
    }

    #[test]
    fn a_gap_starts_anew_and_no_window_spans_it() {
        let samples: Vec<(f64, f32)> = (0..7)
            .map(|i| (f64::from(i) / 10.0, 0.0))
            .chain((0..8).map(|i| (5.0 + f64::from(i) / 10.0, 1.0)))
            .collect();
        let (windows, restarts, counts) = run(every(4, 4, 10.0), &samples);
        assert_eq!((restarts, counts.restarts), (2, 2));
        let values: Vec<Vec<f32>> = windows.into_iter().map(|(_, w)| w).collect();
        assert_eq!(values, [vec![0.0; 4], vec![1.0; 4], vec![1.0; 4]]);
    }

    #[test]
    fn short_gaps_are_bridged() {
        let (windows, restarts, _) = run(every(5, 5, 10.0), &[(0.0, 0.0), (0.1, 1.0), (0.4, 4.0)]);
        assert_eq!(restarts, 1);
        for (is, should) in windows[0].1.iter().zip([0.0, 1.0, 2.0, 3.0, 4.0]) {
            assert!((is - should).abs() < 1e-5);
        }
    }

    #[test]
    fn duplicates_late_samples_and_nonsense_leave_no_trace() {
        let clean: Vec<(f64, f32)> = (0..20).map(|i| (f64::from(i) / 10.0, i as f32)).collect();
        let mut dirty = Vec::new();
        for &(time, value) in &clean {
            dirty.push((time, value));
            dirty.push((time, 99.0));
            dirty.push((time - 0.05, 99.0));
            dirty.extend([(f64::NAN, 99.0), (f64::INFINITY, 99.0), (time + 0.03, f32::NAN)]);
            dirty.push((time + 0.03, f32::NEG_INFINITY));
        }
        let (expected, ..) = run(every(1, 4, 10.0), &clean);
        let (windows, restarts, counts) = run(every(1, 4, 10.0), &dirty);
        assert_eq!((windows, restarts), (expected, 1));
        assert_eq!((counts.duplicates, counts.late), (20, 20));
        assert_eq!((counts.not_finite, counts.bad_time), (40, 40));
    }

    #[test]
    fn a_clock_set_back_starts_anew() {
        let samples: Vec<(f64, f32)> =
            (0..8).map(|i| (f64::from(i % 4) / 10.0 + if i < 4 { 1e9 } else { 7.0 }, i as f32)).collect();
        let (windows, restarts, _) = run(every(4, 4, 10.0), &samples);
        assert_eq!((windows.len(), restarts), (2, 2));
        assert_eq!(windows[1].1, [4.0, 5.0, 6.0, 7.0]);
    }

    #[test]
    fn times_beyond_a_grid_and_values_beyond_a_sensor_are_left_out() {
        // A microsecond clock, a nanosecond clock and 1e300 read as seconds: a point of the grid and the
        // next one would be the same number, and there would be no end of them.
        for far in [1.7e15, 1.7e18, 1e300, -1e300] {
            let samples: Vec<(f64, f32)> = (0..100).map(|i| (far + f64::from(i) * 1e7, 1.0)).collect();
            let (windows, restarts, counts) = run(every(4, 4, 10.0), &samples);
            assert_eq!((windows.len(), restarts, counts.bad_time), (0, 0, 100), "{far}");
        }
        let (windows, _, counts) = run(every(1, 1, 10.0), &[(0.0, 1e38), (0.1, -1e38), (0.2, 1.0)]);
        assert_eq!((windows.len(), counts.not_finite, counts.taken), (1, 2, 1));
    }

    #[test]
    fn errors_name_the_sample() {
        let mut window = MotionWindow::new(WindowSettings::new(2, 4, 10.0)).unwrap();
        let mut push = |time, values: &[f32]| window.push(time, values, |_| {});
        push(1.0, &[0.0, 0.0]).unwrap();
        assert!(matches!(push(1.1, &[0.0]), Err(MotionError::Channels { expected: 2, actual: 1 })));
        assert!(matches!(push(1.1, &[0.0, f32::NAN]), Err(MotionError::NotFinite { channel: 1, .. })));
        assert!(matches!(push(0.9, &[0.0, 0.0]), Err(MotionError::Late { .. })));
        assert!(matches!(push(f64::NAN, &[0.0, 0.0]), Err(MotionError::Time { .. })));
        for settings in [
            WindowSettings::new(0, 4, 10.0),
            WindowSettings::new(1, 0, 10.0),
            WindowSettings::new(1, 4, 0.0),
            WindowSettings::new(1, 4, f64::NAN),
            every(0, 4, 10.0),
            every(5, 4, 10.0),
        ] {
            assert!(matches!(MotionWindow::new(settings), Err(MotionError::Setting { .. })), "{settings:?}");
        }
    }
}
