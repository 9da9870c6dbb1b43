//! How often to detect, so that a device stays cool and frames stay current.
//!
//! [`decide`] is a pure function: the same readings give the same settings, so that recorded traces
//! can be played through it, and [`Governor`] keeps what it goes by. The rule is the share of time
//! that inference may take: a thermal state and the battery allow a share; the shortest interval of
//! detection that stays within it is taken. Longer intervals are taken soon, shorter ones only after
//! calm, with room to spare, and more slowly each time that a shorter one had to be given up again.

mod recent;

pub(super) use recent::Recent;

use serde::{Deserialize, Serialize};

/// How hot the device is, as operating systems report it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Thermal {
    /// No limits.
    #[default]
    Nominal,
    /// Slightly warm.
    Fair,
    /// The system slows down.
    Serious,
    /// The system is about to shut parts down.
    Critical,
}

/// Where the power comes from.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Battery {
    /// Charge, 0 to 1; `None` without a battery.
    pub level: Option<f32>,
    /// Whether it is being charged.
    pub charging: bool,
    /// Whether the user asked to save power.
    pub saving: bool,
}

/// What was observed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// Time in seconds, on any clock.
    pub at: f64,
    /// How hot the device is.
    pub thermal: Thermal,
    /// Where the power comes from.
    pub battery: Battery,
    /// Milliseconds that inference takes now: a high percentile of the last second.
    pub latency_ms: f64,
}

/// What may be chosen, and how boldly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// Frames per second of the camera.
    pub camera_fps: f64,
    /// Every how many camera frames to detect; tracks are predicted between. Shortest first; every
    /// frame if empty.
    pub intervals: Vec<u32>,
    /// Share of time that inference may take in each thermal state, nominal first.
    pub share: [f64; 4],
    /// Factor on the share below a fifth of the battery, or where power is to be saved.
    pub saving_factor: f64,
    /// Seconds of overload before a longer interval is taken; critical heat does not wait.
    pub patience: f64,
    /// Seconds of calm before a shorter interval is taken.
    pub calm: f64,
    /// A shorter interval must stay within this part of the share.
    pub headroom: f64,
    /// Most seconds of calm that are asked for, after shorter intervals had to be given up.
    pub max_calm: f64,
}

impl Default for Policy {
    /// For a 30 FPS camera with one model: from every frame to twice a second.
    fn default() -> Self {
        Self {
            camera_fps: 30.0,
            intervals: vec![1, 2, 3, 4, 6, 10, 15],
            share: [0.9, 0.6, 0.3, 0.1],
            saving_factor: 0.6,
            patience: 1.0,
            calm: 6.0,
            headroom: 0.8,
            max_calm: 60.0,
        }
    }
}

/// What is in force, and what led to it.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct State {
    /// Index of the interval in force.
    pub level: usize,
    /// Since when the interval in force is too short.
    over_since: Option<f64>,
    /// Since when a shorter one would fit.
    calm_since: Option<f64>,
    /// When the last step to a shorter one was.
    raised_at: Option<f64>,
    /// Seconds of calm asked for now; zero for the policy's own.
    wait: f64,
}

impl State {
    /// The interval in force.
    pub fn interval(&self, policy: &Policy) -> u32 {
        policy.intervals.get(self.level).or(policy.intervals.last()).map_or(1, |interval| (*interval).max(1))
    }
}

/// The share of time that inference may take.
pub fn allowed_share(reading: &Reading, policy: &Policy) -> f64 {
    let Battery { level, charging, saving } = reading.battery;
    let low = !charging && level.is_some_and(|level| level < 0.2);
    let factor = if low || saving { policy.saving_factor } else { 1.0 };
    policy.share[reading.thermal as usize] * factor
}

/// The share of time that inference takes with the interval of `state`.
pub fn expected_share(reading: &Reading, state: &State, policy: &Policy) -> f64 {
    reading.latency_ms / 1e3 * policy.camera_fps / f64::from(state.interval(policy))
}

/// The next state, by what was observed.
#[must_use]
pub fn decide(state: &State, reading: &Reading, policy: &Policy) -> State {
    let mut next = *state;
    let last = policy.intervals.len().saturating_sub(1);
    next.level = next.level.min(last);
    if !reading.latency_ms.is_finite() || reading.latency_ms <= 0.0 {
        return next;
    }
    let allowed = allowed_share(reading, policy);
    let share = |level| expected_share(reading, &State { level, ..*state }, policy);
    // A clock that was set back starts the waiting anew.
    let since = |start: Option<f64>| start.filter(|s| *s <= reading.at).unwrap_or(reading.at);

    if share(next.level) > allowed && next.level < last {
        next.calm_since = None;
        let start = since(next.over_since);
        next.over_since = Some(start);
        let urgent = reading.thermal == Thermal::Critical;
        if urgent || reading.at - start >= policy.patience {
            next.level = (next.level..=last).find(|level| share(*level) <= allowed).unwrap_or(last);
            next.over_since = None;
            // The shorter interval did not hold: ask for more calm before it is tried again.
            let base = next.wait.max(policy.calm);
            let held = next.raised_at.map_or(f64::INFINITY, |at| reading.at - at);
            next.wait = if held < 2.0 * base { (base * 2.0).min(policy.max_calm) } else { policy.calm };
        }
        return next;
    }
    next.over_since = None;
    if next.level == 0 || share(next.level - 1) > allowed * policy.headroom {
        next.calm_since = None;
        return next;
    }
    let start = since(next.calm_since);
    next.calm_since = Some(start);
    if reading.at - start >= next.wait.max(policy.calm) {
        next.level -= 1;
        next.calm_since = None;
        next.raised_at = Some(reading.at);
    }
    next
}

/// The rule with what it keeps from reading to reading.
#[derive(Debug, Clone, Default)]
pub struct Governor {
    policy: Policy,
    state: State,
}

/// What a [`Governor`] decided, and by which shares of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decision {
    /// Index of the interval among the policy's, the shortest being 0.
    pub level: usize,
    /// Every how many camera frames to detect.
    pub interval: u32,
    /// What inference may take.
    pub allowed: f64,
    /// What it is expected to take.
    pub expected: f64,
}

impl Governor {
    /// By a policy; it starts with the shortest interval.
    pub fn new(policy: Policy) -> Self {
        Self { policy, state: State::default() }
    }

    /// By the usual policy, for a camera of so many frames per second; 30 if that is no rate.
    pub fn for_camera(fps: f64) -> Self {
        let usual = Policy::default();
        let camera_fps = if fps.is_finite() && fps > 0.0 { fps } else { usual.camera_fps };
        Self::new(Policy { camera_fps, ..usual })
    }

    /// The interval in force.
    pub fn interval(&self) -> u32 {
        self.state.interval(&self.policy)
    }

    /// Decides by what was observed; see [`decide`].
    pub fn observe(&mut self, reading: &Reading) -> Decision {
        self.state = decide(&self.state, reading, &self.policy);
        Decision {
            level: self.state.level,
            interval: self.interval(),
            allowed: allowed_share(reading, &self.policy),
            expected: expected_share(reading, &self.state, &self.policy),
        }
    }
}

#[cfg(test)]
mod tests;
