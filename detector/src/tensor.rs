//! The one interface of every model: typed n-dimensional arrays that say what their numbers mean.

use ndarray::{ArrayD, ArrayViewD, ArrayViewMutD};
pub use osprey_engine::{DType, Quantization};

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
            /// Zeros; none for types that models do not compute with (`F16`, `Other`).
            pub fn zeros(dtype: DType, shape: &[usize]) -> Option<Self> {
                match dtype {
                    $(DType::$variant => Some(Self::$variant(ArrayD::default(shape))),)*
                    _ => None,
                }
            }

            /// A view of all elements, to fill.
            pub fn view_mut(&mut self) -> TensorViewMut<'_> {
                match self { $(Self::$variant(a) => TensorViewMut::$variant(a.view_mut())),* }
            }

            /// A view of all elements.
            pub fn view(&self) -> TensorView<'_> {
                match self { $(Self::$variant(a) => TensorView::$variant(a.view())),* }
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
        }

        $(
            impl From<ArrayD<$t>> for Tensor {
                fn from(array: ArrayD<$t>) -> Self { Self::$variant(array) }
            }
        )*
    };
}
by_dtype!(F32 f32, U8 u8, I8 i8, I16 i16, I32 i32, I64 i64, Bool bool);
