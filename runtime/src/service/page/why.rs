//! One sentence that explains why a row has its titles.

use marquee_crds::pod_config::Source;

use crate::service::types::Degraded;

/// The sentence for a row without a fallback. `{title}` stands for the watched title.
pub(super) fn of_source(source: &Source) -> String {
    match source {
        Source::Model { objective } => format!("Ranked for this viewer by {objective}."),
        Source::Genre { name, objective: Some(objective) } => {
            format!("{name}, ranked for this viewer by {objective}.")
        }
        Source::Genre { name, objective: None } => format!("{name}, most watched first."),
        Source::Popular => "Watched by most viewers.".to_owned(),
        Source::BecauseYouWatched { objective } => format!("What {objective} finds near {{title}}."),
    }
}

/// The sentence for a fallback. `last_good` means that the row repeats what the viewer saw last.
pub(super) fn of_fallback(degraded: Degraded, last_good: bool) -> String {
    let cause = match degraded {
        Degraded::ViewerUnknown => "Nothing is known of this viewer yet",
        Degraded::DeadlineMissed => "The model did not answer in time",
        Degraded::ModelFailed => "The model failed",
        Degraded::ModelNotReady => "The model is not loaded",
    };
    let stands = if last_good { "what was shown here before" } else { "the most watched titles" };
    format!("{cause}: {stands}.")
}
