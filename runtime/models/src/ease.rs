//! EASE: a linear item-item model in closed form.
//!
//! Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019.

use candle_core::{CpuStorage, CustomOp2, Device, Layout, Shape, Tensor};
use marquee_artifacts::manifest::Architecture;

use crate::audience::Audience;
use crate::factors::{check_lists, excluded_lists};
use crate::model::{Model, ModelError, Scored, TopKQuery, Viewer};
use crate::select::{self, Excluded};
use crate::weights::{Table, Weights};

/// Scores summed side by side: a block of the sums stays in the first-level cache while the rows pass.
const BLOCK_TITLES: usize = 4096;

/// Score: `Σ_{i watched} weights[i, t]`, summed by ascending i.
///
/// Weights: `weights` `(n_titles, n_titles)`, row i being what having watched title i says, and those of [`Audience`].
/// Fold-in is the model itself: it has no viewer weights, so history and recent titles are simply summed, each once.
pub struct Ease {
    audience: Audience,
    weights: Table,
}

impl Ease {
    /// Reads the weights.
    pub fn load(weights: &Weights<'_>) -> Result<Self, ModelError> {
        let audience = Audience::load(weights)?;
        let n = Some(audience.n_titles());
        Ok(Self { weights: weights.matrix("weights", n, n)?, audience })
    }

    /// `watched` `(n)` u32, the titles of all viewers one after the other, and `ends` `(batch)` u32, where each viewer's end,
    /// give `(batch, n_titles)` f32.
    pub fn forward(&self, watched: &Tensor, ends: &Tensor) -> candle_core::Result<Tensor> {
        watched.contiguous()?.apply_op2_no_bwd(&ends.contiguous()?, &SumRows { model: self })
    }

    /// Scores of every title into `out` `(n_titles)`. Four rows at a time, added one after the other as if alone.
    fn sum_rows(&self, watched: &[u32], out: &mut [f32]) {
        for (block, out) in out.chunks_mut(BLOCK_TITLES).enumerate() {
            out.fill(0.0);
            let start = block * BLOCK_TITLES;
            let n = out.len();
            let row = |title: u32| &self.weights.row(title as usize)[start..start + n];
            let (fours, rest) = watched.as_chunks::<4>();
            for four in fours {
                let [a, b, c, d] = four.map(row);
                for (at, out) in out.iter_mut().enumerate() {
                    *out = (((*out + a[at]) + b[at]) + c[at]) + d[at];
                }
            }
            for title in rest {
                for (out, weight) in out.iter_mut().zip(row(*title)) {
                    *out += weight;
                }
            }
        }
    }

    fn all_scores(&self, viewer: &Viewer<'_>, out: &mut [f32]) -> Result<(), ModelError> {
        self.audience.check_viewer(viewer)?;
        self.sum_rows(&self.audience.watched(viewer), out);
        Ok(())
    }
}

/// Sums the rows that each viewer watched.
struct SumRows<'a> {
    model: &'a Ease,
}

impl CustomOp2 for SumRows<'_> {
    fn name(&self) -> &'static str {
        "sum-rows"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let refuse = |text: &str| candle_core::Error::Msg(format!("sum-rows: {text}"));
        let (Some((from, to)), Some((first, last))) = (l1.contiguous_offsets(), l2.contiguous_offsets())
        else {
            return Err(refuse("expected contiguous tensors"));
        };
        let (watched, ends) = (&s1.as_slice::<u32>()?[from..to], &s2.as_slice::<u32>()?[first..last]);
        let n_titles = self.model.n_titles();
        if watched.iter().any(|title| *title as usize >= n_titles) {
            return Err(refuse("a title is outside the table"));
        }
        let mut out = vec![0.0; ends.len() * n_titles];
        let mut start = 0;
        for (end, out) in ends.iter().zip(out.chunks_mut(n_titles)) {
            let end = *end as usize;
            let titles =
                watched.get(start..end).ok_or_else(|| refuse("ends do not ascend within the titles"))?;
            self.model.sum_rows(titles, out);
            start = end;
        }
        Ok((CpuStorage::F32(out), Shape::from((ends.len(), n_titles))))
    }
}

impl Model for Ease {
    fn architecture(&self) -> Architecture {
        Architecture::Ease
    }

    fn n_titles(&self) -> usize {
        self.audience.n_titles()
    }

    fn n_viewers(&self) -> usize {
        self.audience.n_viewers()
    }

    fn history(&self, viewer: u32) -> &[u32] {
        self.audience.history(viewer)
    }

    fn plays(&self) -> &[f32] {
        self.audience.plays()
    }

    fn knows(&self, viewer: &Viewer<'_>) -> bool {
        self.audience.knows(viewer)
    }

    fn score_all(&self, viewers: &[Viewer<'_>]) -> Result<Tensor, ModelError> {
        let (mut watched, mut ends) = (Vec::new(), Vec::with_capacity(viewers.len()));
        for viewer in viewers {
            self.audience.check_viewer(viewer)?;
            watched.extend_from_slice(&self.audience.watched(viewer));
            ends.push(watched.len() as u32);
        }
        let (n, batch) = (watched.len(), ends.len());
        let watched = Tensor::from_vec(watched, n, &Device::Cpu)?;
        Ok(self.forward(&watched, &Tensor::from_vec(ends, batch, &Device::Cpu)?)?)
    }

    fn score(&self, viewers: &[Viewer<'_>], titles: &[&[u32]]) -> Result<Vec<Vec<f32>>, ModelError> {
        check_lists(viewers, titles)?;
        let one = |(viewer, titles): (&Viewer<'_>, &&[u32])| {
            self.audience.check_viewer(viewer)?;
            self.audience.check_titles(titles)?;
            let mut scores = vec![0.0; titles.len()];
            for watched in self.audience.watched(viewer).iter() {
                let row = self.weights.row(*watched as usize);
                for (score, title) in scores.iter_mut().zip(*titles) {
                    *score += row[*title as usize];
                }
            }
            Ok(scores)
        };
        viewers.iter().zip(titles).map(one).collect()
    }

    fn top_k(&self, queries: &[TopKQuery<'_>]) -> Result<Vec<Vec<Scored>>, ModelError> {
        let mut scores = vec![0.0; self.n_titles()];
        let one = |query: &TopKQuery<'_>| {
            self.all_scores(&query.viewer, &mut scores)?;
            let (watched, also) = excluded_lists(&self.audience, query);
            Ok(select::top_k(&scores, query.k, Excluded { watched, also: &also }))
        };
        queries.iter().map(one).collect()
    }

    fn heap_bytes(&self) -> usize {
        size_of::<Self>()
    }
}
