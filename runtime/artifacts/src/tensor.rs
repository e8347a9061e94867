//! A tensor as it lies in a file.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// Element types that artifacts may hold; little endian.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dtype {
    /// 32-bit float.
    F32,
    /// 64-bit float.
    F64,
    /// Unsigned 32-bit integer.
    U32,
    /// Signed 64-bit integer.
    I64,
    /// Unsigned 8-bit integer.
    U8,
}

/// A tensor as it lies in a (mapped) file: cheap to clone, keeps the mapping alive.
#[derive(Clone, Debug)]
pub struct RawTensor {
    /// Element type.
    pub dtype: Dtype,
    /// Sizes, outermost first.
    pub shape: Vec<usize>,
    /// `shape.product() * dtype.size()` bytes, aligned to the element size; a slice of the mapping.
    pub data: Bytes,
}
