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

impl Dtype {
    /// Every element type.
    pub const ALL: [Self; 5] = [Self::F32, Self::F64, Self::U32, Self::I64, Self::U8];

    /// Bytes an element.
    pub fn size(self) -> usize {
        match self {
            Self::F64 | Self::I64 => 8,
            Self::F32 | Self::U32 => 4,
            Self::U8 => 1,
        }
    }

    /// As safetensors writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "F32",
            Self::F64 => "F64",
            Self::U32 => "U32",
            Self::I64 => "I64",
            Self::U8 => "U8",
        }
    }

    /// The type of that name, if artifacts may hold it.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dtype| dtype.name() == name)
    }
}

impl std::fmt::Display for Dtype {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
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

impl RawTensor {
    /// How many elements; 1 for a scalar (empty shape).
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether some size is 0.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The elements, row-major, if they are `F32`.
    pub fn as_f32(&self) -> Option<&[f32]> {
        self.elements(Dtype::F32)
    }

    /// The elements, row-major, if they are `F64`.
    pub fn as_f64(&self) -> Option<&[f64]> {
        self.elements(Dtype::F64)
    }

    /// The elements, row-major, if they are `U32`.
    pub fn as_u32(&self) -> Option<&[u32]> {
        self.elements(Dtype::U32)
    }

    /// The elements, row-major, if they are `I64`.
    pub fn as_i64(&self) -> Option<&[i64]> {
        self.elements(Dtype::I64)
    }

    fn elements<T: bytemuck::AnyBitPattern>(&self, dtype: Dtype) -> Option<&[T]> {
        if self.dtype != dtype {
            return None;
        }
        if self.data.is_empty() {
            return Some(&[]); // no bytes have no alignment
        }
        bytemuck::try_cast_slice(&self.data).ok()
    }

    /// Index (row-major) and value of the first element that is NaN or infinite.
    pub fn first_not_finite(&self) -> Option<(usize, f64)> {
        match self.dtype {
            Dtype::F32 => first_not_finite_f32(&self.data).map(|(at, value)| (at, f64::from(value))),
            Dtype::F64 => first_not_finite_f64(&self.data),
            Dtype::U32 | Dtype::I64 | Dtype::U8 => None,
        }
    }
}

/// Bytes looked at between two decisions: long enough for vector code, short enough to stay in the first cache.
const BLOCK: usize = 8192;

fn first_not_finite_f32(data: &[u8]) -> Option<(usize, f32)> {
    const EXPONENT: u32 = 0x7f80_0000;
    let odd = |bytes: &[u8; 4]| u32::from_le_bytes(*bytes) & EXPONENT == EXPONENT;
    for (block_idx, block) in data.chunks(BLOCK).enumerate() {
        let elements = block.as_chunks::<4>().0;
        // No early exit inside a block, so that the compiler makes it a vector loop.
        if elements.iter().fold(false, |any, bytes| any | odd(bytes)) {
            let at = elements.iter().position(odd)?;
            return Some((block_idx * (BLOCK / 4) + at, f32::from_le_bytes(elements[at])));
        }
    }
    None
}

fn first_not_finite_f64(data: &[u8]) -> Option<(usize, f64)> {
    const EXPONENT: u64 = 0x7ff0_0000_0000_0000;
    let odd = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes) & EXPONENT == EXPONENT;
    for (block_idx, block) in data.chunks(BLOCK).enumerate() {
        let elements = block.as_chunks::<8>().0;
        if elements.iter().fold(false, |any, bytes| any | odd(bytes)) {
            let at = elements.iter().position(odd)?;
            return Some((block_idx * (BLOCK / 8) + at, f64::from_le_bytes(elements[at])));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn f32s(values: &[f32]) -> RawTensor {
        let data = Bytes::copy_from_slice(bytemuck::cast_slice(values));
        RawTensor { dtype: Dtype::F32, shape: vec![values.len()], data }
    }

    #[test]
    fn the_first_value_that_is_not_finite_is_found_wherever_it_lies() {
        for at in [0, 1, 2047, 2048, 2049, 4999] {
            for odd in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                let mut values = vec![f32::MAX; 5000];
                values[at] = odd;
                values[4999] = odd;
                let (found, value) = f32s(&values).first_not_finite().unwrap();
                assert_eq!((found, (value as f32).to_bits() >> 23), (at, odd.to_bits() >> 23));
            }
        }
    }

    #[test]
    fn large_small_and_negative_zero_are_finite() {
        let values = [f32::MAX, f32::MIN, f32::MIN_POSITIVE, 1e-45, -0.0, 0.0];
        assert_eq!(f32s(&values).first_not_finite(), None);
    }

    #[test]
    fn doubles_are_looked_at_too() {
        let mut values = vec![0f64; 3000];
        values[2999] = f64::INFINITY;
        let data = Bytes::copy_from_slice(bytemuck::cast_slice(&values));
        let tensor = RawTensor { dtype: Dtype::F64, shape: vec![3000], data };
        assert_eq!(tensor.first_not_finite(), Some((2999, f64::INFINITY)));
    }

    #[test]
    fn a_tensor_is_read_as_its_own_type_only() {
        let tensor = f32s(&[1.0, 2.0]);
        assert_eq!(tensor.as_f32(), Some(&[1.0, 2.0][..]));
        assert_eq!(tensor.as_u32(), None);
    }
}
