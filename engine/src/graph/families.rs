//! Operators that differ in a function alone: of one element, of two, or of many.

use super::Activation;
use super::schema::builtin;

/// Functions of one element, beyond those that are operators of their own in [`Op`](super::Op).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "variants are the operators of the TFLite schema")]
pub enum Unary {
    Abs,
    Ceil,
    Cos,
    Elu,
    Exp,
    Floor,
    /// By the error function, or by its approximation with tanh.
    Gelu {
        approximate: bool,
    },
    Log,
    LogicalNot,
    Neg,
    Relu0To1,
    ReluN1To1,
    Round,
    Rsqrt,
    Sign,
    Sin,
    Sqrt,
    Square,
}

impl Unary {
    /// The name in the TFLite schema.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Abs => "ABS",
            Self::Ceil => "CEIL",
            Self::Cos => "COS",
            Self::Elu => "ELU",
            Self::Exp => "EXP",
            Self::Floor => "FLOOR",
            Self::Gelu { .. } => "GELU",
            Self::Log => "LOG",
            Self::LogicalNot => "LOGICAL_NOT",
            Self::Neg => "NEG",
            Self::Relu0To1 => "RELU_0_TO_1",
            Self::ReluN1To1 => "RELU_N1_TO_1",
            Self::Round => "ROUND",
            Self::Rsqrt => "RSQRT",
            Self::Sign => "SIGN",
            Self::Sin => "SIN",
            Self::Sqrt => "SQRT",
            Self::Square => "SQUARE",
        }
    }

    /// The function that builtin operator `code` is, if it is one; GELU apart, which has an option.
    pub(super) fn of(code: i32) -> Option<Self> {
        Some(match code {
            builtin::ABS => Self::Abs,
            builtin::CEIL => Self::Ceil,
            builtin::COS => Self::Cos,
            builtin::ELU => Self::Elu,
            builtin::EXP => Self::Exp,
            builtin::FLOOR => Self::Floor,
            builtin::LOG => Self::Log,
            builtin::LOGICAL_NOT => Self::LogicalNot,
            builtin::NEG => Self::Neg,
            builtin::RELU_0_TO_1 => Self::Relu0To1,
            builtin::RELU_N1_TO_1 => Self::ReluN1To1,
            builtin::ROUND => Self::Round,
            builtin::RSQRT => Self::Rsqrt,
            builtin::SIGN => Self::Sign,
            builtin::SIN => Self::Sin,
            builtin::SQRT => Self::Sqrt,
            builtin::SQUARE => Self::Square,
            _ => return None,
        })
    }
}

/// Functions of two elements, beyond ADD, SUB, MUL and PRELU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "variants are the operators of the TFLite schema")]
pub enum Binary {
    Atan2,
    BitwiseXor,
    Div(Activation),
    Equal,
    FloorDiv,
    FloorMod,
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
    LogicalAnd,
    LogicalOr,
    Maximum,
    Minimum,
    NotEqual,
    Pow,
    RightShift,
    SquaredDifference,
}

impl Binary {
    /// The name in the TFLite schema.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Atan2 => "ATAN2",
            Self::BitwiseXor => "BITWISE_XOR",
            Self::Div(_) => "DIV",
            Self::Equal => "EQUAL",
            Self::FloorDiv => "FLOOR_DIV",
            Self::FloorMod => "FLOOR_MOD",
            Self::Greater => "GREATER",
            Self::GreaterEqual => "GREATER_EQUAL",
            Self::Less => "LESS",
            Self::LessEqual => "LESS_EQUAL",
            Self::LogicalAnd => "LOGICAL_AND",
            Self::LogicalOr => "LOGICAL_OR",
            Self::Maximum => "MAXIMUM",
            Self::Minimum => "MINIMUM",
            Self::NotEqual => "NOT_EQUAL",
            Self::Pow => "POW",
            Self::RightShift => "RIGHT_SHIFT",
            Self::SquaredDifference => "SQUARED_DIFFERENCE",
        }
    }

    /// The function that builtin operator `code` is, if it is one; DIV apart, which has an option.
    pub(super) fn of(code: i32) -> Option<Self> {
        Some(match code {
            builtin::ATAN2 => Self::Atan2,
            builtin::BITWISE_XOR => Self::BitwiseXor,
            builtin::EQUAL => Self::Equal,
            builtin::FLOOR_DIV => Self::FloorDiv,
            builtin::FLOOR_MOD => Self::FloorMod,
            builtin::GREATER => Self::Greater,
            builtin::GREATER_EQUAL => Self::GreaterEqual,
            builtin::LESS => Self::Less,
            builtin::LESS_EQUAL => Self::LessEqual,
            builtin::LOGICAL_AND => Self::LogicalAnd,
            builtin::LOGICAL_OR => Self::LogicalOr,
            builtin::MAXIMUM => Self::Maximum,
            builtin::MINIMUM => Self::Minimum,
            builtin::NOT_EQUAL => Self::NotEqual,
            builtin::POW => Self::Pow,
            builtin::RIGHT_SHIFT => Self::RightShift,
            builtin::SQUARED_DIFFERENCE => Self::SquaredDifference,
            _ => return None,
        })
    }

    /// Whether the result is true or false.
    pub(crate) fn is_comparison(self) -> bool {
        matches!(
            self,
            Self::Equal
                | Self::NotEqual
                | Self::Less
                | Self::LessEqual
                | Self::Greater
                | Self::GreaterEqual
                | Self::LogicalAnd
                | Self::LogicalOr
        )
    }
}

/// What becomes of the elements along the reduced axes; MEAN is an operator of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "variants are the REDUCE_ operators of the TFLite schema")]
pub enum Reduction {
    All,
    Any,
    Max,
    Min,
    Prod,
    Sum,
}

impl Reduction {
    /// The name in the TFLite schema.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::All => "REDUCE_ALL",
            Self::Any => "REDUCE_ANY",
            Self::Max => "REDUCE_MAX",
            Self::Min => "REDUCE_MIN",
            Self::Prod => "REDUCE_PROD",
            Self::Sum => "SUM",
        }
    }

    /// The reduction that builtin operator `code` is, if it is one.
    pub(super) fn of(code: i32) -> Option<Self> {
        Some(match code {
            builtin::REDUCE_ALL => Self::All,
            builtin::REDUCE_ANY => Self::Any,
            builtin::REDUCE_MAX => Self::Max,
            builtin::REDUCE_MIN => Self::Min,
            builtin::REDUCE_PROD => Self::Prod,
            builtin::SUM => Self::Sum,
            _ => return None,
        })
    }
}
