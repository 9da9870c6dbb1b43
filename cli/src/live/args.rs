//! Arguments of `osprey live` and `osprey replay`, as they are typed.

use crate::args::{ChooseArgs, ModelArgs};
use crate::detect::tile_args::TileArgs;
use crate::input::InputArgs;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Finds and follows objects in a stream of frames, as an app would.
///
/// Frames come at their pace and the newest wins: a frame that is still waiting when the next one
/// comes is dropped, and counted. Of a film, nothing is dropped, unless --serve or --fps shows it at a
/// pace. Cameras and addresses that stop are tried again. The summary at the end tells the fate of every
/// frame; the exit status is 1 where there was none.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  osprey live --source synthetic --fps 60 --frames 600 --summary json
  osprey live film.mp4 --jsonl found.jsonl --annotated drawn.mp4
  osprey live rtsp://user:password@192.168.1.20/stream --serve 8080
  osprey live camera:0 --serve 8080
  gst-launch-1.0 … ! fdsink | osprey live - --raw nv12 --size 1280x720 --every
  osprey live photos --fps 10 --every --annotated drawn.y4m
  osprey live film.y4m --serve 8080
  osprey live film.y4m --record session.osprey && osprey replay session.osprey")]
pub(crate) struct LiveArgs {
    /// A film, an address (rtsp://, http://), camera:N or screen: through ffmpeg; a folder or pattern of
    /// pictures, a .y4m file, or - for video on standard input.
    #[arg(value_name = "INPUT", required_unless_present = "source", conflicts_with = "source")]
    pub(crate) input: Option<PathBuf>,
    /// A source that needs no input.
    #[arg(long, value_enum)]
    pub(crate) source: Option<SourceArg>,
    /// The camera's device.
    #[cfg(all(feature = "camera", target_os = "linux"))]
    #[arg(long, value_name = "FILE", default_value = "/dev/video0")]
    pub(crate) device: PathBuf,
    /// Frames per second of folders, files and the synthetic camera [default: the file's, or 30].
    /// Standard input comes at its own pace unless this is given.
    #[arg(long, value_name = "N", value_parser = fps)]
    pub(crate) fps: Option<f64>,
    /// Stops after so many frames.
    #[arg(long, value_name = "N")]
    pub(crate) frames: Option<u64>,
    /// Goes round a folder or file until --frames, or for ever.
    #[arg(long = "loop")]
    pub(crate) repeat: bool,
    /// Has the graphics chip decode a film or stream, where ffmpeg finds a way.
    #[arg(long)]
    pub(crate) hardware_decoding: bool,
    /// Width and height of raw video and of the synthetic camera.
    #[arg(long, value_name = "WxH", value_parser = size)]
    pub(crate) size: Option<(u32, u32)>,
    /// Standard input is raw video in this format; without it, Y4M.
    #[arg(long, value_enum, value_name = "FORMAT", requires = "size")]
    pub(crate) raw: Option<RawFormat>,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    #[command(flatten)]
    pub(crate) tiles: TileArgs,
    #[command(flatten)]
    pub(crate) choose: ChooseArgs,
    #[command(flatten)]
    pub(crate) pictures: InputArgs,
    /// Detects in every frame however long it takes, in place of dropping frames.
    #[arg(long)]
    pub(crate) every: bool,
    /// Detects in every N-th frame only; tracks move on by prediction.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) interval: u32,
    /// Detects in fewer frames while this machine is hot, short of power, or too slow for the camera,
    /// by what Linux says of its heat and battery.
    #[arg(long, conflicts_with_all = ["interval", "every"])]
    pub(crate) govern: bool,
    /// No identities: what each frame shows, on its own.
    #[arg(long)]
    pub(crate) no_tracking: bool,
    /// How frames are made smaller.
    #[arg(long, value_enum, default_value_t = FilterArg::Bilinear)]
    pub(crate) filter: FilterArg,
    /// Writes a line of JSON for each result; - is standard output.
    #[arg(long, value_name = "FILE")]
    pub(crate) jsonl: Option<PathBuf>,
    /// Writes the frames that were detected in, with boxes drawn: Y4M, or through ffmpeg what the name
    /// says (.mp4, .mkv, .gif); - is Y4M on standard output.
    #[arg(long, value_name = "FILE")]
    pub(crate) annotated: Option<PathBuf>,
    /// Keeps inputs, times and results for `osprey replay`.
    #[arg(long, value_name = "FILE", conflicts_with = "tiles")]
    pub(crate) record: Option<PathBuf>,
    /// Makes objects of these classes unrecognizable in what --annotated and --serve show, while they are followed as well
    /// where the model misses them. What it does not find at all is not hidden.
    #[arg(long, value_name = "CLASSES", value_delimiter = ',')]
    pub(crate) blur: Vec<String>,
    /// Tells who enters, leaves and stays in zones, and who crosses lines, as FILE describes them; docs/guide.md
    /// says how.
    #[arg(long, value_name = "FILE.toml", conflicts_with = "no_tracking")]
    pub(crate) zones: Option<PathBuf>,
    /// Where a line of JSON goes for each event of --zones; - is standard output.
    #[arg(long, value_name = "FILE", default_value = "-", requires = "zones")]
    pub(crate) events: PathBuf,
    /// Serves a page with the live picture on http://127.0.0.1:PORT; 0 picks a free port.
    #[arg(long, value_name = "PORT")]
    pub(crate) serve: Option<u16>,
    /// How the summary at the end is written: text to standard error, or one line of JSON to
    /// standard output.
    #[arg(long, value_enum, default_value_t = SummaryArg::Text)]
    pub(crate) summary: SummaryArg,
    /// No status line.
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// Runs a recorded session again and compares: on any machine the detections are the same.
///
/// The exit status is 0 where all are equal, 2 where some differ, 1 where nothing could be compared.
#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// What `osprey live --record` wrote.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    #[command(flatten)]
    pub(crate) choose: ChooseArgs,
    /// The most differences that are printed.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) show: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SourceArg {
    /// Moving shapes, made by the program.
    Synthetic,
    /// A camera, by Video4Linux.
    #[cfg(all(feature = "camera", target_os = "linux"))]
    Camera,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RawFormat {
    Nv12,
    I420,
    Yuyv,
    Rgb,
    Bgra,
    Gray,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FilterArg {
    /// The nearest two pixels on each axis: the fastest.
    Bilinear,
    /// The mean of what a pixel covers.
    Area,
    /// A triangle over what a pixel covers: as `osprey detect`.
    Antialiased,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SummaryArg {
    Text,
    Json,
    None,
}

fn fps(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(fps) if (0.01..=10_000.0).contains(&fps) => Ok(fps),
        _ => Err("frames per second lie between 0.01 and 10000".into()),
    }
}

fn size(text: &str) -> Result<(u32, u32), String> {
    let parsed = text.split_once(['x', 'X', '×']).and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
    match parsed {
        Some((w @ 1..=16_384, h @ 1..=16_384)) => Ok((w, h)),
        _ => Err("a size is two numbers up to 16384, such as 1280x720".into()),
    }
}
