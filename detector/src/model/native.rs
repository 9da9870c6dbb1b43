//! Models on osprey-engine.

use super::{Model, ModelError, find};
use crate::tensor::{DType, TensorSpec, TensorView, TensorViewMut};
use ndarray::{ArrayViewD, ArrayViewMutD};
use osprey_engine::{Port, Program, Session};
use std::sync::Arc;

/// A model on osprey-engine; [`Model::run`] allocates nothing and cannot fail.
pub struct NativeModel {
    session: Session,
    inputs: Vec<TensorSpec>,
    outputs: Vec<TensorSpec>,
}

impl NativeModel {
    /// A model with memory of its own for the compiled `program`.
    ///
    /// # Errors
    /// [`ModelError::UnsupportedTensor`], [`ModelError::Engine`].
    pub fn new(program: Arc<Program>) -> Result<Self, ModelError> {
        let inputs = specs(program.inputs(), "input")?;
        let outputs = specs(program.outputs(), "output")?;
        Ok(Self { session: Session::new(program)?, inputs, outputs })
    }
}

impl Model for NativeModel {
    fn inputs(&self) -> &[TensorSpec] {
        &self.inputs
    }

    fn outputs(&self) -> &[TensorSpec] {
        &self.outputs
    }

    fn input_mut(&mut self, index: usize) -> Result<TensorViewMut<'_>, ModelError> {
        let spec = find(&self.inputs, index, "input")?;
        view_mut(spec, self.session.input_mut(index)?)
    }

    fn run(&mut self) -> Result<(), ModelError> {
        self.session.run();
        Ok(())
    }

    fn output(&self, index: usize) -> Result<TensorView<'_>, ModelError> {
        view(find(&self.outputs, index, "output")?, self.session.output(index)?)
    }

    fn reset_state(&mut self) {
        self.session.reset_state();
    }
}

fn specs(ports: &[Port], kind: &'static str) -> Result<Vec<TensorSpec>, ModelError> {
    let spec = |port: &Port| {
        let (name, dtype) = (port.name.clone(), port.dtype);
        match dtype {
            DType::F16 | DType::Other(_) => Err(ModelError::UnsupportedTensor { kind, name, dtype }),
            _ => Ok(TensorSpec {
                name,
                dtype,
                shape: port.shape.clone(),
                quantization: port.quantization.clone(),
            }),
        }
    };
    ports.iter().map(spec).collect()
}

macro_rules! views {
    ($($variant:ident $t:ty),*) => {
        fn view<'a>(spec: &TensorSpec, bytes: &'a [u8]) -> Result<TensorView<'a>, ModelError> {
            let view = match spec.dtype {
                $(DType::$variant => bytemuck::checked::try_cast_slice::<u8, $t>(bytes)
                    .ok()
                    .and_then(|s| ArrayViewD::from_shape(spec.shape.as_slice(), s).ok())
                    .map(TensorView::$variant),)*
                _ => None,
            };
            view.ok_or_else(|| ModelError::InvalidValues { name: spec.name.clone(), dtype: spec.dtype })
        }

        fn view_mut<'a>(spec: &TensorSpec, bytes: &'a mut [u8]) -> Result<TensorViewMut<'a>, ModelError> {
            let view = match spec.dtype {
                $(DType::$variant => bytemuck::checked::try_cast_slice_mut::<u8, $t>(bytes)
                    .ok()
                    .and_then(|s| ArrayViewMutD::from_shape(spec.shape.as_slice(), s).ok())
                    .map(TensorViewMut::$variant),)*
                _ => None,
            };
            view.ok_or_else(|| ModelError::InvalidValues { name: spec.name.clone(), dtype: spec.dtype })
        }
    };
}
views!(F32 f32, U8 u8, I8 i8, I16 i16, I32 i32, I64 i64, Bool bool);
