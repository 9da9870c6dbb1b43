//! Arguments about small objects, as they are typed.

use clap::Args;
use osprey_detector::detect::{MAX_TILES, Tiling};

/// Small objects.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Small objects")]
pub(crate) struct TileArgs {
    /// Looks at the whole picture and at parts of it, which show small objects larger: `auto` (parts of about
    /// as many pixels as the model takes, at most 4 along a side), so many along the longer side, or WIDTHxHEIGHT in
    /// pixels. Each part costs an inference.
    #[arg(long, value_name = "auto|N|WxH", value_parser = tiling)]
    pub(crate) tiles: Option<Tiling>,
    /// Share of a part that its neighbour shows as well, 0..0.9.
    #[arg(long, value_name = "SHARE", default_value_t = 0.2, value_parser = overlap, requires = "tiles")]
    pub(crate) overlap: f32,
}

impl TileArgs {
    /// The whole picture alone.
    pub(crate) fn none() -> Self {
        Self { tiles: None, overlap: 0.0 }
    }
}

fn tiling(text: &str) -> Result<Tiling, String> {
    let number = |text: &str, most: u32| text.parse().ok().filter(|n| (1..=most).contains(n));
    let parsed = match text.split_once(['x', 'X', '×']) {
        _ if text == "auto" => Some(Tiling::Auto),
        Some((w, h)) => number(w, 100_000).zip(number(h, 100_000)).map(|(w, h)| Tiling::Size(w, h)),
        None => number(text, MAX_TILES).map(Tiling::Along),
    };
    parsed.ok_or_else(|| format!("auto, a number up to {MAX_TILES}, or a size such as 640x640"))
}

fn overlap(text: &str) -> Result<f32, String> {
    let share = text.parse().ok().filter(|share| (0.0..=0.9).contains(share));
    share.ok_or_else(|| "an overlap lies between 0 and 0.9".into())
}
