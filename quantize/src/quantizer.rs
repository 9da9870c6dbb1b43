//! From a float model and samples to a full-integer model.

use crate::archive;
use crate::build::{Builder, Plan};
use crate::error::{QuantizeError, Result};
use crate::groups;
use crate::observe::Observer;
use crate::outcome::Quantized;
use crate::roles::{Role, roles};
use crate::settings::Settings;
use crate::source::Source;
use std::fmt;

/// Notes what a float model's tensors hold, then quantizes it.
pub struct Quantizer<'a> {
    source: Source<'a>,
    roles: Vec<Role>,
    observer: Observer,
    settings: Settings,
}

impl fmt::Debug for Quantizer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quantizer").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl<'a> Quantizer<'a> {
    /// Reads the float model in `file`. Weights may be float16, or int8 with a DEQUANTIZE or in hybrid operators.
    ///
    /// # Errors
    /// [`QuantizeError::AlreadyQuantized`], [`QuantizeError::Input`], [`QuantizeError::Nothing`],
    /// [`QuantizeError::Engine`].
    pub fn new(file: &'a [u8], settings: &Settings) -> Result<Self> {
        let source = Source::read(file)?;
        let roles = roles(&source);
        if !roles.iter().any(|r| matches!(r, Role::Weighted(_) | Role::Free | Role::Fixed(..))) {
            return Err(QuantizeError::Nothing);
        }
        let observer = Observer::new(&source, settings.threads)?;
        Ok(Self { source, roles, observer, settings: settings.clone() })
    }

    /// Elements of each input.
    pub fn lengths(&self) -> Vec<usize> {
        self.observer.lengths()
    }

    /// Runs the float model on a sample: for each input its numbers, row-major.
    ///
    /// # Errors
    /// [`QuantizeError::Sample`], [`QuantizeError::NotFinite`].
    pub fn observe(&mut self, sample: &[&[f32]]) -> Result<()> {
        self.observer.observe(&self.source, sample)
    }

    /// The full-integer model.
    ///
    /// # Errors
    /// [`QuantizeError::NoSamples`], [`QuantizeError::Archive`], [`QuantizeError::Engine`].
    pub fn finish(self) -> Result<Quantized> {
        let observed = self.observer.finish()?;
        let affines = groups::affines(&self.source, &self.roles, &observed, &self.settings);
        let builder = Builder::new(Plan {
            source: &self.source,
            roles: &self.roles,
            affines: &affines,
            observed: &observed,
            borders: self.settings.borders,
            correct_bias: self.settings.correct_bias,
        });
        let (graph, float, quantized) = builder.build();
        let file = archive::carry_over(self.source.file, graph.write_into(self.source.file)?)?;
        Ok(Quantized { file, float, quantized })
    }
}
