//! Where a classifier's samples come from.

use crate::args::{EvalArgs, MAX_MEGAPIXELS};
use crate::detect::decode::{self, Opened, PictureLimits};
use crate::detect::finder::prepare;
use crate::detect::inputs::{Input, Inputs, Search};
use crate::eval::read;
use anyhow::{Context, Result, bail, ensure};
use npyz::{NpyFile, Order};
use osprey_detector::model::LoadedModel;
use osprey_detector::tensor::{TensorSpec, TensorViewMut};
use osprey_detector::{FramePreparer, Model};
use osprey_evaluate::ClassMap;
use std::path::Path;

/// Inputs with their true classes, one after the other.
pub(super) enum Samples {
    Arrays { inputs: Array, truth: Vec<i64>, next: usize },
    Pictures { files: std::vec::IntoIter<(Input, usize)>, preparer: Box<FramePreparer> },
}

/// Samples of one array, row after row.
pub(super) enum Array {
    Real { values: Vec<f32>, spec: TensorSpec },
    U8(Vec<u8>),
    I8(Vec<i8>),
}

impl Samples {
    pub(super) fn open(args: &EvalArgs, loaded: &LoadedModel, labels: &[String]) -> Result<Self> {
        match (&args.inputs, &args.truth, &args.images) {
            (Some(inputs), Some(truth), _) => Self::arrays(inputs, truth, loaded),
            (None, None, Some(folder)) => Self::pictures(folder, loaded, labels),
            _ => bail!(
                "a classifier is evaluated with --inputs X.npy --truth Y.npy, or with --images DIR that holds a folder for each class"
            ),
        }
    }

    fn arrays(inputs: &Path, truth: &Path, loaded: &LoadedModel) -> Result<Self> {
        let spec = loaded.model.inputs().first().context("the model has no input")?.clone();
        let (array, count) =
            array(inputs, &spec).with_context(|| format!("cannot use {}", inputs.display()))?;
        let truth_values = integers(truth).with_context(|| format!("cannot use {}", truth.display()))?;
        ensure!(
            truth_values.len() == count,
            "{} holds {count} samples, {} {} classes",
            inputs.display(),
            truth.display(),
            truth_values.len()
        );
        Ok(Self::Arrays { inputs: array, truth: truth_values, next: 0 })
    }

    fn pictures(folder: &Path, loaded: &LoadedModel, labels: &[String]) -> Result<Self> {
        let search = Search { recursive: true, exclude: &[] };
        let inputs = Inputs::collect(&[folder.to_owned()], &search)?;
        let classes = ClassMap::new(labels);
        let labelled = inputs.files.into_iter().map(|input| {
            let class = input.name.components().next().map(|c| c.as_os_str().to_string_lossy().into_owned());
            let class = class.filter(|_| input.name.components().count() > 1);
            let class =
                class.with_context(|| format!("{} lies in no class's folder", input.path.display()))?;
            let id = classes.find(&class).with_context(|| format!("the model has no class \"{class}\""))?;
            Ok((input, id))
        });
        let files = labelled.collect::<Result<Vec<_>>>()?.into_iter();
        Ok(Self::Pictures { files, preparer: Box::new(FramePreparer::for_model(loaded)?) })
    }

    /// Fills the model's input with the next sample and tells its class; `None` at the end.
    pub(super) fn next(&mut self, model: &mut dyn Model) -> Result<Option<usize>> {
        match self {
            Self::Arrays { inputs, truth, next } => {
                let Some(&class) = truth.get(*next) else { return Ok(None) };
                inputs.fill(*next, model)?;
                *next += 1;
                Ok(Some(usize::try_from(class).with_context(|| format!("class {class} in the truth"))?))
            }
            Self::Pictures { files, preparer } => {
                for (input, class) in files {
                    let limits = PictureLimits::megapixels(MAX_MEGAPIXELS);
                    let decoded = decode::open(&input.path, &limits).and_then(Opened::decode);
                    match decoded.map_err(anyhow::Error::from).and_then(|p| prepare(preparer, &p)) {
                        Ok(prepared) => {
                            model.input_mut(0)?.assign(&prepared.input().view())?;
                            return Ok(Some(class));
                        }
                        Err(e) => eprintln!("osprey: skipped {}: {e}", input.path.display()),
                    }
                }
                Ok(None)
            }
        }
    }
}

