//! Weights as an architecture asks for them: by name, with shapes checked, never copied out of the mapped file.

use std::collections::BTreeMap;

use candle_core::Tensor;
use marquee_artifacts::{Architecture, Dtype, RawTensor};
use serde_json::{Map, Value};

use crate::device;
use crate::error::ModelError;

/// The tensors and hyperparameters of one artifact, before an architecture has read them.
#[derive(Clone)]
pub struct Weights<'a> {
    /// Whose.
    pub architecture: Architecture,
    /// By name.
    pub tensors: &'a BTreeMap<String, RawTensor>,
    /// As `marquee.json` gives them.
    pub hyperparameters: &'a Map<String, Value>,
}

/// A matrix of f32, row-major, as it lies in the mapped file. Cheap to clone; keeps the mapping alive.
#[derive(Clone, Debug)]
pub struct Table {
    raw: RawTensor,
    cols: usize,
}

impl Table {
    /// A matrix of `cols` columns over a tensor of one or two sizes; `None` where it is not f32, not aligned or does not divide.
    pub fn new(raw: RawTensor, cols: usize) -> Option<Self> {
        let n = raw.as_f32()?.len();
        (cols > 0 && n.is_multiple_of(cols)).then_some(Self { raw, cols })
    }

    /// Copies `values` to the heap: for tests, examples and what was just trained.
    pub fn from_values(values: &[f32], cols: usize) -> Option<Self> {
        let data = bytes::Bytes::from_owner(Owned(values.to_vec()));
        let rows = values.len() / cols.max(1);
        Self::new(RawTensor { dtype: Dtype::F32, shape: vec![rows, cols], data }, cols)
    }

    /// How many rows.
    pub fn rows(&self) -> usize {
        self.values().len() / self.cols
    }

    /// Elements a row.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// All elements, row-major.
    pub fn values(&self) -> &[f32] {
        // `new` has seen that this is f32.
        self.raw.as_f32().unwrap_or_default()
    }

    /// Row `row`; empty when there is none.
    pub fn row(&self, row: usize) -> &[f32] {
        self.values().get(row * self.cols..(row + 1) * self.cols).unwrap_or_default()
    }
}

/// Values whose bytes are aligned as values, behind `Bytes`.
struct Owned(Vec<f32>);

impl AsRef<[u8]> for Owned {
    fn as_ref(&self) -> &[u8] {
        bytemuck::cast_slice(&self.0)
    }
}

impl Weights<'_> {
    /// The tensor `name` as a matrix; a size that is `None` may be anything from 1 on.
    pub fn matrix(&self, name: &str, rows: Option<usize>, cols: Option<usize>) -> Result<Table, ModelError> {
        let raw = self.raw(name, Dtype::F32)?;
        let fits =
            |found: usize, wanted: Option<usize>| found > 0 && wanted.is_none_or(|wanted| wanted == found);
        match *raw.shape.as_slice() {
            [r, c] if fits(r, rows) && fits(c, cols) => Table::new(raw.clone(), c),
            _ => None,
        }
        .ok_or_else(|| self.shape_error(name, &[rows, cols], raw))
    }

    /// The tensor `name` as a vector; a length that is `None` may be anything from 1 on.
    pub fn vector(&self, name: &str, len: Option<usize>) -> Result<Table, ModelError> {
        let raw = self.raw(name, Dtype::F32)?;
        match *raw.shape.as_slice() {
            [n] if n > 0 && len.is_none_or(|len| len == n) => Table::new(raw.clone(), 1),
            _ => None,
        }
        .ok_or_else(|| self.shape_error(name, &[len], raw))
    }

    /// The tensor `name` on the chosen device: for architectures whose forward pass is made of tensor operations.
    /// Copies; large matrices of factors belong into a [`Table`].
    pub fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor, ModelError> {
        let raw = self.raw(name, Dtype::F32)?;
        let wanted = || shape.iter().copied().map(Some).collect::<Vec<_>>();
        let values = raw.as_f32().filter(|_| raw.shape == shape);
        let values = values.ok_or_else(|| self.shape_error(name, &wanted(), raw))?;
        Ok(Tensor::from_slice(values, shape, &device::chosen())?)
    }

    /// The tensor `name` as a vector of indexes; it may be empty.
    pub fn indexes(&self, name: &str) -> Result<RawTensor, ModelError> {
        let raw = self.raw(name, Dtype::U32)?;
        if raw.shape.len() != 1 || raw.as_u32().is_none() {
            return Err(self.shape_error(name, &[None], raw));
        }
        Ok(raw.clone())
    }

    /// The hyperparameter `name`, a number within `range`.
    pub fn number(&self, name: &str, range: std::ops::RangeInclusive<f64>) -> Result<f64, ModelError> {
        let found = self.hyperparameters.get(name);
        found.and_then(Value::as_f64).filter(|number| range.contains(number)).ok_or_else(|| {
            let found = found.map_or_else(|| "nothing".to_owned(), Value::to_string);
            let (low, high) = range.into_inner();
            ModelError::Weights(format!(
                "hyperparameter {name} of {}: expected a number from {low} to {high}, found {found}",
                self.name()
            ))
        })
    }

    /// Refuses a hyperparameter `factors` that is not the `factors` found in the tensors.
    pub fn check_factors(&self, found: usize) -> Result<(), ModelError> {
        if !self.hyperparameters.contains_key("factors") {
            return Ok(());
        }
        let wanted = self.number("factors", 1.0..=f64::from(u32::MAX))?;
        if wanted == found as f64 {
            return Ok(());
        }
        Err(ModelError::Weights(format!(
            "hyperparameter factors of {}: the tensors have {found} columns, found {wanted}",
            self.name()
        )))
    }

    /// The architecture as `marquee.json` writes it.
    pub fn name(&self) -> String {
        self.architecture.to_string()
    }

    fn raw(&self, name: &str, dtype: Dtype) -> Result<&RawTensor, ModelError> {
        let raw = self.tensors.get(name).ok_or_else(|| {
            ModelError::Weights(format!(
                "tensor {name} of {}: expected {dtype}, found no such tensor",
                self.name()
            ))
        })?;
        if raw.dtype != dtype {
            let (architecture, found) = (self.name(), raw.dtype);
            let text = format!("tensor {name} of {architecture}: expected {dtype}, found {found}");
            return Err(ModelError::Weights(text));
        }
        Ok(raw)
    }

    fn shape_error(&self, name: &str, wanted: &[Option<usize>], raw: &RawTensor) -> ModelError {
        let wanted: Vec<_> = wanted
            .iter()
            .map(|size| size.map_or_else(|| "any".to_owned(), |size| size.to_string()))
            .collect();
        ModelError::Weights(format!(
            "tensor {name} of {}: expected shape [{}], found {:?}",
            self.name(),
            wanted.join(", "),
            raw.shape
        ))
    }
}
