//! Positions of the fields that are read, in the order of the TFLite schema (`TFL3`).

pub(crate) mod model {
    pub(crate) const VERSION: usize = 0;
    pub(crate) const OPERATOR_CODES: usize = 1;
    pub(crate) const SUBGRAPHS: usize = 2;
    pub(crate) const DESCRIPTION: usize = 3;
    pub(crate) const BUFFERS: usize = 4;
    pub(crate) const METADATA: usize = 6;
    pub(crate) const SIGNATURES: usize = 7;
}

pub(crate) mod signature {
    pub(crate) const INPUTS: usize = 0;
    pub(crate) const OUTPUTS: usize = 1;
    pub(crate) const KEY: usize = 2;
    pub(crate) const SUBGRAPH_INDEX: usize = 4;
}

pub(crate) mod tensor_map {
    pub(crate) const NAME: usize = 0;
    pub(crate) const TENSOR_INDEX: usize = 1;
}

pub(crate) mod operator_code {
    pub(crate) const DEPRECATED_BUILTIN_CODE: usize = 0;
    pub(crate) const CUSTOM_CODE: usize = 1;
    pub(crate) const VERSION: usize = 2;
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
    pub(crate) const SHAPE_SIGNATURE: usize = 7;
    pub(crate) const HAS_RANK: usize = 8;
}

pub(crate) mod sparsity {
    pub(crate) const TRAVERSAL_ORDER: usize = 0;
    pub(crate) const BLOCK_MAP: usize = 1;
    pub(crate) const DIM_METADATA: usize = 2;
}

pub(crate) mod dimension {
    pub(crate) const FORMAT: usize = 0;
    pub(crate) const DENSE_SIZE: usize = 1;
    pub(crate) const SEGMENTS_TYPE: usize = 2;
    pub(crate) const SEGMENTS: usize = 3;
    pub(crate) const INDICES_TYPE: usize = 4;
    pub(crate) const INDICES: usize = 5;
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
    pub(crate) const BUILTIN_OPTIONS_TYPE: usize = 3;
    pub(crate) const BUILTIN_OPTIONS: usize = 4;
    pub(crate) const CUSTOM_OPTIONS: usize = 5;
    pub(crate) const INTERMEDIATES: usize = 8;
    pub(crate) const BUILTIN_OPTIONS_2: usize = 12;
}

