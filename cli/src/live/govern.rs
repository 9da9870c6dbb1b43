//! `--govern`: the device's heat and battery decide in how many frames to detect.

use osprey_detector::pipeline::governor::{Battery, Governor, Reading, Thermal};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How often the device is looked at.
const EVERY: Duration = Duration::from_millis(500);

/// Degrees below the point at which a system throttles that count as warm.
const WARM: f64 = 10.0;

/// Degrees below the point at which a system turns itself off that count as critical.
const NEARLY_OFF: f64 = 5.0;

/// Plays what is observed through the governor's rule.
#[derive(Debug)]
pub(super) struct Governed {
    system: PathBuf,
    governor: Governor,
    start: Instant,
    looked: Option<Instant>,
}

impl Governed {
    /// For a camera of so many frames per second, on a machine whose kernel shows itself under
    /// `system` (`/sys`).
    pub(super) fn new(camera_fps: f64, system: &Path) -> Self {
        Self {
            system: system.to_owned(),
            governor: Governor::for_camera(camera_fps),
            start: Instant::now(),
            looked: None,
        }
    }

    /// The interval of detection if it changes. `latency_ms` tells how long inference takes now;
    /// it is asked only when the device is looked at.
    pub(super) fn observe(&mut self, latency_ms: impl FnOnce() -> f64) -> Option<u32> {
        let now = Instant::now();
        if self.looked.is_some_and(|at| now.duration_since(at) < EVERY) {
            return None;
        }
        self.looked = Some(now);
        let before = self.governor.interval();
        let decision = self.governor.observe(&Reading {
            at: now.duration_since(self.start).as_secs_f64(),
            thermal: thermal(&self.system),
            battery: battery(&self.system),
            latency_ms: latency_ms(),
        });
        (decision.interval != before).then_some(decision.interval)
    }
}

/// The hottest of the thermal zones, by the points at which each throttles or turns the machine off;
/// nominal where nothing is known.
fn thermal(system: &Path) -> Thermal {
    folders(&system.join("class/thermal"), "thermal_zone")
        .filter_map(|zone| zone_state(&zone))
        .max()
        .unwrap_or_default()
}

fn zone_state(zone: &Path) -> Option<Thermal> {
    let degrees = |file: &str| Some(number(&zone.join(file))? / 1000.0);
    let now = degrees("temp")?;
    let mut state = Thermal::Nominal;
    for trip in 0.. {
        let Some(kind) = text(&zone.join(format!("trip_point_{trip}_type"))) else { break };
        // Trips that are not set are at or below freezing.
        let Some(at) = degrees(&format!("trip_point_{trip}_temp")).filter(|at| *at > 0.0) else { continue };
        state = state.max(match kind.as_str() {
            "critical" if now >= at - NEARLY_OFF => Thermal::Critical,
            "passive" | "hot" if now >= at => Thermal::Serious,
            "passive" | "hot" if now >= at - WARM => Thermal::Fair,
            _ => Thermal::Nominal,
        });
    }
    Some(state)
}

fn battery(system: &Path) -> Battery {
    let saving = text(&system.join("firmware/acpi/platform_profile")).is_some_and(|p| p == "low-power");
    let mut supplies = folders(&system.join("class/power_supply"), "");
    let supply = supplies.find(|s| text(&s.join("type")).is_some_and(|t| t == "Battery"));
    let Some(supply) = supply else { return Battery { saving, ..Battery::default() } };
    Battery {
        level: number(&supply.join("capacity")).map(|percent| percent as f32 / 100.0),
        charging: text(&supply.join("status")).is_some_and(|s| s != "Discharging"),
        saving,
    }
}

fn folders(parent: &Path, prefix: &'static str) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    entries.filter(move |e| e.file_name().to_string_lossy().starts_with(prefix)).map(|e| e.path())
}

fn text(file: &Path) -> Option<String> {
    fs::read_to_string(file).ok().map(|t| t.trim().to_owned())
}

fn number(file: &Path) -> Option<f64> {
    text(file)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(system: &Path, file: &str, text: &str) {
        let path = system.join(file);
        fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        fs::write(path, format!("{text}\n")).expect("a file");
    }

    #[test]
    fn heat_and_battery_are_those_that_the_kernel_shows() {
        let system = tempfile::tempdir().expect("a folder");
        let system = system.path();
        assert_eq!((thermal(system), battery(system)), (Thermal::Nominal, Battery::default()));
        let zone = "class/thermal/thermal_zone0";
        for (file, text) in [
            ("trip_point_0_type", "critical"),
            ("trip_point_0_temp", "105000"),
            ("trip_point_1_type", "passive"),
            ("trip_point_1_temp", "95000"),
            ("trip_point_2_type", "hot"),
            ("trip_point_2_temp", "-274000"),
        ] {
            write(system, &format!("{zone}/{file}"), text);
        }
        for (temperature, state) in [
            ("40000", Thermal::Nominal),
            ("86000", Thermal::Fair),
            ("96000", Thermal::Serious),
            ("101000", Thermal::Critical),
        ] {
            write(system, &format!("{zone}/temp"), temperature);
            assert_eq!(thermal(system), state, "{temperature}");
        }
        write(system, "class/power_supply/AC/type", "Mains");
        for (file, text) in [("type", "Battery"), ("capacity", "17"), ("status", "Discharging")] {
            write(system, &format!("class/power_supply/BAT0/{file}"), text);
        }
        write(system, "firmware/acpi/platform_profile", "low-power");
        let expected = Battery { level: Some(0.17), charging: false, saving: true };
        assert_eq!(battery(system), expected);
    }

    #[test]
    fn a_critically_hot_machine_detects_in_fewer_frames() {
        let system = tempfile::tempdir().expect("a folder");
        let zone = "class/thermal/thermal_zone0";
        for (file, text) in
            [("temp", "104000"), ("trip_point_0_type", "critical"), ("trip_point_0_temp", "105000")]
        {
            write(system.path(), &format!("{zone}/{file}"), text);
        }
        let mut governed = Governed::new(30.0, system.path());
        let interval = governed.observe(|| 20.0);
        // A tenth of the time is 100 ms of a second: five detections of 20 ms, or every sixth frame.
        assert_eq!(interval, Some(6));
        assert_eq!(governed.observe(|| 20.0), None, "not looked at again so soon");
    }
}
