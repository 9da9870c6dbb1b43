//! Arguments as they are typed, and those that several commands share. Each command checks its own before it
//! starts.

use crate::detect::tile_args::TileArgs;
use crate::input::InputArgs;
use clap::{Args, Subcommand, ValueEnum};
use osprey_detector::HeadKind;
use osprey_detector::model::Task;
use std::path::PathBuf;

/// Pictures with more megapixels are left out, where nothing else is asked for: under a gigabyte of
/// memory while they are decoded.
pub(crate) const MAX_MEGAPIXELS: u32 = 80;

/// What runs the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum BackendArg {
    /// The engine where it can run the model, else tract.
    Auto,
    /// Osprey's own engine.
    Native,
    /// tract: float models with operators that the engine lacks.
    Tract,
}

#[derive(Debug, Args)]
pub(crate) struct ModelArgs {
    /// A .tflite file, or a name that `osprey models` lists; without it, what $OSPREY_MODEL names, else the
    /// built-in model for what the command does.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) model: Option<PathBuf>,
    /// What runs the model.
    #[arg(long, value_enum, default_value_t = BackendArg::Auto)]
    pub(crate) backend: BackendArg,
    /// Threads that share the work of one inference [default: 1; with --tiles as many as the CPU has cores; live: as many as it has performance cores, at most 4].
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: Option<u16>,
}

impl ModelArgs {
    /// Threads of one inference.
    pub(crate) fn threads(&self) -> u16 {
        self.threads.unwrap_or(1)
    }
}

/// Finds objects in pictures, folders of pictures, or patterns such as 'photos/**/*.jpg'.
///
/// JPEG, PNG, BMP, GIF (the first frame), WebP and TIFF are read, and turned upright as their EXIF data say. A picture
/// that cannot be read is reported and skipped. The exit status is 0 where all pictures were
/// processed, 2 where some were skipped, 1 where nothing could be done.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  osprey detect photo.jpg
  osprey detect photos --recursive --format jsonl --output found.jsonl
  osprey detect photos --classes person,cat --score-threshold 0.5 --annotated drawn
  osprey detect photos --format yolo --output labels --report report.html")]
pub(crate) struct DetectArgs {
    /// Pictures, folders, quoted patterns (*, ?, [a-z], ** for any depth), or addresses of pictures (https://, http://; at
    /// most 64 MB, in 30 s).
    #[arg(required = true, value_name = "PATHS")]
    pub(crate) paths: Vec<PathBuf>,
    /// Looks into folders inside folders.
    #[arg(short, long)]
    pub(crate) recursive: bool,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// Pictures of more megapixels are skipped, before memory is asked for.
    #[arg(long, value_name = "MP", default_value_t = MAX_MEGAPIXELS, allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..=4000))]
    pub(crate) max_megapixels: u32,
    /// Threads that decode pictures while inference runs [default: as many as the CPU has cores].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) decode_threads: Option<u16>,
    /// No progress bar and no summary; errors are still printed.
    #[arg(short, long)]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) tiles: TileArgs,
    #[command(flatten)]
    pub(crate) choose: ChooseArgs,
    #[command(flatten)]
    pub(crate) pictures: InputArgs,
    #[command(flatten)]
    pub(crate) write: WriteArgs,
}

