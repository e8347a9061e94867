//! SHA-256 of every file, on as many threads as help.

use std::cmp::Reverse;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use bytes::Bytes;

use super::folder::Folder;
use super::{Checked, wrong_digest};
use crate::digest::{Digest, Hasher};
use crate::error::{ArtifactError, Finding};
use crate::manifest::File;

/// Below this a second thread costs more than it saves.
const WORTH_A_THREAD: usize = 4 << 20;
/// Bytes between two words of how far it is.
const STRIDE: usize = 8 << 20;

/// Compares every file with its digest; the first in the manifest's order that differs is named.
pub(crate) fn check(
    folder: &Folder,
    files: &[File],
    mapped: &[Bytes],
    checked: &Checked,
) -> Result<(), ArtifactError> {
    // The largest first, so that the last thread to finish has little left.
    let mut order: Vec<usize> = (0..files.len()).collect();
    order.sort_by_key(|idx| Reverse(mapped[*idx].len()));
    let next = AtomicUsize::new(0);
    let work = || {
        let mut wrong = Vec::new();
        while let Some(&idx) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
            wrong.extend(differs(&files[idx], &mapped[idx], checked).map(|finding| (idx, finding)));
        }
        wrong
    };
    let mut wrong = on_threads(threads(mapped), &work);
    wrong.sort_by_key(|(idx, _)| *idx);
    match wrong.into_iter().next() {
        Some((idx, finding)) => Err(finding.in_file(&folder.path(&files[idx].path))),
        None => Ok(()),
    }
}

fn differs(file: &File, bytes: &[u8], checked: &Checked) -> Option<Finding> {
    let mut hasher = Hasher::default();
    for chunk in bytes.chunks(STRIDE) {
        hasher.update(chunk);
        checked.add(chunk.len());
    }
    let found = hasher.finish();
    match file.sha256.parse::<Digest>() {
        Ok(expected) if expected == found => None,
        Ok(expected) => Some(wrong_digest(&expected, &found)),
        // The manifest's own check refuses this before.
        Err(error) => Some(Finding::new(crate::error::Fault::Syntax, "a sha256", error.found)),
    }
}

fn threads(mapped: &[Bytes]) -> usize {
    let large = mapped.iter().filter(|bytes| bytes.len() >= WORTH_A_THREAD).count();
    large.clamp(1, thread::available_parallelism().map_or(1, usize::from))
}

/// Runs `work` here and on `threads - 1` others; a thread that cannot be had is done without.
fn on_threads<T: Send>(threads: usize, work: &(impl Fn() -> Vec<T> + Sync)) -> Vec<T> {
    thread::scope(|scope| {
        let spawn = |_| thread::Builder::new().spawn_scoped(scope, work).ok();
        let others: Vec<_> = (1..threads).filter_map(spawn).collect();
        let mut all = work();
        for other in others {
            match other.join() {
                Ok(found) => all.extend(found),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    })
}
