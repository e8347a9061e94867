//! What a page in another process asks of a model in one go: the same answers that a page in this process gets, bit for bit.

use std::time::Instant;

use futures::future::{join, try_join_all};

use super::{
    ask::refused,
    passes::OwnedViewer,
    plan::Plan,
    ranker::ServedModel,
    remote::{Ask, Heard, Known, Who},
    types::{Recognised, ServeError},
    validate::{self, MAX_RECENT},
};

/// Titles near which one may ask for scores: rows of a page.
const MAX_NEAR: usize = 100;

pub(super) async fn consult(
    plan: &Plan,
    (objective, revision): (&str, &str),
    ask: Ask,
    until: Option<Instant>,
) -> Result<Heard, ServeError> {
    let model = plan.model(objective)?;
    if *model.info.revision != *revision {
        return Err(ServeError::Changed(format!(
            "artifact {revision} of objective {objective:?} is not served any more: read the titles of {} and ask again",
            model.info.revision
        )));
    }
    check(model, &ask)?;
    let Ask { who, near } = ask;
    let near = try_join_all(
        near.into_iter()
            .map(|title| model.score_all(OwnedViewer { known: None, recent: vec![title] }, until)),
    );
    let known = async {
        match who {
            None => Ok(None),
            Some(who) => known(model, who, until).await.map(Some),
        }
    };
    // Asked together, so that heavy ones share passes.
    let (who, near) = join(known, near).await;
    Ok(Heard { who: who?, near: near.map_err(|error| refused(model, &error))? })
}

async fn known(model: &ServedModel, who: Who, until: Option<Instant>) -> Result<Known, ServeError> {
    let viewer = OwnedViewer { known: model.loaded.viewers.row(&who.viewer), recent: who.recent };
    let recognised = model.recognise(&viewer);
    let row = viewer.known;
    let scores = match recognised {
        Recognised::Known | Recognised::FoldedIn if who.scores => {
            Some(model.score_all(viewer, until).await.map_err(|error| refused(model, &error))?)
        }
        _ => None,
    };
    let history = row.map(|row| model.loaded.history(row).to_vec()).unwrap_or_default();
    Ok(Known { recognised, viewer: row, history, scores })
}

fn check(model: &ServedModel, ask: &Ask) -> Result<(), ServeError> {
    let recent = ask.who.as_ref().map_or(&[][..], |who| &who.recent);
    let n_titles = model.loaded.titles.len();
    if recent.len() > MAX_RECENT || ask.near.len() > MAX_NEAR {
        return Err(ServeError::Invalid(format!(
            "at most {MAX_RECENT} recent titles and {MAX_NEAR} titles near which to look: ask for fewer"
        )));
    }
    if let Some(who) = &ask.who {
        validate::viewer(&who.viewer, &[])?;
    }
    match recent.iter().chain(&ask.near).find(|row| **row as usize >= n_titles) {
        None => Ok(()),
        Some(row) => Err(ServeError::Invalid(format!(
            "the title table has no row {row}, only 0 to {}: read its titles again",
            n_titles.saturating_sub(1)
        ))),
    }
}
