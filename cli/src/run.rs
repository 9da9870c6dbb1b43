//! `osprey run`: tensors in, tensors out.

use crate::args::RunArgs;
use crate::{files, model};
use anyhow::{Context, Result, bail, ensure};
use npyz::{Deserialize, NpyFile, Order, WriterBuilder};
use osprey_detector::model::{LoadOptions, PostProcessing};
use osprey_detector::tensor::{DType, Tensor, TensorSpec, TensorView};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::process::ExitCode;

pub(crate) fn run(args: &RunArgs) -> Result<ExitCode> {
    let source = model::resolve(Some(&args.model))?;
    let options =
        LoadOptions { post_processing: PostProcessing::Apply, ..model::options(args.backend, args.threads) };
    let mut loaded = source.load(&options)?;
    let model = loaded.model.as_mut();
    let specs = model.inputs().to_vec();
    ensure!(
        specs.len() == args.input.len(),
        "the model takes {} inputs, {} were given:\n{}",
        specs.len(),
        args.input.len(),
        specs
            .iter()
            .enumerate()
            .map(|(i, s)| format!("  {i}: {}", describe(s)))
            .collect::<Vec<_>>()
            .join("\n")
    );
    for (index, (spec, file)) in specs.iter().zip(&args.input).enumerate() {
        let tensor = read(file, spec)?;
        model
            .set_input(index, &tensor.view())
            .with_context(|| format!("input {index}, {}", file.display()))?;
    }
    model.run()?;
    files::make_folder(&args.output)?;
    for index in 0..model.outputs().len() {
        let path = args.output.join(format!("out{index}.npy"));
        files::write_whole(&path, &npy(&model.output(index)?)?)?;
        println!("{}  {}", path.display(), describe(&model.outputs()[index]));
    }
    Ok(ExitCode::SUCCESS)
}

/// A tensor in a line: type, shape, name, quantization.
pub(crate) fn describe(spec: &TensorSpec) -> String {
    let quantization = match &spec.quantization {
        Some(q) => match q.per_tensor() {
            Some((scale, zero_point)) => format!(", scale {scale}, zero point {zero_point}"),
            None => format!(", {} scales along axis {}", q.scales.len(), q.axis),
        },
        None => String::new(),
    };
    format!("{} {:?} \"{}\"{quantization}", spec.dtype, spec.shape, spec.name)
}

fn read(path: &Path, spec: &TensorSpec) -> Result<Tensor> {
    let open = || -> Result<Tensor> {
        let npy = NpyFile::new(BufReader::new(File::open(path)?)).context("not a .npy file")?;
        let shape: Vec<usize> = npy.shape().iter().map(|&d| d as usize).collect();
        ensure!(
            shape == spec.shape,
            "its shape is {shape:?}, the model's input \"{}\" is {:?}",
            spec.name,
            spec.shape
        );
        match spec.dtype {
            DType::F32 => array::<f32>(npy, spec),
            DType::U8 => array::<u8>(npy, spec),
            DType::I8 => array::<i8>(npy, spec),
            DType::I16 => array::<i16>(npy, spec),
            DType::I32 => array::<i32>(npy, spec),
            DType::I64 => array::<i64>(npy, spec),
            DType::Bool => array::<bool>(npy, spec),
            other => bail!("the model's input is {other}, which .npy files do not hold"),
        }
    };
    open().with_context(|| format!("cannot read {}", path.display()))
}

fn array<T>(npy: NpyFile<BufReader<File>>, spec: &TensorSpec) -> Result<Tensor>
where
    T: Deserialize,
    ndarray::ArrayD<T>: Into<Tensor>,
{
    let (order, dtype) = (npy.order(), npy.dtype().descr());
    let values = npy.data::<T>().map_err(|_| {
        anyhow::anyhow!(
            "its numbers are of type {dtype}, the model's input \"{}\" is {}",
            spec.name,
            spec.dtype
        )
    })?;
    let values = values.collect::<Result<Vec<T>, _>>().context("the file ends early")?;
    let array = match order {
        Order::C => ndarray::ArrayD::from_shape_vec(spec.shape.clone(), values)?,
        // Columns first: the same memory with its axes reversed.
        Order::Fortran => {
            let reversed: Vec<usize> = spec.shape.iter().rev().copied().collect();
            ndarray::ArrayD::from_shape_vec(reversed, values)?.reversed_axes()
        }
    };
    Ok(array.into())
}

fn npy(tensor: &TensorView<'_>) -> Result<Vec<u8>> {
    fn bytes<'a, T>(values: impl Iterator<Item = &'a T>, shape: &[usize]) -> Result<Vec<u8>>
    where
        T: npyz::AutoSerialize + Copy + 'a,
    {
        let shape: Vec<u64> = shape.iter().map(|&d| d as u64).collect();
        let mut bytes = Vec::new();
        let mut writer =
            npyz::WriteOptions::new().default_dtype().shape(&shape).writer(&mut bytes).begin_nd()?;
        for value in values {
            writer.push(value)?;
        }
        writer.finish()?;
        Ok(bytes)
    }
    match tensor {
        TensorView::F32(a) => bytes(a.iter(), a.shape()),
        TensorView::U8(a) => bytes(a.iter(), a.shape()),
        TensorView::I8(a) => bytes(a.iter(), a.shape()),
        TensorView::I16(a) => bytes(a.iter(), a.shape()),
        TensorView::I32(a) => bytes(a.iter(), a.shape()),
        TensorView::I64(a) => bytes(a.iter(), a.shape()),
        TensorView::Bool(a) => bytes(a.iter(), a.shape()),
        other => bail!("an output of {} cannot be written as .npy", other.dtype()),
    }
}
