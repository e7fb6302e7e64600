//! In which numbers the network multiplies.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::gemm::Kernel;
use super::gemm::int8::DotKernel;

/// In which numbers the network multiplies its weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// 8-bit integers where this processor multiplies them faster than floats, else floats.
    #[default]
    Auto,
    /// 32-bit floats.
    F32,
    /// 8-bit integers, on any processor: the same scores everywhere, slowly where there is no dot
    /// product.
    Int8,
}

/// A text that names no precision.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("no precision `{0}`: there are auto, f32 and int8")]
pub struct UnknownPrecision(String);

/// The kernels a network is packed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernels {
    /// For layers in floats.
    pub float: Kernel,
    /// For layers in 8-bit integers; without it all are in floats.
    pub int8: Option<DotKernel>,
}

impl Precision {
    /// The fastest kernels of this processor at this precision.
    pub fn kernels(self) -> Kernels {
        Kernels {
            float: Kernel::detect(),
            int8: match self {
                Precision::Auto => DotKernel::fastest(),
                Precision::F32 => None,
                Precision::Int8 => DotKernel::available().pop(),
            },
        }
    }

    /// What it comes to on this processor: [`Precision::F32`] or [`Precision::Int8`].
    pub fn here(self) -> Precision {
        match self.kernels().int8 {
            Some(_) => Precision::Int8,
            None => Precision::F32,
        }
    }
}

impl From<Kernel> for Kernels {
    fn from(float: Kernel) -> Self {
        Kernels { float, int8: None }
    }
}

impl FromStr for Precision {
    type Err = UnknownPrecision;

    fn from_str(text: &str) -> Result<Self, UnknownPrecision> {
        match text {
            "auto" => Ok(Precision::Auto),
            "f32" => Ok(Precision::F32),
            "int8" => Ok(Precision::Int8),
            other => Err(UnknownPrecision(other.to_owned())),
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Precision::Auto => "auto",
            Precision::F32 => "f32",
            Precision::Int8 => "int8",
        })
    }
}
