//! For whom a model scores: what a request says of the viewer.

use crate::rows::{TitleRow, ViewerRow};

/// The viewer of one request. The default is a viewer of whom nothing is known.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ViewerContext<'a> {
    /// Row of the viewer table, for a viewer seen in training.
    pub known: Option<ViewerRow>,
    /// What the viewer did since training, latest first.
    pub events: &'a [ViewerEvent],
    /// Numbers about the viewer.
    pub features: Features<'a>,
}

/// One thing that a viewer did with a title.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ViewerEvent {
    /// With which title.
    pub title: TitleRow,
    /// What.
    pub kind: EventKind,
    /// How long ago; 0 where the request does not say. The order of the events is the order of time either way.
    pub age_seconds: u32,
}

/// What a viewer did with a title.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// Watched it.
    #[default]
    Play,
}

/// Numbers about the viewer, in the order that the artifact declares. No artifact declares any yet, so this is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Features<'a>(&'a [f32]);

impl<'a> ViewerContext<'a> {
    /// A viewer seen in training, who did nothing since.
    pub fn known(viewer: ViewerRow) -> Self {
        Self { known: Some(viewer), ..Self::default() }
    }

    /// A viewer of whom only these events are known, latest first.
    pub fn of_events(events: &'a [ViewerEvent]) -> Self {
        Self { events, ..Self::default() }
    }

    /// Titles of the events, latest first.
    pub fn titles(&self) -> impl Iterator<Item = TitleRow> + 'a {
        self.events.iter().map(|event| event.title)
    }
}

impl ViewerEvent {
    /// A play of unknown age.
    pub fn play(title: TitleRow) -> Self {
        Self { title, kind: EventKind::Play, age_seconds: 0 }
    }
}

impl<'a> Features<'a> {
    /// The given numbers.
    pub fn new(values: &'a [f32]) -> Self {
        Self(values)
    }

    /// The numbers.
    pub fn values(self) -> &'a [f32] {
        self.0
    }
}