/// Which detections are kept.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Which detections are kept")]
pub(crate) struct ChooseArgs {
    /// Detections below are dropped, 0..1 [default: the model's, or 0.4; 0.001 in `osprey eval`, whose
    /// figures need the doubtful ones as well].
    #[arg(short, long, value_name = "SCORE", value_parser = fraction)]
    pub(crate) score_threshold: Option<f32>,
    /// The most detections for one picture [default: 100].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) max_detections: Option<u32>,
    /// Boxes of one class that overlap more are one object, 0..1 [default: the model's, or 0.6].
    #[arg(long, value_name = "IOU", value_parser = fraction)]
    pub(crate) nms_iou: Option<f32>,
    /// Boxes of different classes that overlap more are one object, and the likelier class stays, 0..1; 1
    /// keeps all [default: 0.7; 1 in `osprey eval`, whose figures judge each class by itself].
    #[arg(long, value_name = "IOU", value_parser = fraction)]
    pub(crate) one_object_iou: Option<f32>,
    /// How overlapping boxes are thinned out [default: as the model says, else per-class].
    #[arg(long, value_enum)]
    pub(crate) nms: Option<NmsArg>,
    /// Only these classes: names or numbers, separated by commas.
    #[arg(short, long, value_name = "CLASSES", value_delimiter = ',')]
    pub(crate) classes: Vec<String>,
    /// Every class but these.
    #[arg(long, value_name = "CLASSES", value_delimiter = ',', conflicts_with = "classes")]
    pub(crate) exclude_classes: Vec<String>,
    /// Other score thresholds for single classes, such as person=0.5,cat=0.2.
    #[arg(long, value_name = "CLASS=SCORE", value_delimiter = ',', value_parser = class_threshold)]
    pub(crate) class_threshold: Vec<(String, f32)>,
    /// A text file with a class name a line, in place of the names in the model.
    #[arg(long, value_name = "FILE")]
    pub(crate) labels: Option<PathBuf>,
    /// Layout of the model's outputs, where their shapes do not tell: ssd, detections, yolov8, yolov5, yolov4,
    /// yolox, end-to-end, dfl, fomo, blazeface or retinaface.
    #[arg(long, value_name = "LAYOUT", value_parser = head)]
    pub(crate) head: Option<HeadKind>,
}

/// How overlapping boxes are thinned out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum NmsArg {
    /// Boxes suppress boxes of their own class.
    PerClass,
    /// Boxes suppress boxes of any class.
    Agnostic,
    /// Overlapping boxes lose score in place of vanishing.
    Soft,
}

/// What is written.
#[derive(Debug, Args)]
#[command(next_help_heading = "What is written")]
pub(crate) struct WriteArgs {
    /// How results are written [default: as the output's extension says, else table].
    #[arg(short, long, value_enum)]
    pub(crate) format: Option<Format>,
    /// The file to write (for yolo and voc the folder); - is standard output.
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub(crate) output: PathBuf,
    /// Adds each box's score to YOLO files as a sixth column.
    #[arg(long)]
    pub(crate) yolo_scores: bool,
    /// Writes copies of the pictures with boxes and labels drawn.
    #[arg(short, long, value_name = "DIR")]
    pub(crate) annotated: Option<PathBuf>,
    /// Writes each object as a picture of its own.
    #[arg(long, value_name = "DIR")]
    pub(crate) crop: Option<PathBuf>,
    /// Makes objects of these classes unrecognizable in annotated copies and in the report: boxes with a margin are filled
    /// with a few large squares. What is not found is not hidden: a low --score-threshold finds more.
    #[arg(long, value_name = "CLASSES", value_delimiter = ',')]
    pub(crate) blur: Vec<String>,
    /// Goes on where an interrupted run ended: pictures whose results are in the output are not looked at again. Results
    /// are written as they come, and FILE.resume beside them says which are whole. For jsonl, csv, yolo and voc.
    #[arg(long, conflicts_with = "report")]
    pub(crate) resume: bool,
    /// Writes one self-contained page to look through the results.
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,
    /// The most pictures that the report shows.
    #[arg(long, value_name = "N", default_value_t = 500, requires = "report")]
    pub(crate) report_pictures: usize,
}

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Text to read.
    Table,
    /// A JSON object a line, one for each picture.
    Jsonl,
    /// A line for each detection.
    Csv,
    /// One COCO file: images, categories (ids from 1), annotations with scores.
    Coco,
    /// A row for each picture, skipped ones too, with a list of boxes, as the Python package writes it.
    Parquet,
    /// Tasks with predictions for Label Studio, whose boxes people then correct.
    LabelStudio,
    /// COCO's array of results, for the loadRes of pycocotools: the ids of COCO's own classes and images.
    CocoResults,
    /// A folder with a text file for each picture: class, centre, size, as fractions.
    Yolo,
    /// A folder with a Pascal VOC XML file for each picture.
    Voc,
}

/// Shows what a model takes, gives and contains, and whether it can run.
#[derive(Debug, Args)]
pub(crate) struct InfoArgs {
    /// A .tflite file, or a name that `osprey models` lists; without it, what $OSPREY_MODEL names, else
    /// the built-in detector.
    #[arg(value_name = "MODEL")]
    pub(crate) model: Option<PathBuf>,
    /// Lists every operator with its kernel and tensors.
    #[arg(long)]
    pub(crate) nodes: bool,
    /// Layout of the outputs, as for `osprey detect`.
    #[arg(long, value_name = "LAYOUT", value_parser = head)]
    pub(crate) head: Option<HeadKind>,
    #[command(flatten)]
    pub(crate) pictures: InputArgs,
}

