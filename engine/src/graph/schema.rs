//! Positions of the fields that are read, in the order of the TFLite schema (`TFL3`).

pub(crate) mod model {
    pub(crate) const VERSION: usize = 0;
    pub(crate) const OPERATOR_CODES: usize = 1;
    pub(crate) const SUBGRAPHS: usize = 2;
    pub(crate) const DESCRIPTION: usize = 3;
    pub(crate) const BUFFERS: usize = 4;
    pub(crate) const METADATA: usize = 6;
}

pub(crate) mod operator_code {
    pub(crate) const DEPRECATED_BUILTIN_CODE: usize = 0;
    pub(crate) const CUSTOM_CODE: usize = 1;
    pub(crate) const BUILTIN_CODE: usize = 3;
}

pub(crate) mod subgraph {
    pub(crate) const TENSORS: usize = 0;
    pub(crate) const INPUTS: usize = 1;
    pub(crate) const OUTPUTS: usize = 2;
    pub(crate) const OPERATORS: usize = 3;
}

pub(crate) mod tensor {
    pub(crate) const SHAPE: usize = 0;
    pub(crate) const TYPE: usize = 1;
    pub(crate) const BUFFER: usize = 2;
    pub(crate) const NAME: usize = 3;
    pub(crate) const QUANTIZATION: usize = 4;
    pub(crate) const IS_VARIABLE: usize = 5;
    pub(crate) const SPARSITY: usize = 6;
}

pub(crate) mod quantization {
    pub(crate) const SCALE: usize = 2;
    pub(crate) const ZERO_POINT: usize = 3;
    pub(crate) const QUANTIZED_DIMENSION: usize = 6;
}

pub(crate) mod operator {
    pub(crate) const OPCODE_INDEX: usize = 0;
    pub(crate) const INPUTS: usize = 1;
    pub(crate) const OUTPUTS: usize = 2;
    pub(crate) const BUILTIN_OPTIONS: usize = 4;
    pub(crate) const CUSTOM_OPTIONS: usize = 5;
    pub(crate) const INTERMEDIATES: usize = 8;
}

pub(crate) mod buffer {
    pub(crate) const DATA: usize = 0;
}

pub(crate) mod metadata {
    pub(crate) const NAME: usize = 0;
    pub(crate) const BUFFER: usize = 1;
}

/// Operators, by number in the schema's `BuiltinOperator`.
pub(crate) mod builtin {
    pub(crate) const ADD: i32 = 0;
    pub(crate) const AVERAGE_POOL_2D: i32 = 1;
    pub(crate) const CONCATENATION: i32 = 2;
    pub(crate) const CONV_2D: i32 = 3;
    pub(crate) const DEPTHWISE_CONV_2D: i32 = 4;
    pub(crate) const DEPTH_TO_SPACE: i32 = 5;
    pub(crate) const DEQUANTIZE: i32 = 6;
    pub(crate) const FULLY_CONNECTED: i32 = 9;
    pub(crate) const LOGISTIC: i32 = 14;
    pub(crate) const MAX_POOL_2D: i32 = 17;
    pub(crate) const MUL: i32 = 18;
    pub(crate) const RELU: i32 = 19;
    pub(crate) const RELU6: i32 = 21;
    pub(crate) const RESHAPE: i32 = 22;
    pub(crate) const RESIZE_BILINEAR: i32 = 23;
    pub(crate) const SOFTMAX: i32 = 25;
    pub(crate) const TANH: i32 = 28;
    pub(crate) const CUSTOM: i32 = 32;
    pub(crate) const PAD: i32 = 34;
    pub(crate) const GATHER: i32 = 36;
    pub(crate) const TRANSPOSE: i32 = 39;
    pub(crate) const MEAN: i32 = 40;
    pub(crate) const SUB: i32 = 41;
    pub(crate) const SQUEEZE: i32 = 43;
    pub(crate) const UNIDIRECTIONAL_SEQUENCE_LSTM: i32 = 44;
    pub(crate) const STRIDED_SLICE: i32 = 45;
    pub(crate) const SPLIT: i32 = 49;
    pub(crate) const CAST: i32 = 53;
    pub(crate) const PRELU: i32 = 54;
    pub(crate) const ARG_MAX: i32 = 56;
    pub(crate) const PADV2: i32 = 60;
    pub(crate) const TRANSPOSE_CONV: i32 = 67;
    pub(crate) const PACK: i32 = 83;
    pub(crate) const UNPACK: i32 = 88;
    pub(crate) const RESIZE_NEAREST_NEIGHBOR: i32 = 97;
    pub(crate) const LEAKY_RELU: i32 = 98;
    pub(crate) const QUANTIZE: i32 = 114;
    pub(crate) const HARD_SWISH: i32 = 117;
}
