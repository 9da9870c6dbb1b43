//! Which of the CPU's cores are fast, and how a thread asks for one.
//!
//! A phone has two to four cores that are several times as fast as the rest. A thread on a slow one holds
//! up the others at the end of each operator, so by default there are as many threads as fast cores.

use std::sync::OnceLock;

/// Most threads that nobody asked for by number: behind four, the models that this crate is for are bound by
/// the forks and joins of their small operators.
const MOST: usize = 4;

/// The threads of a run where [`Options::threads`](field@crate::Options::threads) is zero: as many as the CPU has
/// performance cores that this process may use, at most four. Looked up once.
pub fn performance_cores() -> usize {
    static CORES: OnceLock<usize> = OnceLock::new();
    *CORES.get_or_init(|| {
        let usable = std::thread::available_parallelism().map_or(1, usize::from);
        system::performance_cores().unwrap_or(usable).clamp(1, usable.min(MOST))
    })
}

/// Asks that this thread run on performance cores: on Apple's systems by the quality of service of work that
/// somebody waits for (`QOS_CLASS_USER_INITIATED`). The schedulers of other systems go by load, and nothing
/// is asked of them. For threads that call [`Session::run`](crate::Session::run) again and again; a session's
/// own threads do it by themselves.
pub fn claim_performance_core() {
    #[cfg(target_vendor = "apple")]
    system::claim_performance_core();
}

#[cfg(target_vendor = "apple")]
mod system {
    #![allow(unsafe_code, reason = "two functions of libSystem, which every program here is linked with")]

    use std::ffi::{CStr, c_int, c_uint, c_void};

    /// `QOS_CLASS_USER_INITIATED` of <sys/qos.h>.
    const USER_INITIATED: c_uint = 0x19;

    unsafe extern "C" {
        fn sysctlbyname(
            name: *const std::ffi::c_char,
            value: *mut c_void,
            len: *mut usize,
            new: *mut c_void,
            new_len: usize,
        ) -> c_int;
        fn pthread_set_qos_class_self_np(class: c_uint, relative_priority: c_int) -> c_int;
    }

    /// Cores of the fastest kind; on a Mac with cores of one kind, all of them.
    pub(super) fn performance_cores() -> Option<usize> {
        number(c"hw.perflevel0.physicalcpu").or_else(|| number(c"hw.physicalcpu"))
    }

    fn number(name: &CStr) -> Option<usize> {
        let (mut value, mut len): (c_int, usize) = (0, size_of::<c_int>());
        // SAFETY: the name ends in zero, `value` has the `len` bytes that may be written, and nothing is set.
        let result = unsafe {
            sysctlbyname(name.as_ptr(), (&raw mut value).cast(), &mut len, std::ptr::null_mut(), 0)
        };
        (result == 0 && len == size_of::<c_int>()).then_some(value)?.try_into().ok().filter(|&n| n > 0)
    }

    pub(super) fn claim_performance_core() {
        // SAFETY: takes two numbers and concerns this thread alone. A refusal leaves all as it was.
        unsafe { pthread_set_qos_class_self_np(USER_INITIATED, 0) };
    }
}

#[cfg(not(target_vendor = "apple"))]
mod system {
    /// Files of Linux that say how fast a core is, below `/sys/devices/system/cpu/cpuN`, and how much of the
    /// fastest core's number makes a performance core. Capacities take the design of a core into account;
    /// where Linux does not know them, greatest frequencies have to do.
    const SPEEDS: [(&str, f64); 2] = [("cpu_capacity", 0.5), ("cpufreq/cpuinfo_max_freq", 0.75)];
    /// Cores that are asked about.
    const CORES: usize = 64;

    pub(super) fn performance_cores() -> Option<usize> {
        if !cfg!(any(target_os = "linux", target_os = "android")) {
            return None;
        }
        count(|core, file| std::fs::read_to_string(format!("/sys/devices/system/cpu/cpu{core}/{file}")).ok())
    }

    /// Cores that are fast by the first kind of file that there is.
    pub(super) fn count(read: impl Fn(usize, &str) -> Option<String>) -> Option<usize> {
        SPEEDS.iter().find_map(|(file, share)| {
            let speed = |core| read(core, file)?.trim().parse::<f64>().ok();
            let speeds: Vec<f64> = (0..CORES).filter_map(speed).collect();
            let fastest = speeds.iter().copied().fold(0.0, f64::max);
            let fast = speeds.iter().filter(|&&speed| speed >= fastest * share).count();
            (fastest > 0.0).then_some(fast)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_core_and_no_more_than_may_be_used() {
        let usable = std::thread::available_parallelism().map_or(1, usize::from);
        assert!((1..=usable.min(MOST)).contains(&performance_cores()));
    }

    #[cfg(not(target_vendor = "apple"))]
    #[test]
    fn slow_cores_of_phones_are_not_counted() {
        let phone = |file: &'static str, speeds: &'static [u32]| {
            system::count(move |core, asked| {
                (asked == file).then(|| speeds.get(core)).flatten().map(|speed| format!("{speed}\n"))
            })
        };
        const CAPACITIES: [u32; 8] = [239, 239, 239, 239, 854, 854, 854, 1024];
        assert_eq!(phone("cpu_capacity", &CAPACITIES), Some(4));
        const FREQUENCIES: [u32; 8] =
            [1_803_000, 1_803_000, 1_803_000, 1_803_000, 2_348_000, 2_348_000, 2_850_000, 2_850_000];
        assert_eq!(phone("cpufreq/cpuinfo_max_freq", &FREQUENCIES), Some(4));
        assert_eq!(phone("cpufreq/cpuinfo_max_freq", &[2_000_000; 6]), Some(6));
        assert_eq!(phone("nothing", &[]), None);
        assert_eq!(system::count(|_, _| Some("unknown".into())), None);
    }
}
