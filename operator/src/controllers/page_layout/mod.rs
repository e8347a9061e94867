//! PageLayout: revisions of one surface's page.

pub mod decide;

mod status;
