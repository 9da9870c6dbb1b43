//! The one interface of every model: typed n-dimensional arrays that say what their numbers mean.

use ndarray::{ArrayD, ArrayViewD, ArrayViewMutD};
pub use osprey_engine::{DType, Quantization};

/// A tensor was given that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} of shape {expected_shape:?}, got {actual} of shape {actual_shape:?}")]
pub struct TensorMismatch {
    /// Element type that is wanted.
    pub expected: DType,
    /// Shape that is wanted.
    pub expected_shape: Vec<usize>,
    /// Element type given.
    pub actual: DType,
    /// Shape given.
    pub actual_shape: Vec<usize>,
}

/// What a model expects at an input or gives at an output.
#[derive(Debug, Clone, PartialEq)]
pub struct TensorSpec {
    /// Name given by the converter.
    pub name: String,
    /// Extent of each dimension; NHWC for images.
    pub shape: Vec<usize>,
    /// Element type.
    pub dtype: DType,
    /// What the numbers mean, for quantized types.
    pub quantization: Option<Quantization>,
}

impl TensorSpec {
    /// Number of elements.
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }

    /// Scale and zero point of a tensor that is quantized as a whole; (1, 0) where it is not quantized.
    pub fn affine(&self) -> (f32, i32) {
        self.quantization.as_ref().and_then(Quantization::per_tensor).unwrap_or((1.0, 0))
    }
}

macro_rules! by_dtype {
    ($($variant:ident $t:ty),*) => {
        /// An array that owns its elements.
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        #[allow(missing_docs, reason = "variants are the element types")]
        pub enum Tensor { $($variant(ArrayD<$t>)),* }

        /// A borrowed array, to read.
        #[derive(Debug, Clone)]
        #[non_exhaustive]
        #[allow(missing_docs, reason = "variants are the element types")]
        pub enum TensorView<'a> { $($variant(ArrayViewD<'a, $t>)),* }

        /// A borrowed array, to fill.
        #[derive(Debug)]
        #[non_exhaustive]
        #[allow(missing_docs, reason = "variants are the element types")]
        pub enum TensorViewMut<'a> { $($variant(ArrayViewMutD<'a, $t>)),* }

        impl Tensor {
            /// Zeros, or `false`. `None` for types that no array has: float16 and unknown ones.
            pub fn zeros(dtype: DType, shape: &[usize]) -> Option<Self> {
                Some(match dtype {
                    $(DType::$variant => Self::$variant(ArrayD::default(shape)),)*
                    _ => return None,
                })
            }

            /// A view of all elements.
            pub fn view(&self) -> TensorView<'_> {
                match self { $(Self::$variant(a) => TensorView::$variant(a.view())),* }
            }

            /// A view of all elements, to fill.
            pub fn view_mut(&mut self) -> TensorViewMut<'_> {
                match self { $(Self::$variant(a) => TensorViewMut::$variant(a.view_mut())),* }
            }
        }

        impl TensorView<'_> {
            /// Element type.
            pub fn dtype(&self) -> DType {
                match self { $(Self::$variant(_) => DType::$variant),* }
            }

            /// Extent of each dimension.
            pub fn shape(&self) -> &[usize] {
                match self { $(Self::$variant(a) => a.shape()),* }
            }

            /// A copy that owns its elements.
            pub fn to_tensor(&self) -> Tensor {
                match self { $(Self::$variant(a) => Tensor::$variant(a.to_owned())),* }
            }
        }

        impl TensorViewMut<'_> {
            /// Element type.
            pub fn dtype(&self) -> DType {
                match self { $(Self::$variant(_) => DType::$variant),* }
            }

            /// Extent of each dimension.
            pub fn shape(&self) -> &[usize] {
                match self { $(Self::$variant(a) => a.shape()),* }
            }

            /// Copies every element of `from`.
            ///
            /// # Errors
            /// [`TensorMismatch`] unless type and shape are equal.
            pub fn assign(&mut self, from: &TensorView<'_>) -> Result<(), TensorMismatch> {
                match (self, from) {
                    $((Self::$variant(to), TensorView::$variant(from)) if to.shape() == from.shape() => {
                        to.assign(from);
                    })*
                    (to, from) => return Err(TensorMismatch {
                        expected: to.dtype(),
                        expected_shape: to.shape().to_vec(),
                        actual: from.dtype(),
                        actual_shape: from.shape().to_vec(),
                    }),
                }
                Ok(())
            }
        }

        $(
            impl From<ArrayD<$t>> for Tensor {
                fn from(array: ArrayD<$t>) -> Self { Self::$variant(array) }
            }

            impl<'a> From<ArrayViewD<'a, $t>> for TensorView<'a> {
                fn from(array: ArrayViewD<'a, $t>) -> Self { Self::$variant(array) }
            }

            impl<'a> From<ArrayViewMutD<'a, $t>> for TensorViewMut<'a> {
                fn from(array: ArrayViewMutD<'a, $t>) -> Self { Self::$variant(array) }
            }

            impl Element for $t {
                const DTYPE: DType = DType::$variant;

                fn slice<'a>(view: &'a TensorView<'_>) -> Option<&'a [Self]> {
                    match view { TensorView::$variant(a) => a.as_slice(), _ => None }
                }

                fn slice_mut<'a>(view: &'a mut TensorViewMut<'_>) -> Option<&'a mut [Self]> {
                    match view { TensorViewMut::$variant(a) => a.as_slice_mut(), _ => None }
                }
            }
        )*
    };
}

/// A number that tensors hold.
pub trait Element: Copy + Sized {
    /// Its type in a file.
    const DTYPE: DType;
    #[doc(hidden)]
    fn slice<'a>(view: &'a TensorView<'_>) -> Option<&'a [Self]>;
    #[doc(hidden)]
    fn slice_mut<'a>(view: &'a mut TensorViewMut<'_>) -> Option<&'a mut [Self]>;
}

