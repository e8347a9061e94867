//! Files as bytes without a copy: the one place of `unsafe` in Marquee.

use std::fs::File;
use std::io;

use bytes::Bytes;
use memmap2::{Advice, Mmap, MmapOptions};

/// Maps the first `len` bytes of `file`, read-only. The mapping lives as long as any slice of what is returned.
///
/// A file that is cut short by somebody else while it is mapped makes the process end with SIGBUS: artifacts are
/// replaced by rename (as [`crate::Writer`] and the cache do), never written in place.
pub(crate) fn map(file: &File, len: usize) -> io::Result<Bytes> {
    if len == 0 {
        return Ok(Bytes::new()); // the kernel refuses to map nothing
    }
    let mapping = map_read_only(file, len)?;
    // Advice only: an old kernel or an odd file system may refuse it, and nothing is lost then.
    mapping.advise(Advice::WillNeed).ok();
    Ok(Bytes::from_owner(mapping))
}

#[expect(unsafe_code, reason = "a mapping is the only way to serve weights without a copy of them in memory")]
fn map_read_only(file: &File, len: usize) -> io::Result<Mmap> {
    // SAFETY: the mapping is private to this module, read-only, and `len` is the size that `fstat` gave for this
    // descriptor. Rust demands that the bytes do not change while they are borrowed; nothing in this process holds a
    // writable mapping or descriptor of an artifact, and artifacts are immutable by contract: each is named by its
    // digest, and `Writer` and the cache replace folders and files by rename, which leaves mapped inodes as they are.
    // All types read from the mapping are plain numbers and bytes, valid in every bit pattern, and text is checked
    // for UTF-8 when it is copied out, so a writer that breaks the contract can change scores but no invariant.
    unsafe { MmapOptions::new().len(len).map(file) }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_mapping_outlives_its_file() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"frame by frame").unwrap();
        let bytes = map(&file, 14).unwrap();
        drop(file);
        assert_eq!(&bytes.slice(6..8)[..], b"by");
    }

    #[test]
    fn an_empty_file_is_no_bytes() {
        assert!(map(&tempfile::tempfile().unwrap(), 0).unwrap().is_empty());
    }
}
