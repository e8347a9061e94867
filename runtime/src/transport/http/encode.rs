//! Answers as JSON, written directly into one buffer.

use serde::Serialize;

use crate::service::types::{ModelInfo, PageResponse, PageRow, Recognised, ScoreResponse, TopKResponse};

/// Estimated bytes of a score, with its comma.
const SCORE_BYTES: usize = 12;

/// A buffer for JSON.
pub(super) struct Json(Vec<u8>);

impl Json {
    /// An empty buffer with this capacity.
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    /// Writes JSON as it is: punctuation, member names, JSON fragments.
    pub(super) fn raw(&mut self, json: &str) -> &mut Self {
        self.0.extend_from_slice(json.as_bytes());
        self
    }

    /// Writes a value: strings are quoted and escaped, numbers have the fewest digits that read back the same.
    pub(super) fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> &mut Self {
        // Writing a string or a number to memory cannot fail.
        let _ = serde_json::to_writer(&mut self.0, value);
        self
    }

    /// Writes a list, such as `[1.5,2.5]`.
    pub(super) fn scores(&mut self, scores: impl Iterator<Item = f32>) -> &mut Self {
        self.list(scores, |json, score| {
            json.value(&score);
        })
    }

    fn list<T>(&mut self, things: impl Iterator<Item = T>, mut write: impl FnMut(&mut Self, T)) -> &mut Self {
        self.raw("[");
        for (at, thing) in things.enumerate() {
            if at > 0 {
                self.raw(",");
            }
            write(self, thing);
        }
        self.raw("]")
    }

    fn model(&mut self, model: &ModelInfo) -> &mut Self {
        self.raw("\"objective\":")
            .value(&*model.objective)
            .raw(",\"revision\":")
            .value(&*model.artifact_digest)
    }

    /// The bytes written.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

fn recognised(recognised: Recognised) -> &'static str {
    match recognised {
        Recognised::Known => "\"Known\"",
        Recognised::FoldedIn => "\"FoldedIn\"",
        Recognised::Stranger => "\"Stranger\"",
    }
}

/// `{"objective","revision","recognised","scores"}`
pub(super) fn scores(response: &ScoreResponse) -> Vec<u8> {
    let mut json = Json::with_capacity(256 + response.scores.len() * SCORE_BYTES);
    json.raw("{").model(&response.model).raw(",\"recognised\":").raw(recognised(response.recognised));
    json.raw(",\"scores\":").scores(response.scores.iter().copied()).raw("}");
    json.into_bytes()
}

/// `{"objective","revision","recognised","titles":[{"id","score"}]}`
pub(super) fn top_k(response: &TopKResponse) -> Vec<u8> {
    let mut json = Json::with_capacity(256 + response.titles.len() * 48);
    json.raw("{").model(&response.model).raw(",\"recognised\":").raw(recognised(response.recognised));
    json.raw(",\"titles\":").list(response.titles.iter(), |json, (id, score)| {
        json.raw("{\"id\":").value(&**id).raw(",\"score\":").value(score).raw("}");
    });
    json.raw("}");
    json.into_bytes()
}

/// `{"surface","recognised","degraded","rows":[…],"timings":[{"stage","micros"}]}`
pub(super) fn page(response: &PageResponse) -> Vec<u8> {
    let mut json = Json::with_capacity(512 + response.rows.iter().map(row_bytes).sum::<usize>());
    json.raw("{\"surface\":").value(&*response.surface);
    json.raw(",\"recognised\":").raw(recognised(response.recognised));
    json.raw(",\"degraded\":").raw(if response.degraded { "true" } else { "false" });
    json.raw(",\"rows\":").list(response.rows.iter(), row);
    json.raw(",\"timings\":").list(response.timings.iter(), |json, (stage, took)| {
        json.raw("{\"stage\":").value(stage).raw(",\"micros\":").value(&(took.as_micros() as u64)).raw("}");
    });
    json.raw("}");
    json.into_bytes()
}

/// Estimated bytes of a row. Measuring every title would cost more than growing the buffer now and then.
fn row_bytes(row: &PageRow) -> usize {
    256 + row.heading.len() + row.why.len() + row.titles.json_bytes(2 * SCORE_BYTES)
}

fn row(json: &mut Json, row: &PageRow) {
    json.raw("{\"name\":").value(&*row.name);
    json.raw(",\"heading\":").value(&*row.heading);
    json.raw(",\"why\":").value(&*row.why);
    if let Some(model) = &row.model {
        json.raw(",\"model\":{").model(model).raw("}");
    }
    if let Some(degraded) = row.degraded {
        json.raw(",\"degraded\":").value(degraded.reason());
    }
    json.raw(",\"titles\":").list(row.titles.json(), |json, (title, score)| {
        json.raw(title).value(&score).raw("}");
    });
    json.raw("}");
}

#[cfg(test)]
mod tests;