by_dtype!(F32 f32, U8 u8, I8 i8, I16 i16, I32 i32, I64 i64, Bool bool);

impl Tensor {
    /// No elements at all, to be replaced.
    pub(crate) fn empty() -> Self {
        Self::U8(ArrayD::default(ndarray::IxDyn(&[0])))
    }
}

impl TensorView<'_> {
    /// The elements in row-major order; `None` where they are of another type or have gaps.
    /// Models' inputs and outputs have none.
    pub fn as_slice<T: Element>(&self) -> Option<&[T]> {
        T::slice(self)
    }

    /// What the numbers mean: scale × (stored − zero point) for quantized tensors, the numbers
    /// themselves for others.
    pub fn to_f32(&self, quantization: Option<&Quantization>) -> ArrayD<f32> {
        let mut values = match self {
            Self::F32(a) => a.to_owned(),
            Self::U8(a) => a.mapv(f32::from),
            Self::I8(a) => a.mapv(f32::from),
            Self::I16(a) => a.mapv(f32::from),
            Self::I32(a) => a.mapv(|v| v as f32),
            Self::I64(a) => a.mapv(|v| v as f32),
            Self::Bool(a) => a.mapv(|v| f32::from(u8::from(v))),
        };
        match quantization {
            Some(q) if !matches!(self, Self::F32(_)) => dequantize(&mut values, q),
            _ => {}
        }
        values
    }
}

fn dequantize(values: &mut ArrayD<f32>, q: &Quantization) {
    if let Some((scale, zero_point)) = q.per_tensor() {
        values.mapv_inplace(|v| scale * (v - zero_point as f32));
    } else if q.axis < values.ndim() {
        let pairs = q.scales.iter().zip(&q.zero_points);
        for (mut lane, (&scale, &zero_point)) in values.axis_iter_mut(ndarray::Axis(q.axis)).zip(pairs) {
            lane.mapv_inplace(|v| scale * (v - zero_point as f32));
        }
    }
}

impl TensorViewMut<'_> {
    /// The elements in row-major order, to fill; `None` where they are of another type or have gaps.
    /// Models' inputs have none.
    pub fn as_slice_mut<T: Element>(&mut self) -> Option<&mut [T]> {
        T::slice_mut(self)
    }

    /// Fills the elements, in row-major order, with what stands for `values`: quantized where the
    /// tensor is, rounded to the nearest and clamped. NaN becomes zero in integers.
    ///
    /// # Errors
    /// [`TensorMismatch`] unless there are as many values as elements.
    pub fn assign_f32(
        &mut self,
        values: &[f32],
        quantization: Option<&Quantization>,
    ) -> Result<(), TensorMismatch> {
        if values.len() != self.shape().iter().product::<usize>() {
            return Err(TensorMismatch {
                expected: self.dtype(),
                expected_shape: self.shape().to_vec(),
                actual: DType::F32,
                actual_shape: vec![values.len()],
            });
        }
        let (scale, zero_point) = quantization.and_then(Quantization::per_tensor).unwrap_or((1.0, 0));
        let stored = values.iter().map(|v| (v / scale).round_ties_even() + zero_point as f32);
        match self {
            Self::F32(a) => a.iter_mut().zip(values).for_each(|(e, v)| *e = *v),
            // Casts from float saturate.
            Self::U8(a) => a.iter_mut().zip(stored).for_each(|(e, v)| *e = v as u8),
            Self::I8(a) => a.iter_mut().zip(stored).for_each(|(e, v)| *e = v as i8),
            Self::I16(a) => a.iter_mut().zip(stored).for_each(|(e, v)| *e = v as i16),
            Self::I32(a) => a.iter_mut().zip(stored).for_each(|(e, v)| *e = v as i32),
            Self::I64(a) => a.iter_mut().zip(stored).for_each(|(e, v)| *e = v as i64),
            Self::Bool(a) => a.iter_mut().zip(values).for_each(|(e, v)| *e = *v != 0.0),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::arr2;

    #[test]
    fn quantized_numbers_become_what_they_mean() {
        let stored = arr2(&[[0u8, 10], [20, 30]]).into_dyn();
        let view = TensorView::from(stored.view());
        let whole = Quantization { scales: vec![0.5], zero_points: vec![10], axis: 0 };
        assert_eq!(view.to_f32(Some(&whole)), arr2(&[[-5.0, 0.0], [5.0, 10.0]]).into_dyn());
        let by_column = Quantization { scales: vec![1.0, 2.0], zero_points: vec![0, 10], axis: 1 };
        assert_eq!(view.to_f32(Some(&by_column)), arr2(&[[0.0, 0.0], [20.0, 40.0]]).into_dyn());
        assert_eq!(view.to_f32(None), arr2(&[[0.0, 10.0], [20.0, 30.0]]).into_dyn());
    }

    #[test]
    fn assign_wants_equal_type_and_shape() {
        let mut to = Tensor::zeros(DType::F32, &[1, 2]).unwrap();
        let row = arr2(&[[1.0f32, 2.0]]).into_dyn();
        to.view_mut().assign(&row.view().into()).unwrap();
        assert_eq!(to, Tensor::F32(row));
        let column = arr2(&[[1.0f32], [2.0]]).into_dyn();
        assert!(to.view_mut().assign(&column.view().into()).is_err());
        let bytes = arr2(&[[1u8, 2]]).into_dyn();
        assert!(to.view_mut().assign(&bytes.view().into()).is_err());
        assert!(Tensor::zeros(DType::F16, &[1]).is_none());
    }
}