/// Runs a model on tensors from .npy files and writes its outputs as out0.npy, out1.npy, …
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The .tflite file.
    #[arg(value_name = "MODEL")]
    pub(crate) model: PathBuf,
    /// A .npy file for each input of the model, in its order, of its shape and type.
    #[arg(short, long, required = true, num_args = 1.., value_name = "FILE.npy")]
    pub(crate) input: Vec<PathBuf>,
    /// The folder for the outputs.
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: PathBuf,
    /// What runs the model.
    #[arg(long, value_enum, default_value_t = BackendArg::Auto)]
    pub(crate) backend: BackendArg,
    /// Threads that share the work.
    #[arg(short, long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: u16,
}

/// Measures how long a model takes, on random input.
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// Runs that are measured.
    #[arg(short = 'n', long, value_name = "K", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub(crate) iters: u32,
    /// Runs before, which are not.
    #[arg(long, value_name = "K", default_value_t = 5)]
    pub(crate) warmup: u32,
    /// Prints each latency in milliseconds, one a line, and nothing else.
    #[arg(long, conflicts_with = "profile")]
    pub(crate) raw: bool,
    /// Leaves out what turns a detector's outputs into detections. Where the file ends in
    /// TFLite_Detection_PostProcess, that follows the operator's thresholds and limits.
    #[arg(long)]
    pub(crate) raw_outputs: bool,
    /// Prints how long each operator took (the engine only).
    #[arg(long)]
    pub(crate) profile: bool,
}

/// Measures how good a model is.
///
/// Detection: COCO's average precision and recall, from COCO JSON, YOLO text or Pascal VOC XML.
/// Classification: accuracy, confusion matrix, precision, recall, F1 and calibration, from .npy
/// arrays or from a folder with a folder of pictures for each class.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  osprey eval --images photos --truth annotations.json
  osprey eval --images photos --truth labels --report misses.html --plot curves.svg
  osprey eval --images photos --truth annotations.json --detections found.json
  osprey eval --model digits.tflite --inputs x.npy --truth y.npy
  osprey eval --model flowers.tflite --task classification --images flowers")]
pub(crate) struct EvalArgs {
    /// The folder of the pictures.
    #[arg(long, value_name = "DIR")]
    pub(crate) images: Option<PathBuf>,
    /// What is right: a COCO file, a folder of YOLO or VOC files, or a .npy array of class numbers.
    #[arg(long, value_name = "FILE|DIR")]
    pub(crate) truth: Option<PathBuf>,
    /// Inputs of a classifier: a .npy array whose first axis counts samples. Numbers of the input's
    /// own integer type are fed as they are, floats are quantized as the model says.
    #[arg(long, value_name = "FILE.npy", conflicts_with = "images")]
    pub(crate) inputs: Option<PathBuf>,
    /// What the model does [default: classification where --inputs are given, else detection].
    #[arg(long, value_enum)]
    pub(crate) task: Option<EvalTask>,
    /// Judges the detections in this COCO file and runs no model.
    #[arg(long, value_name = "FILE.json", conflicts_with_all = ["inputs", "model"])]
    pub(crate) detections: Option<PathBuf>,
    /// Keeps a recurrent model's state from sample to sample.
    #[arg(long, requires = "inputs")]
    pub(crate) keep_state: bool,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// Adds the interval that 95 % of N random samples of the pictures give.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) bootstrap: u32,
    /// Writes the figures as JSON.
    #[arg(long, value_name = "FILE.json")]
    pub(crate) json: Option<PathBuf>,
    /// Writes precision over recall as SVG.
    #[arg(long, value_name = "FILE.svg")]
    pub(crate) plot: Option<PathBuf>,
    /// Writes a page with the figures and the pictures with the most mistakes.
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,
    /// The most pictures that the page shows.
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub(crate) report_pictures: usize,
    /// The score from which the page counts a detection.
    #[arg(long, value_name = "SCORE", default_value_t = 0.3, value_parser = fraction)]
    pub(crate) report_score: f32,
    /// No progress bar.
    #[arg(short, long)]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) tiles: TileArgs,
    #[command(flatten)]
    pub(crate) choose: ChooseArgs,
    #[command(flatten)]
    pub(crate) pictures: InputArgs,
}

