//! Limits on a folder of manifests. Each is far above normal use and far below what would do harm.

/// Maximum number of files in a folder.
pub const MAX_FILES: usize = 1_000;
/// Maximum size of a file in bytes: 1 MiB.
pub const MAX_FILE_BYTES: u64 = 1 << 20;
/// Maximum number of documents in a file.
pub const MAX_DOCUMENTS: usize = 1_000;
/// Maximum nesting of lists and objects.
pub const MAX_DEPTH: usize = 64;
/// Maximum number of values in a document with its aliases expanded.
pub const MAX_VALUES: usize = 50_000;
/// Maximum bytes of text in a document that come from aliases: 1 MiB.
pub const MAX_ALIASED_BYTES: usize = 1 << 20;
/// Maximum number of errors reported for one file.
pub const MAX_ERRORS: usize = 50;
