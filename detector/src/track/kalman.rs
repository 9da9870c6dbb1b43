//! Where a box is and where it goes: a Kalman filter with constant velocity for each of centre x,
//! centre y, width and height.
//!
//! The four do not influence each other in SORT's model either (Bewley et al. 2016, section 3.2),
//! so that each is a filter of position and velocity alone. Unlike SORT's, which counts in frames,
//! it counts in seconds, and noise grows with the time that passed.

use crate::geometry::NormBox;

/// Standard deviation of a detector's box edges, in box sizes: SORT's 1/20.
const MEASUREMENT: f32 = 1.0 / 20.0;

/// Unforeseen acceleration of a centre, in box sizes per second, over a second.
const CENTER_ACCELERATION: f32 = 2.5;

/// The same of width and height: objects grow more slowly than they move.
const SIZE_ACCELERATION: f32 = 0.6;

/// Standard deviation of an unknown velocity, in box sizes per second.
const FIRST_VELOCITY: f32 = 2.0;

/// Squared surprise, in variances, beyond which a motion counts as new: 99.7 % of a normal
/// distribution lie within.
const SURPRISE: f32 = 9.0;

/// Neither sides nor deviations become smaller, in fractions of the picture.
const SMALLEST: f32 = 1e-4;

/// A position and its velocity with their covariance.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Axis {
    position: f32,
    velocity: f32,
    /// Variance of position, covariance, variance of velocity.
    covariance: [f32; 3],
}

impl Axis {
    fn new(position: f32, size: f32) -> Self {
        let (p, v) = (MEASUREMENT * size, FIRST_VELOCITY * size);
        Self { position, velocity: 0.0, covariance: [p * p, 0.0, v * v] }
    }

    /// After `dt` seconds in which the velocity wandered as white noise in acceleration makes it.
    fn predict(&mut self, dt: f32, acceleration: f32) {
        let [pp, pv, vv] = self.covariance;
        let noise = acceleration * acceleration;
        self.position += dt * self.velocity;
        self.covariance = [
            pp + dt * (2.0 * pv + dt * vv) + noise * dt * dt * dt / 3.0,
            pv + dt * vv + noise * dt * dt / 2.0,
            vv + noise * dt,
        ];
    }

    fn update(&mut self, measured: f32, deviation: f32) {
        let innovation = measured - self.position;
        let noise = deviation * deviation;
        let [mut pp, mut pv, vv] = self.covariance;
        let surprise = innovation * innovation / (pp + noise);
        if surprise > SURPRISE {
            // A real jump: trust the detection, or the box would lag behind it.
            let factor = surprise / SURPRISE;
            pp *= factor;
            pv *= factor.sqrt();
        }
        let gain_p = pp / (pp + noise);
        let gain_v = pv / (pp + noise);
        self.position += gain_p * innovation;
        self.velocity += gain_v * innovation;
        self.covariance = [pp * (1.0 - gain_p), pv * (1.0 - gain_p), (vv - gain_v * pv).max(0.0)];
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct BoxFilter {
    /// Centre x, centre y, width, height.
    axes: [Axis; 4],
}

impl BoxFilter {
    pub(super) fn new(bbox: NormBox) -> Self {
        let [x, y, w, h] = to_center(bbox);
        Self { axes: [Axis::new(x, w), Axis::new(y, h), Axis::new(w, w), Axis::new(h, h)] }
    }

    pub(super) fn predict(&mut self, dt: f32) {
        let [w, h] = self.size();
        for (axis, acceleration) in self.axes.iter_mut().zip([
            CENTER_ACCELERATION * w,
            CENTER_ACCELERATION * h,
            SIZE_ACCELERATION * w,
            SIZE_ACCELERATION * h,
        ]) {
            axis.predict(dt, acceleration);
        }
    }

    pub(super) fn update(&mut self, bbox: NormBox) {
        let measured = to_center(bbox);
        let [w, h] = self.size();
        for ((axis, measured), size) in self.axes.iter_mut().zip(measured).zip([w, h, w, h]) {
            axis.update(measured, MEASUREMENT * size);
        }
    }

    /// Stops growth and shrinking: without detections they would run away.
    pub(super) fn hold_size(&mut self) {
        self.axes[2].velocity = 0.0;
        self.axes[3].velocity = 0.0;
    }

    pub(super) fn bbox(&self) -> NormBox {
        let [x, y] = [self.axes[0].position, self.axes[1].position];
        let [w, h] = self.size().map(|side| side / 2.0);
        NormBox { x_min: x - w, y_min: y - h, x_max: x + w, y_max: y + h }
    }

    fn size(&self) -> [f32; 2] {
        [self.axes[2].position.max(SMALLEST), self.axes[3].position.max(SMALLEST)]
    }
}

fn to_center(b: NormBox) -> [f32; 4] {
    let (w, h) = ((b.x_max - b.x_min).max(SMALLEST), (b.y_max - b.y_min).max(SMALLEST));
    [(b.x_min + b.x_max) / 2.0, (b.y_min + b.y_max) / 2.0, w, h]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(x: f32) -> NormBox {
        NormBox { x_min: x - 0.05, y_min: 0.4, x_max: x + 0.05, y_max: 0.7 }
    }

    #[test]
    fn a_steady_motion_is_followed_without_lag() {
        let mut filter = BoxFilter::new(at(0.1));
        for frame in 1..60 {
            filter.predict(1.0 / 60.0);
            filter.update(at(0.1 + frame as f32 * 0.01));
        }
        let center = (filter.bbox().x_min + filter.bbox().x_max) / 2.0;
        assert!((center - 0.69).abs() < 0.001, "{center}");
        filter.predict(0.1);
        let center = (filter.bbox().x_min + filter.bbox().x_max) / 2.0;
        assert!((center - 0.75).abs() < 0.005, "{center}");
    }

    #[test]
    fn a_jump_is_followed_within_two_detections() {
        let mut filter = BoxFilter::new(at(0.2));
        for _ in 0..60 {
            filter.predict(1.0 / 60.0);
            filter.update(at(0.2));
        }
        for _ in 0..2 {
            filter.predict(1.0 / 60.0);
            filter.update(at(0.35));
        }
        let center = (filter.bbox().x_min + filter.bbox().x_max) / 2.0;
        assert!((center - 0.35).abs() < 0.02, "{center}");
    }

    #[test]
    fn jitter_is_smoothed() {
        let mut filter = BoxFilter::new(at(0.5));
        let mut worst: f32 = 0.0;
        for frame in 0..120 {
            filter.predict(1.0 / 60.0);
            filter.update(at(0.5 + if frame % 2 == 0 { 0.005 } else { -0.005 }));
            if frame > 20 {
                worst = worst.max(((filter.bbox().x_min + filter.bbox().x_max) / 2.0 - 0.5).abs());
            }
        }
        assert!(worst < 0.002, "{worst}");
    }
}