impl Array {
    fn fill(&self, sample: usize, model: &mut dyn Model) -> Result<()> {
        let mut input = model.input_mut(0)?;
        let length: usize = input.shape().iter().product();
        let range = sample * length..(sample + 1) * length;
        match (self, &mut input) {
            (Self::Real { values, .. }, TensorViewMut::F32(a)) => copy(a.iter_mut(), &values[range]),
            (Self::Real { values, spec }, TensorViewMut::U8(a)) => {
                a.iter_mut()
                    .zip(&values[range])
                    .for_each(|(to, v)| *to = quantized(*v, spec, 0.0, 255.0) as u8);
            }
            (Self::Real { values, spec }, TensorViewMut::I8(a)) => {
                a.iter_mut()
                    .zip(&values[range])
                    .for_each(|(to, v)| *to = quantized(*v, spec, -128.0, 127.0) as i8);
            }
            (Self::U8(values), TensorViewMut::U8(a)) => copy(a.iter_mut(), &values[range]),
            (Self::I8(values), TensorViewMut::I8(a)) => copy(a.iter_mut(), &values[range]),
            _ => bail!("the model's input is {}, which the array cannot fill", input.dtype()),
        }
        Ok(())
    }
}

fn copy<'a, T: Copy + 'a>(to: impl Iterator<Item = &'a mut T>, from: &[T]) {
    to.zip(from).for_each(|(to, from)| *to = *from);
}

fn quantized(value: f32, spec: &TensorSpec, low: f32, high: f32) -> f32 {
    let (scale, zero_point) = spec.affine();
    ((value / scale).round_ties_even() + zero_point as f32).clamp(low, high)
}

/// The samples, and how many there are.
fn array(path: &Path, spec: &TensorSpec) -> Result<(Array, usize)> {
    let bytes = read(path)?;
    let npy = NpyFile::new(&bytes[..]).context("not a .npy file")?;
    ensure!(npy.order() == Order::C, "its columns come first; save it with numpy.ascontiguousarray");
    let shape = npy.shape().to_vec();
    let (count, rest) = shape.split_first().context("a single number, not an array of samples")?;
    let (length, expected) = (rest.iter().product::<u64>(), spec.elements() as u64);
    ensure!(
        length == expected,
        "a sample of shape {rest:?} has {length} numbers; the model takes {:?}",
        spec.shape
    );
    let array = match npy.dtype().descr().trim_matches('\'') {
        "|u1" => Array::U8(npy.into_vec()?),
        "|i1" => Array::I8(npy.into_vec()?),
        "<f4" | ">f4" => Array::Real { values: npy.into_vec()?, spec: spec.clone() },
        "<f8" | ">f8" => {
            let values = npy.into_vec::<f64>()?.into_iter().map(|v| v as f32).collect();
            Array::Real { values, spec: spec.clone() }
        }
        other => bail!("its numbers are {other}; float32, float64, uint8 and int8 are read"),
    };
    Ok((array, *count as usize))
}

fn integers(path: &Path) -> Result<Vec<i64>> {
    let bytes = read(path)?;
    let npy = NpyFile::new(&bytes[..]).context("not a .npy file")?;
    Ok(match npy.dtype().descr().trim_matches('\'') {
        "|u1" => npy.into_vec::<u8>()?.into_iter().map(i64::from).collect(),
        "|i1" => npy.into_vec::<i8>()?.into_iter().map(i64::from).collect(),
        "<i4" => npy.into_vec::<i32>()?.into_iter().map(i64::from).collect(),
        "<i8" => npy.into_vec::<i64>()?,
        other => bail!("its numbers are {other}; class numbers are int64, int32, uint8 or int8"),
    })
}
