//! Thermal state in, pace out.

use crate::border::ffi::{PaceDecision, PaceReading};
use crate::guard::{lock, shielded};
use osprey_detector::pipeline::governor::{
    Battery, Policy, Reading, State, Thermal, allowed_share, decide, expected_share,
};
use std::sync::Mutex;

/// Decides how often to detect. Any thread may use it.
#[derive(Debug)]
pub struct Governor {
    policy: Policy,
    state: Mutex<State>,
}

/// A governor for a camera of so many frames per second.
pub fn governor(camera_fps: f64) -> Governor {
    let mut policy = Policy::default();
    if camera_fps.is_finite() && camera_fps > 0.0 {
        policy.camera_fps = camera_fps;
    }
    Governor { policy, state: Mutex::default() }
}

impl Governor {
    /// The decision after a reading; see [`decide`].
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
            let mut state = lock(&self.state);
            *state = decide(&state, &reading, &self.policy);
            PaceDecision {
                level: state.level as u32,
                interval: state.setting(&self.policy).interval,
                allowed: allowed_share(&reading, &self.policy),
                expected: expected_share(&reading, &state, state.level, &self.policy),
            }
        })
    }
}
