//! What exists, as the watches reported it: resources and children. Kept small, and indexed by what is asked.

pub mod children;
pub mod raw;
pub mod resources;

/// Where an object was learned of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// From a watch, or the list that begins it.
    Watch,
    /// From the answer to an own write. It may arrive after the watch reported the object gone, and so brings nothing back; and it is no part
    /// of a list: an object that a list does not name goes, whatever was answered in the meantime.
    Answer,
}