/// Lists the models at hand, or changes the local catalogue.
///
/// The catalogue is the folder that $OSPREY_MODELS names, else osprey/models in the user's data
/// folder. Every command takes its models by name: osprey detect photos --model NAME.
#[derive(Debug, Args)]
pub(crate) struct ModelsArgs {
    #[command(subcommand)]
    pub(crate) change: Option<ModelsChange>,
}

/// What a model is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TaskArg {
    /// Boxes in pictures.
    Detection,
    /// One class for each picture.
    Classification,
    /// Handwritten digits.
    Digits,
    /// Motion or gestures from sensor windows.
    Motion,
}

impl From<TaskArg> for Task {
    fn from(task: TaskArg) -> Self {
        match task {
            TaskArg::Detection => Self::Detection,
            TaskArg::Classification => Self::Classification,
            TaskArg::Digits => Self::Digits,
            TaskArg::Motion => Self::Motion,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum ModelsChange {
    /// Copies or downloads a .tflite file into the catalogue.
    Add {
        /// An https:// address, or a file.
        #[arg(value_name = "URL|FILE")]
        source: String,
        /// What to call it [default: the file's name].
        #[arg(long, value_parser = model_name)]
        name: Option<String>,
        /// The SHA-256 that its publisher states; required for downloads.
        #[arg(long, value_name = "HEX", value_parser = sha256)]
        sha256: Option<String>,
        /// What it is for [default: as its inputs and outputs tell, where they do].
        #[arg(long, value_enum)]
        task: Option<TaskArg>,
        /// Replaces a model of this name.
        #[arg(long)]
        replace: bool,
    },
    /// Removes a model from the catalogue.
    Remove {
        /// Its name.
        #[arg(value_parser = model_name)]
        name: String,
    },
}

/// Compares a quantized model with the float model it was made from, layer by layer.
///
/// Both run on the same inputs; each layer's difference is measured against the float layer's size,
/// and the first layer at which the difference jumps is named.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  osprey drift float.tflite int8.tflite --images photos
  osprey drift float.tflite int8.tflite --inputs x.npy --samples 20")]
pub(crate) struct DriftArgs {
    /// The float model.
    #[arg(value_name = "FLOAT.tflite")]
    pub(crate) float: PathBuf,
    /// The quantized model.
    #[arg(value_name = "INT8.tflite")]
    pub(crate) quantized: PathBuf,
    /// A folder of pictures to run both on.
    #[arg(long, value_name = "DIR", conflicts_with = "inputs")]
    pub(crate) images: Option<PathBuf>,
    /// A .npy array of float samples to run both on; without pictures and array, random numbers.
    #[arg(long, value_name = "FILE.npy")]
    pub(crate) inputs: Option<PathBuf>,
    /// The most samples that are run.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) samples: u32,
}

/// What a model does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EvalTask {
    /// Boxes in pictures.
    Detection,
    /// One class for each input.
    Classification,
}

fn head(text: &str) -> Result<HeadKind, String> {
    HeadKind::named(text).ok_or_else(|| {
        let names = HeadKind::ALL.map(HeadKind::name).join(", ");
        format!("the layouts are {names}")
    })
}

fn fraction(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(value) if (0.0..=1.0).contains(&value) => Ok(value),
        _ => Err("expected a number from 0 to 1".into()),
    }
}

fn model_name(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    match text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.len() <= 100
        && text.chars().all(plain)
    {
        true => Ok(text.to_owned()),
        false => Err("a name consists of letters, digits, dots, dashes and underscores".into()),
    }
}

fn sha256(text: &str) -> Result<String, String> {
    match text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        true => Ok(text.to_ascii_lowercase()),
        false => Err("a SHA-256 has 64 hexadecimal digits".into()),
    }
}

fn class_threshold(text: &str) -> Result<(String, f32), String> {
    let (class, score) = text.rsplit_once('=').ok_or("expected CLASS=SCORE, such as person=0.5")?;
    Ok((class.trim().to_owned(), fraction(score.trim())?))
}
