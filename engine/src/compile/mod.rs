//! What is done once per model: choosing kernels, packing weights, planning one arena.

mod end;
mod layout;
mod lower;
mod passes;
mod plan;
mod unroll;
mod uses;

use crate::arena::{Operands, Slot};
use crate::cores::performance_cores;
use crate::error::{Error, Result};
use crate::graph::{DType, DetectionPostProcess, Graph, Quantization};
use crate::isa::Isa;
use crate::lowering::Kernel;
use std::fmt;

/// What a model may ask of the machine. The defaults are far above any model for a phone; they
/// keep a hostile file from exhausting memory or running for hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the arena and, separately, of constants widened at load.
    pub memory: u64,
    /// Multiply-accumulates of one run.
    pub macs: u64,
    /// Operators.
    pub nodes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory: 1 << 30, macs: 1 << 38, nodes: 1 << 16 }
    }
}

/// Multiply-accumulates of a run from which on threads that nobody asked for are worth waking.
const WORTH_SHARING: u64 = 10_000_000;

/// How a model is prepared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Threads that share the rows of an operator, the caller's included; zero stands for
    /// [`performance_cores`](crate::performance_cores), and for one where a run takes less than ten
    /// million multiply-accumulates.
    pub threads: usize,
    /// The instruction set to choose kernels for; one that this CPU lacks is lowered to one it has.
    /// `None`, the default, is [`Isa::from_env`]: the strongest available, capped by the environment
    /// variable `OSPREY_ISA`.
    pub isa: Option<Isa>,
    /// What the model may ask for.
    pub limits: Limits,
}

impl Options {
    /// Threads of a model of any size, zero resolved.
    pub(crate) fn threads(&self) -> usize {
        if self.threads == 0 { performance_cores() } else { self.threads }
    }

    /// Threads of a model of `macs` multiply-accumulates, zero resolved.
    fn threads_for(&self, macs: u64) -> usize {
        if self.threads == 0 && macs < WORTH_SHARING { 1 } else { self.threads() }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self { threads: 1, isa: None, limits: Limits::default() }
    }
}

/// An input or output of a program, in the model's own terms.
#[derive(Debug, Clone, PartialEq)]
pub struct Port {
    /// Name given by the converter.
    pub name: String,
    /// Extent of each dimension; NHWC for images.
    pub shape: Vec<usize>,
    /// Element type that callers read and write.
    pub dtype: DType,
    /// What the numbers mean, for quantized types.
    pub quantization: Option<Quantization>,
    pub(crate) slot: Slot,
}

/// TFLite_Detection_PostProcess at the end of a graph. The program's outputs 0 and 1 are its box
/// encodings and class scores; decoding and suppression are the caller's.
#[derive(Debug, Clone, PartialEq)]
pub struct PostProcess {
    /// Options written by the converter.
    pub options: DetectionPostProcess,
    /// Centre y, centre x, height, width of each anchor, relative to the image.
    pub anchors: Vec<[f32; 4]>,
}

/// One kernel call.
pub(crate) struct Step {
    pub(crate) kernel: Box<dyn Kernel>,
    pub(crate) operands: Operands,
    pub(crate) node: Option<usize>,
    pub(crate) macs: u64,
}

/// What a step is, for profiles and `osprey info`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepInfo<'a> {
    /// The kernel: architecture, types, variant. Of several in one step, each is named.
    pub kernel: &'a str,
    /// The graph's node; `None` for conversions at the model's borders.
    pub node: Option<usize>,
    /// Multiply-accumulates of one run.
    pub macs: u64,
}

/// What a state starts with.
pub(crate) enum Initial {
    /// One byte all over.
    Fill(u8),
    /// As the file says.
    Bytes(Vec<u8>),
}

/// A model ready to run, shared by any number of [`Session`](crate::Session)s.
pub struct Program {
    pub(crate) steps: Vec<Step>,
    pub(crate) inputs: Vec<Port>,
    pub(crate) outputs: Vec<Port>,
    /// Slots that start with given bytes; everything else starts at zero.
    pub(crate) constants: Vec<(Slot, Vec<u8>)>,
    /// State, and what [`Session::reset_state`](crate::Session::reset_state) sets it to.
    pub(crate) variables: Vec<(Slot, Initial)>,
    pub(crate) arena_bytes: usize,
    threads: usize,
    post_process: Option<PostProcess>,
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program")
            .field("inputs", &self.inputs)
            .field("outputs", &self.outputs)
            .field("steps", &self.steps.len())
            .field("arena_bytes", &self.arena_bytes)
            .field("threads", &self.threads)
            .finish_non_exhaustive()
    }
}

impl Program {
    /// Prepares `graph`: chooses a kernel for every operator, packs weights, plans the arena.
    ///
    /// # Errors
    /// Every operator that cannot run ([`Error::Several`] where there is more than one), [`Error::TooLarge`], or
    /// [`Error::Isa`].
    pub fn compile(graph: &Graph<'_>, options: &Options) -> Result<Self> {
        let (graph, lowering) =
            lower::lower(graph, options).map_err(|mut problems| match problems.len() {
                1 => problems.remove(0),
                _ => Error::Several(problems),
            })?;
        layout::program(&graph, lowering, options)
    }

    /// Every reason why [`Program::compile`] would refuse `graph`; empty where it would not.
    pub fn problems(graph: &Graph<'_>, options: &Options) -> Vec<Error> {
        match lower::lower(graph, options) {
            Ok((graph, lowering)) => layout::program(&graph, lowering, options).err().into_iter().collect(),
            Err(problems) => problems,
        }
    }

    /// What the caller fills before a run.
    pub fn inputs(&self) -> &[Port] {
        &self.inputs
    }

    /// What the caller reads after a run.
    pub fn outputs(&self) -> &[Port] {
        &self.outputs
    }

    /// The post-processing operator that ended the graph, where there was one.
    pub fn post_process(&self) -> Option<&PostProcess> {
        self.post_process.as_ref()
    }

    /// Threads that the program was prepared for.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Bytes of memory that each session takes.
    pub fn arena_bytes(&self) -> usize {
        self.arena_bytes
    }

    /// The kernel calls of a run, in order.
    pub fn steps(&self) -> impl ExactSizeIterator<Item = StepInfo<'_>> {
        self.steps.iter().map(|s| StepInfo { kernel: s.kernel.name(), node: s.node, macs: s.macs })
    }

    /// Multiply-accumulates of one run.
    pub fn macs(&self) -> u64 {
        self.steps.iter().map(|s| s.macs).sum()
    }
}
