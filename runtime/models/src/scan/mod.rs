//! Exact top-k over title factors: the score of title t for a query is `(base + bias[t]) + vector · factors[t]`.
//!
//! Two ways to the same answer, bit for bit: the plain scan reads every f32 factor; the quantized scan (a copy of the
//! factors in i8, [`ScanOptions::quantized`]) reads a quarter of the bytes and rescores in f32 whatever could still be
//! among the best, by a bound that always holds. A batch reads the titles once.

mod candidates;
mod exact;
mod kernel;
mod portable;
mod quantized;
#[cfg(target_arch = "x86_64")]
mod v3;
#[cfg(target_arch = "x86_64")]
mod v4;

#[cfg(test)]
mod tests;

use crate::capabilities::Embeddings;
use crate::cpu::Level;
use crate::error::ModelError;
use crate::rows::Scored;
use crate::rows::TitleRow;
use crate::select::{self, Best, Excluded};
use crate::weights::Table;

use kernel::{Chunk, LANES, dispatch};
use quantized::Quantized;

/// How a [`TitleIndex`] scans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScanOptions {
    /// Vector instructions used.
    pub level: Level,
    /// Whether to keep an i8 copy of the factors on the heap: `(d + 4) / 4d` of their size (a quarter and a little), for
    /// a scan of large tables that is several times faster. The answers are the same. Tables below
    /// [`QUANTIZED_MIN_BYTES`] are never copied: they lie in the cache anyway.
    pub quantized: bool,
}

impl Default for ScanOptions {
    /// The machine's best level, and no copy on the heap.
    fn default() -> Self {
        Self { level: Level::detect(), quantized: false }
    }
}

/// Factors smaller than this are scanned in f32 whatever the options say.
pub const QUANTIZED_MIN_BYTES: usize = 4 << 20;

/// What is looked for: a vector and what is added to every score.
#[derive(Clone, Debug)]
pub struct Query {
    base: f32,
    norm: f64,
    chunks: Vec<Chunk>,
}

impl Query {
    /// A query of the given base and vector `(d)`.
    pub fn new(base: f32, vector: &[f32]) -> Self {
        let chunks = vector
            .chunks(LANES)
            .map(|part| {
                let mut chunk = [0.0; LANES];
                chunk[..part.len()].copy_from_slice(part);
                chunk
            })
            .collect();
        let norm = vector.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>().sqrt();
        Self { base, norm, chunks }
    }

    /// What is added to every score.
    pub fn base(&self) -> f32 {
        self.base
    }

    /// The vector, with zeros up to a multiple of 16.
    pub fn padded(&self) -> &[f32] {
        self.chunks.as_flattened()
    }
}

/// One search.
#[derive(Clone, Copy, Debug)]
pub struct Search<'a> {
    /// What for.
    pub query: &'a Query,
    /// How many.
    pub k: usize,
    /// Titles to choose from, ascending and each below `n_titles`; `None` is all.
    pub candidates: Option<&'a [TitleRow]>,
    /// What may not come back.
    pub excluded: Excluded<'a>,
}

/// Title factors `(n_titles, d)` and biases `(n_titles)`, ready to be scored and searched.
pub struct TitleIndex {
    factors: Table,
    bias: Option<Table>,
    level: Level,
    quantized: Option<Quantized>,
}

impl TitleIndex {
    /// Over mapped factors `(n_titles, d)` and biases `(n_titles)`.
    pub fn new(factors: Table, bias: Option<Table>, options: ScanOptions) -> Result<Self, ModelError> {
        if let Some(bias) = bias.as_ref().filter(|bias| bias.values().len() != factors.rows()) {
            return Err(ModelError::Weights(format!(
                "title biases: expected {}, one a row of the title factors, found {}",
                factors.rows(),
                bias.values().len()
            )));
        }
        let large = std::mem::size_of_val(factors.values()) >= QUANTIZED_MIN_BYTES;
        let mut index = Self { factors, bias, level: options.level, quantized: None };
        if options.quantized && large {
            index.quantize();
        }
        Ok(index)
    }

    /// Makes the copy, whatever the size.
    fn quantize(&mut self) {
        self.quantized = Some(Quantized::new(&self.factors, self.bias()));
    }

    /// How many titles.
    pub fn n_titles(&self) -> usize {
        self.factors.rows()
    }

    /// Elements of a query's vector.
    pub fn d(&self) -> usize {
        self.factors.cols()
    }

    /// The factors, `(n_titles, d)`.
    pub fn factors(&self) -> &Table {
        &self.factors
    }

    /// The biases, `(n_titles)`; empty where there are none.
    pub fn bias(&self) -> &[f32] {
        self.bias.as_ref().map(Table::values).unwrap_or_default()
    }

    /// Bytes on the heap: those of the quantized copy.
    pub fn heap_bytes(&self) -> usize {
        self.quantized.as_ref().map_or(0, Quantized::heap_bytes)
    }

    /// Scores of the given titles, each below `n_titles`.
    pub fn score(&self, query: &Query, titles: &[TitleRow]) -> Vec<f32> {
        let mut out = vec![0.0; titles.len()];
        dispatch(self.level, exact::ScoreTitles { index: self, query, titles, out: &mut out });
        out
    }

    /// Writes the scores of every title for each query into `out`, `(batch, n_titles)` row-major.
    pub fn score_all(&self, queries: &[Query], out: &mut [f32]) {
        dispatch(self.level, exact::ScoreAll { index: self, queries, out });
    }

    /// The best titles of each search, best first, equal scores by ascending title.
    pub fn top_k(&self, searches: &[Search<'_>]) -> Vec<Vec<Scored>> {
        if searches.iter().all(|search| search.candidates.is_none()) {
            return self.scan(searches);
        }
        let whole: Vec<_> = searches.iter().filter(|search| search.candidates.is_none()).copied().collect();
        let mut whole = if whole.is_empty() { Vec::new() } else { self.scan(&whole) }.into_iter();
        let one = |search: &Search<'_>| match search.candidates {
            None => whole.next().unwrap_or_default(),
            Some(candidates) => {
                let scores = self.score(search.query, candidates);
                select::top_k_of(candidates, |place| scores[place], search.k, search.excluded)
            }
        };
        searches.iter().map(one).collect()
    }

    /// The best of all titles, for each search.
    fn scan(&self, searches: &[Search<'_>]) -> Vec<Vec<Scored>> {
        if let Some(quantized) = &self.quantized {
            return quantized.scan(self, searches);
        }
        let bests: Vec<Best<'_>> =
            searches.iter().map(|search| Best::new(search.k.min(self.n_titles()), search.excluded)).collect();
        let bests = match searches {
            [_] => dispatch(self.level, exact::ScanOne { index: self, searches, bests }),
            _ => dispatch(self.level, exact::ScanMany { index: self, searches, bests }),
        };
        bests.into_iter().map(Best::into_sorted).collect()
    }

    /// Bias of a title, 0 where there are none.
    #[inline(always)]
    fn bias_of(&self, title: usize) -> Option<f32> {
        self.bias.as_ref().and_then(|bias| bias.values().get(title).copied())
    }
}

impl Embeddings for TitleIndex {
    fn dimensions(&self) -> usize {
        self.d()
    }

    fn title_vector(&self, title: TitleRow) -> Option<&[f32]> {
        Some(self.factors.row(title.idx())).filter(|row| !row.is_empty())
    }
}
