//! How pictures become a model's input, where the user says it.

use anyhow::{Result, ensure};
use clap::{Args, ValueEnum};
use osprey_detector::model::{ColorOrder, InputEntry, LoadedModel, ResizeMode};
use std::fmt;

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "How pictures become the model's input (`osprey info` shows the rule)")]
pub(crate) struct InputArgs {
    /// Subtracted from levels 0 to 255: a number, or one for each channel, separated by commas.
    #[arg(long, value_name = "MEAN", requires = "std", value_delimiter = ',', allow_negative_numbers = true)]
    mean: Vec<f32>,
    /// Divides what is left: a number, or one for each channel.
    #[arg(long, value_name = "STD", requires = "mean", value_delimiter = ',')]
    std: Vec<f32>,
    /// Order of the colour channels.
    #[arg(long, value_enum)]
    color: Option<ColorArg>,
    /// Keeps the shapes of pictures, and fills the rest of the input with gray.
    #[arg(long, conflicts_with = "stretch")]
    letterbox: bool,
    /// Stretches pictures to the input's shape.
    #[arg(long)]
    stretch: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ColorArg {
    Rgb,
    Bgr,
}

impl InputArgs {
    /// What was said, in a manifest's terms.
    pub(crate) fn entry(&self) -> Result<InputEntry> {
        let resize = match (self.letterbox, self.stretch) {
            (true, _) => Some(ResizeMode::Letterbox),
            (_, true) => Some(ResizeMode::Stretch),
            _ => None,
        };
        let some = |values: &[f32]| (!values.is_empty()).then(|| values.to_vec());
        let entry = InputEntry {
            mean: some(&self.mean),
            std: some(&self.std),
            resize,
            color: self.color.map(|c| match c {
                ColorArg::Rgb => ColorOrder::Rgb,
                ColorArg::Bgr => ColorOrder::Bgr,
            }),
            oversampling: None,
        };
        ensure!(
            self.mean.is_empty() || entry.normalization().is_some(),
            "--mean and --std take one number or three each, and --std none that is zero"
        );
        Ok(entry)
    }

    /// Whether nothing was said.
    pub(crate) fn is_empty(&self) -> bool {
        self.entry().is_ok_and(|entry| entry == InputEntry::default())
    }
}

/// Says what is assumed of a model's pictures because nothing tells.
pub(crate) fn note(source: &impl fmt::Display, loaded: &LoadedModel) {
    if let Some(note) = loaded.image_input().ok().and_then(|(_, input)| input.note()) {
        eprintln!("osprey: {source}: {note}");
    }
}
