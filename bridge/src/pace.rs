//! Thermal state in, pace out.

use crate::border::ffi::{PaceDecision, PaceReading};
use crate::guard::{lock, shielded};
use osprey_detector::pipeline::governor::{self, Battery, Reading, Thermal};
use std::sync::Mutex;

/// Decides how often to detect. Any thread may use it.
#[derive(Debug)]
pub struct Governor(Mutex<governor::Governor>);

/// A governor for a camera of so many frames per second.
pub fn governor(camera_fps: f64) -> Governor {
    Governor(Mutex::new(governor::Governor::for_camera(camera_fps)))
}

impl Governor {
    /// The decision after a reading; see [`governor::decide`].
    pub fn decide(&self, reading: PaceReading) -> PaceDecision {
        let thermal = match reading.thermal {
            0 => Thermal::Nominal,
            1 => Thermal::Fair,
            2 => Thermal::Serious,
            // An unknown state of a later system is taken for the worst.
            _ => Thermal::Critical,
        };
        let level = (0.0..=1.0).contains(&reading.battery_level).then_some(reading.battery_level);
        let battery = Battery { level, charging: reading.charging, saving: reading.saving };
        let reading = Reading { at: reading.at, thermal, battery, latency_ms: reading.latency_ms };
        let idle = PaceDecision { level: 0, interval: 1, allowed: 0.0, expected: 0.0 };
        shielded(idle, || {
            let governor::Decision { level, interval, allowed, expected } = lock(&self.0).observe(&reading);
            PaceDecision { level: level as u32, interval, allowed, expected }
        })
    }
}
