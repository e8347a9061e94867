//! The scan as a Candle operation: the title factors stay in the mapped file, only viewers are tensors.

use candle_core::{CpuStorage, CustomOp2, Error, Layout, Result, Shape, Tensor};

use super::{Query, TitleIndex};

impl TitleIndex {
    /// Scores every title: `vectors` `(batch, d)` and `bases` `(batch)`, f32 on the CPU, give `(batch, n_titles)`.
    pub fn forward(&self, vectors: &Tensor, bases: &Tensor) -> Result<Tensor> {
        vectors.contiguous()?.apply_op2_no_bwd(&bases.contiguous()?, &ScoreTitles { index: self })
    }
}

/// `bases + bias + vectors · factorsᵀ`.
struct ScoreTitles<'a> {
    index: &'a TitleIndex,
}

impl CustomOp2 for ScoreTitles<'_> {
    fn name(&self) -> &'static str {
        "score-titles"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (batch, d) = l1.shape().dims2()?;
        if d != self.index.d() || l2.shape().dims1()? != batch {
            let shape = |layout: &Layout| layout.shape().clone();
            return Err(Error::ShapeMismatchBinaryOp { lhs: shape(l1), rhs: shape(l2), op: "score-titles" });
        }
        let vectors = contiguous(s1, l1)?;
        let queries: Vec<Query> = vectors
            .chunks(d)
            .zip(contiguous(s2, l2)?)
            .map(|(vector, base)| Query::new(*base, vector))
            .collect();
        let scores = self.index.score_all(&queries);
        Ok((CpuStorage::F32(scores), Shape::from((batch, self.index.n_titles()))))
    }
}

/// The elements of a contiguous f32 tensor.
fn contiguous<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let values = storage.as_slice::<f32>()?;
    let (start, end) = layout
        .contiguous_offsets()
        .ok_or_else(|| Error::Msg("score-titles: expected a contiguous tensor".to_owned()))?;
    Ok(&values[start..end])
}
