//! What is done once per run.

use crate::arena::Arena;
use crate::compile::{Initial, Port, Program};
use crate::error::{Error, Result};
use crate::threads::Pool;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A program with memory of its own: fill the inputs, run, read the outputs.
///
/// [`Session::run`] allocates nothing, takes no lock and cannot fail. Inputs keep their content
/// from run to run; so do the model's states, until [`Session::reset_state`].
pub struct Session {
    program: Arc<Program>,
    arena: Arena,
    pool: Pool,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("program", &self.program).finish_non_exhaustive()
    }
}

impl Session {
    /// Asks for the program's memory.
    ///
    /// # Errors
    /// [`Error::TooLarge`] where the system does not grant it.
    pub fn new(program: Arc<Program>) -> Result<Self> {
        let bytes = program.arena_bytes;
        let mut arena = Arena::new(bytes).map_err(|_| Error::TooLarge {
            needed: bytes as u64,
            limit: 0,
            unit: "bytes of memory",
        })?;
        for (slot, data) in &program.constants {
            arena.slot_mut(*slot).copy_from_slice(data);
        }
        let pool = Pool::new(program.threads());
        let mut session = Self { program, arena, pool };
        session.reset_state();
        Ok(session)
    }

    /// The program that this session runs.
    pub fn program(&self) -> &Arc<Program> {
        &self.program
    }

    /// The bytes of input `index`, to be filled in place: little-endian, row-major, in the type and
    /// shape of [`Program::inputs`]. Aligned for every element type.
    ///
    /// # Errors
    /// [`Error::NoSuchTensor`].
    pub fn input_mut(&mut self, index: usize) -> Result<&mut [u8]> {
        let port = find(&self.program.inputs, index, "input")?;
        Ok(self.arena.slot_mut(port.slot))
    }

    /// Copies `bytes` into input `index`.
    ///
    /// # Errors
    /// [`Error::NoSuchTensor`], [`Error::InputLength`].
    pub fn set_input(&mut self, index: usize, bytes: &[u8]) -> Result<()> {
        let dtype = find(&self.program.inputs, index, "input")?.dtype;
        let input = self.input_mut(index)?;
        if input.len() != bytes.len() {
            let (expected_len, actual_len) = (input.len(), bytes.len());
            return Err(Error::InputLength { index, dtype, expected_len, actual_len });
        }
        input.copy_from_slice(bytes);
        Ok(())
    }

    /// Computes the outputs from the inputs.
    pub fn run(&mut self) {
        for step in &self.program.steps {
            step.kernel.run(&mut self.arena.io(&step.operands), &self.pool);
        }
    }

    /// Like [`Session::run`], and tells `record` how long each step took, in the order of
    /// [`Program::steps`].
    pub fn run_profiled(&mut self, mut record: impl FnMut(usize, Duration)) {
        for (index, step) in self.program.steps.iter().enumerate() {
            let start = Instant::now();
            step.kernel.run(&mut self.arena.io(&step.operands), &self.pool);
            record(index, start.elapsed());
        }
    }

    /// The bytes of output `index` after a run: little-endian, row-major, in the type and shape of
    /// [`Program::outputs`]. Aligned for every element type.
    ///
    /// # Errors
    /// [`Error::NoSuchTensor`].
    pub fn output(&self, index: usize) -> Result<&[u8]> {
        let port = find(&self.program.outputs, index, "output")?;
        Ok(self.arena.slot(port.slot))
    }

    /// Sets the model's states (of recurrent layers, and variables) back to what they start with.
    pub fn reset_state(&mut self) {
        for (slot, initial) in &self.program.variables {
            let state = self.arena.slot_mut(*slot);
            match initial {
                Initial::Fill(byte) => state.fill(*byte),
                Initial::Bytes(bytes) => state.copy_from_slice(bytes),
            }
        }
    }
}

fn find<'a>(ports: &'a [Port], index: usize, kind: &'static str) -> Result<&'a Port> {
    ports.get(index).ok_or(Error::NoSuchTensor { kind, index, count: ports.len() })
}
