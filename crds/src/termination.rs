//! The termination message of a pod. The runtime writes the reason for its end, and the operator reads it.

use serde::{Deserialize, Serialize};

use crate::conditions::Reason;

/// Why a pod could not serve. This is the complete termination message, as JSON.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Termination {
    /// One word for condition, event and metric.
    pub reason: Reason,
    /// One sentence that names the resource and the artifact, with the mend.
    pub message: String,
}

/// Longest message that Kubernetes keeps, in bytes.
pub const LONGEST: usize = 4096;

impl Termination {
    /// The message as JSON, cut to the length that Kubernetes keeps.
    ///
    /// # Errors
    /// The serialiser has a defect.
    pub fn to_json(&self) -> serde_json::Result<String> {
        let mut kept = self.clone();
        loop {
            let text = serde_json::to_string(&kept)?;
            if text.len() <= LONGEST {
                return Ok(text);
            }
            let keep = kept.message.len().saturating_sub(text.len() - LONGEST + 3);
            let keep = (0..=keep).rev().find(|&at| kept.message.is_char_boundary(at)).unwrap_or(0);
            kept.message.truncate(keep);
            kept.message.push('…');
        }
    }

    /// Parses the message of a pod; `None` if the message is empty or another program wrote it.
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text.trim()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_pod_writes_the_operator_reads() {
        let written = Termination { reason: Reason::NotFinite, message: "tensor \"b\" holds NaN".into() };
        assert_eq!(Termination::parse(&written.to_json().unwrap()), Some(written));
    }

    #[test]
    fn a_message_of_another_program_is_none() {
        for text in ["", "Error: no such file", "{}", r#"{"reason":"Whatever","message":""}"#] {
            assert_eq!(Termination::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_long_message_is_cut_where_a_letter_ends() {
        let written = Termination { reason: Reason::ConfigInvalid, message: "ä\"\n".repeat(4000) };
        let text = written.to_json().unwrap();
        assert!(text.len() <= LONGEST);
        assert!(Termination::parse(&text).unwrap().message.ends_with('…'));
    }
}
