//! How often and how finely to detect, so that a device stays cool and frames stay current.
//!
//! [`decide`] is a pure function: the same readings give the same settings, so that recorded traces
//! can be played through it. The rule is the share of time that inference may take: a thermal state
//! and the battery allow a share; the best [`Setting`] that stays within it is taken. Worse settings
//! are taken soon, better ones only after calm, with room to spare, and more slowly each time that a
//! better one had to be given up again.

mod recent;

pub use recent::Recent;

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
    /// Charge, 0 to 1; none without a battery.
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
    /// Milliseconds that inference takes now, with the setting in force: a high percentile of the
    /// last second.
    pub latency_ms: f64,
}

/// One way to detect.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    /// Every how many camera frames to detect; tracks are predicted between.
    pub interval: u32,
    /// Which of the caller's models or input sizes.
    pub variant: usize,
    /// Threads of the model.
    pub threads: usize,
    /// Time that inference takes, relative to the first setting.
    pub cost: f64,
}

/// What may be chosen, and how boldly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// Frames per second of the camera.
    pub camera_fps: f64,
    /// Best first; each uses less time per second than the one before it. Never empty.
    pub settings: Vec<Setting>,
    /// Share of time that inference may take in each thermal state, nominal first.
    pub share: [f64; 4],
    /// Factor on the share below a fifth of the battery, or where power is to be saved.
    pub saving_factor: f64,
    /// Seconds of overload before a worse setting is taken; critical heat does not wait.
    pub patience: f64,
    /// Seconds of calm before a better setting is taken.
    pub calm: f64,
    /// A better setting must stay within this part of the share.
    pub headroom: f64,
    /// Most seconds of calm that are asked for, after better settings had to be given up.
    pub max_calm: f64,
}

impl Default for Policy {
    /// For a 30 FPS camera with one model: from every frame to twice a second.
    fn default() -> Self {
        let setting = |interval| Setting { interval, variant: 0, threads: 1, cost: 1.0 };
        Self {
            camera_fps: 30.0,
            settings: [1, 2, 3, 4, 6, 10, 15].map(setting).to_vec(),
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
    /// Index of the setting in force.
    pub level: usize,
    /// Since when the setting in force is too much.
    over_since: Option<f64>,
    /// Since when a better one would fit.
    calm_since: Option<f64>,
    /// When the last step to a better setting was.
    raised_at: Option<f64>,
    /// Seconds of calm asked for now; zero for the policy's own.
    wait: f64,
}

impl State {
    /// The setting in force.
    pub fn setting(&self, policy: &Policy) -> Setting {
        let none = Setting { interval: 1, variant: 0, threads: 1, cost: 1.0 };
        policy.settings.get(self.level).or(policy.settings.last()).copied().unwrap_or(none)
    }
}

/// The share of time that inference may take.
pub fn allowed_share(reading: &Reading, policy: &Policy) -> f64 {
    let Battery { level, charging, saving } = reading.battery;
    let low = !charging && level.is_some_and(|level| level < 0.2);
    let factor = if low || saving { policy.saving_factor } else { 1.0 };
    policy.share[reading.thermal as usize] * factor
}

/// The share of time that inference takes with setting `level`, judged by what it takes with the
/// setting in force.
pub fn expected_share(reading: &Reading, state: &State, level: usize, policy: &Policy) -> f64 {
    let (now, then) = (state.setting(policy), State { level, ..*state }.setting(policy));
    let latency = reading.latency_ms / 1e3 * then.cost / now.cost;
    latency * policy.camera_fps / f64::from(then.interval.max(1))
}

/// The next state, by what was observed.
#[must_use]
pub fn decide(state: &State, reading: &Reading, policy: &Policy) -> State {
    let mut next = *state;
    let last = policy.settings.len().saturating_sub(1);
    next.level = next.level.min(last);
    if !reading.latency_ms.is_finite() || reading.latency_ms <= 0.0 {
        return next;
    }
    let allowed = allowed_share(reading, policy);
    let share = |level| expected_share(reading, state, level, policy);
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
            // The better setting did not hold: ask for more calm before it is tried again.
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

#[cfg(test)]
mod tests;
