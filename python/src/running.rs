//! What an interpreter runs: the model, a second one that gives what lies inside it, and tensors for several
//! examples.

use crate::error::Error;
use ndarray::{Axis, Slice};
use osprey_detector::model::{
    Backend, BackendChoice, LoadOptions, LoadedModel, Model, NativeModel, PostProcessing,
};
use osprey_detector::{DType, Tensor, TensorSpec, TensorView, TensorViewMut};
use osprey_engine::graph::{Op, TensorId};
use osprey_engine::{Graph, Options, Program};

/// For each variant of a view: the array in it, as `$array`.
macro_rules! each {
    ($type:ident, $view:expr, $array:pat => $body:expr, else $other:expr) => {
        match $view {
            $type::F32($array) => $body,
            $type::U8($array) => $body,
            $type::I8($array) => $body,
            $type::I16($array) => $body,
            $type::I32($array) => $body,
            $type::I64($array) => $body,
            $type::Bool($array) => $body,
            _ => $other,
        }
    };
}

pub(crate) use each;

/// What runs, once memory was asked for.
pub(crate) struct Running {
    pub(crate) model: Box<dyn Model>,
    /// All values inside the model, where they were asked for.
    pub(crate) taps: Option<Taps>,
    /// Examples in each run, with their tensors where it is not one.
    batch: usize,
    pub(crate) inputs: Vec<Tensor>,
    pub(crate) outputs: Vec<Tensor>,
}

/// A second model that gives every value inside the first.
pub(crate) struct Taps {
    model: NativeModel,
    pub(crate) tensors: Vec<TensorId>,
}

/// Where a tensor's values are.
pub(crate) enum Place {
    Input(usize),
    Output(usize),
    Inside(usize),
    Constant,
}

impl Running {
    /// Compiles the model in `file` for runs of `batch` examples; `keeps_all` keeps every value inside it.
    pub(crate) fn new(file: &[u8], threads: usize, keeps_all: bool, batch: usize) -> Result<Self, Error> {
        let options = LoadOptions {
            backend: BackendChoice::Only(Backend::Native),
            threads,
            post_processing: PostProcessing::Apply,
            ignore_metadata: true,
            ..LoadOptions::default()
        };
        let model = LoadedModel::from_bytes(file, &options)?.model;
        let taps = if keeps_all { Some(Taps::new(file, threads)?) } else { None };
        let mut running = Self { model, taps, batch, inputs: Vec::new(), outputs: Vec::new() };
        if batch != 1 {
            running.inputs = many(running.model.inputs(), batch)?;
            running.outputs = many(running.model.outputs(), batch)?;
        }
        Ok(running)
    }

    pub(crate) fn input_mut(&mut self, at: usize) -> Result<TensorViewMut<'_>, Error> {
        match self.inputs.get_mut(at) {
            Some(tensor) => Ok(tensor.view_mut()),
            None => Ok(self.model.input_mut(at)?),
        }
    }

    pub(crate) fn output(&self, place: &Place) -> Result<TensorView<'_>, Error> {
        match (place, &self.taps) {
            (Place::Inside(at), Some(taps)) => Ok(taps.model.output(*at)?),
            (Place::Output(at), _) => match self.outputs.get(*at) {
                Some(tensor) => Ok(tensor.view()),
                None => Ok(self.model.output(*at)?),
            },
            _ => Err(Error::Model("no such output".into())),
        }
    }

    pub(crate) fn run(&mut self) -> Result<(), Error> {
        if self.batch != 1 {
            return self.run_one_by_one();
        }
        if let Some(taps) = &mut self.taps {
            for at in 0..self.model.inputs().len() {
                let value = each!(TensorViewMut, self.model.input_mut(at)?, a => Tensor::from(a.to_owned()), else continue);
                taps.model.input_mut(at)?.assign(&value.view())?;
            }
            taps.model.run()?;
        }
        Ok(self.model.run()?)
    }

    /// A batch is as many runs: in a model whose first dimension is open, no example sees another.
    fn run_one_by_one(&mut self) -> Result<(), Error> {
        for example in 0..self.batch {
            let part = Slice::from(example as isize..example as isize + 1);
            for (at, all) in self.inputs.iter().enumerate() {
                let one = each!(TensorView, all.view(), a => Tensor::from(a.slice_axis(Axis(0), part).to_owned()), else continue);
                self.model.input_mut(at)?.assign(&one.view())?;
            }
            self.model.run()?;
            for (at, all) in self.outputs.iter_mut().enumerate() {
                let one = self.model.output(at)?.to_tensor();
                put(all, part, &one.view())?;
            }
        }
        Ok(())
    }
}

impl Taps {
    fn new(file: &[u8], threads: usize) -> Result<Self, Error> {
        let model = |e: osprey_engine::Error| Error::from(osprey_detector::ModelError::from(e));
        let mut graph = Graph::read(file).map_err(model)?;
        graph.nodes.retain(|n| !matches!(n.op, Op::DetectionPostProcess(_)));
        let shown = |id: &TensorId| {
            let tensor = &graph.tensors[*id];
            tensor.elements() > 0 && !matches!(tensor.dtype, DType::F16 | DType::C64 | DType::Other(_))
        };
        let tensors: Vec<TensorId> =
            graph.nodes.iter().flat_map(|n| &n.outputs).copied().filter(shown).collect();
        graph.outputs.clone_from(&tensors);
        let options = Options { threads: threads.max(1), ..Options::default() };
        let program = Program::compile(&graph, &options).map_err(model)?;
        Ok(Self { model: NativeModel::new(program.into())?, tensors })
    }
}

/// Tensors for `batch` examples of what a model takes or gives one by one.
fn many(specs: &[TensorSpec], batch: usize) -> Result<Vec<Tensor>, Error> {
    let tensor = |spec: &TensorSpec| {
        let refuse = || Error::Model(format!("\"{}\" has no dimension for several examples", spec.name));
        let mut shape = spec.shape.clone();
        match shape.first_mut() {
            Some(first) if *first == 1 => *first = batch,
            _ => return Err(refuse()),
        }
        Tensor::zeros(spec.dtype, &shape).ok_or_else(refuse)
    };
    specs.iter().map(tensor).collect()
}

fn put(all: &mut Tensor, part: Slice, one: &TensorView<'_>) -> Result<(), Error> {
    let mut view = all.view_mut();
    let mut to: TensorViewMut<'_> = each!(
        TensorViewMut, &mut view, a => a.slice_axis_mut(Axis(0), part).into(), else return Ok(())
    );
    Ok(to.assign(one)?)
}