pub(crate) mod buffer {
    pub(crate) const DATA: usize = 0;
    pub(crate) const OFFSET: usize = 1;
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
    pub(crate) const FLOOR: i32 = 8;
    pub(crate) const FULLY_CONNECTED: i32 = 9;
    pub(crate) const L2_NORMALIZATION: i32 = 11;
    pub(crate) const LOGISTIC: i32 = 14;
    pub(crate) const MAX_POOL_2D: i32 = 17;
    pub(crate) const MUL: i32 = 18;
    pub(crate) const RELU: i32 = 19;
    pub(crate) const RELU_N1_TO_1: i32 = 20;
    pub(crate) const RELU6: i32 = 21;
    pub(crate) const RESHAPE: i32 = 22;
    pub(crate) const RESIZE_BILINEAR: i32 = 23;
    pub(crate) const RNN: i32 = 24;
    pub(crate) const SOFTMAX: i32 = 25;
    pub(crate) const SPACE_TO_DEPTH: i32 = 26;
    pub(crate) const SVDF: i32 = 27;
    pub(crate) const TANH: i32 = 28;
    pub(crate) const CUSTOM: i32 = 32;
    pub(crate) const PAD: i32 = 34;
    pub(crate) const UNIDIRECTIONAL_SEQUENCE_RNN: i32 = 35;
    pub(crate) const GATHER: i32 = 36;
    pub(crate) const BATCH_TO_SPACE_ND: i32 = 37;
    pub(crate) const SPACE_TO_BATCH_ND: i32 = 38;
    pub(crate) const TRANSPOSE: i32 = 39;
    pub(crate) const MEAN: i32 = 40;
    pub(crate) const SUB: i32 = 41;
    pub(crate) const DIV: i32 = 42;
    pub(crate) const SQUEEZE: i32 = 43;
    pub(crate) const UNIDIRECTIONAL_SEQUENCE_LSTM: i32 = 44;
    pub(crate) const STRIDED_SLICE: i32 = 45;
    pub(crate) const EXP: i32 = 47;
    pub(crate) const TOPK_V2: i32 = 48;
    pub(crate) const SPLIT: i32 = 49;
    pub(crate) const LOG_SOFTMAX: i32 = 50;
    pub(crate) const CAST: i32 = 53;
    pub(crate) const PRELU: i32 = 54;
    pub(crate) const MAXIMUM: i32 = 55;
    pub(crate) const ARG_MAX: i32 = 56;
    pub(crate) const MINIMUM: i32 = 57;
    pub(crate) const LESS: i32 = 58;
    pub(crate) const NEG: i32 = 59;
    pub(crate) const PADV2: i32 = 60;
    pub(crate) const GREATER: i32 = 61;
    pub(crate) const GREATER_EQUAL: i32 = 62;
    pub(crate) const LESS_EQUAL: i32 = 63;
    pub(crate) const SELECT: i32 = 64;
    pub(crate) const SLICE: i32 = 65;
    pub(crate) const SIN: i32 = 66;
    pub(crate) const TRANSPOSE_CONV: i32 = 67;
    pub(crate) const TILE: i32 = 69;
    pub(crate) const EXPAND_DIMS: i32 = 70;
    pub(crate) const EQUAL: i32 = 71;
    pub(crate) const NOT_EQUAL: i32 = 72;
    pub(crate) const LOG: i32 = 73;
    pub(crate) const SUM: i32 = 74;
    pub(crate) const SQRT: i32 = 75;
    pub(crate) const RSQRT: i32 = 76;
    pub(crate) const SHAPE: i32 = 77;
    pub(crate) const POW: i32 = 78;
    pub(crate) const ARG_MIN: i32 = 79;
    pub(crate) const REDUCE_PROD: i32 = 81;
    pub(crate) const REDUCE_MAX: i32 = 82;
    pub(crate) const PACK: i32 = 83;
    pub(crate) const LOGICAL_OR: i32 = 84;
    pub(crate) const ONE_HOT: i32 = 85;
    pub(crate) const LOGICAL_AND: i32 = 86;
    pub(crate) const LOGICAL_NOT: i32 = 87;
    pub(crate) const UNPACK: i32 = 88;
    pub(crate) const REDUCE_MIN: i32 = 89;
    pub(crate) const FLOOR_DIV: i32 = 90;
    pub(crate) const REDUCE_ANY: i32 = 91;
    pub(crate) const SQUARE: i32 = 92;
    pub(crate) const ZEROS_LIKE: i32 = 93;
    pub(crate) const FILL: i32 = 94;
    pub(crate) const FLOOR_MOD: i32 = 95;
    pub(crate) const RANGE: i32 = 96;
    pub(crate) const RESIZE_NEAREST_NEIGHBOR: i32 = 97;
    pub(crate) const LEAKY_RELU: i32 = 98;
    pub(crate) const SQUARED_DIFFERENCE: i32 = 99;
    pub(crate) const MIRROR_PAD: i32 = 100;
    pub(crate) const ABS: i32 = 101;
    pub(crate) const SPLIT_V: i32 = 102;
    pub(crate) const CEIL: i32 = 104;
    pub(crate) const REVERSE_V2: i32 = 105;
    pub(crate) const ADD_N: i32 = 106;
    pub(crate) const GATHER_ND: i32 = 107;
    pub(crate) const COS: i32 = 108;
    pub(crate) const WHERE: i32 = 109;
    pub(crate) const RANK: i32 = 110;
    pub(crate) const ELU: i32 = 111;
    pub(crate) const QUANTIZE: i32 = 114;
    pub(crate) const ROUND: i32 = 116;
    pub(crate) const HARD_SWISH: i32 = 117;
    pub(crate) const IF: i32 = 118;
    pub(crate) const WHILE: i32 = 119;
    pub(crate) const NON_MAX_SUPPRESSION_V4: i32 = 120;
    pub(crate) const NON_MAX_SUPPRESSION_V5: i32 = 121;
    pub(crate) const SCATTER_ND: i32 = 122;
    pub(crate) const SELECT_V2: i32 = 123;
    pub(crate) const DENSIFY: i32 = 124;
    pub(crate) const BATCH_MATMUL: i32 = 126;
    pub(crate) const CUMSUM: i32 = 128;
    pub(crate) const CALL_ONCE: i32 = 129;
    pub(crate) const BROADCAST_TO: i32 = 130;
    pub(crate) const RFFT2D: i32 = 131;
    pub(crate) const COMPLEX_ABS: i32 = 135;
    pub(crate) const REDUCE_ALL: i32 = 140;
    pub(crate) const VAR_HANDLE: i32 = 142;
    pub(crate) const READ_VARIABLE: i32 = 143;
    pub(crate) const ASSIGN_VARIABLE: i32 = 144;
    pub(crate) const BUCKETIZE: i32 = 147;
    pub(crate) const GELU: i32 = 150;
    pub(crate) const DYNAMIC_UPDATE_SLICE: i32 = 151;
    pub(crate) const RELU_0_TO_1: i32 = 152;
    pub(crate) const ATAN2: i32 = 156;
    pub(crate) const SIGN: i32 = 158;
    pub(crate) const BITWISE_XOR: i32 = 160;
    pub(crate) const RIGHT_SHIFT: i32 = 161;
}
