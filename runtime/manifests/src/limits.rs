//! What a folder of manifests may hold. Each limit is far above use and far below harm.

/// Most files in a folder.
pub const MAX_FILES: usize = 1_000;
/// Most bytes in a file: 1 MiB.
pub const MAX_FILE_BYTES: u64 = 1 << 20;
/// Most documents in a file.
pub const MAX_DOCUMENTS: usize = 1_000;
/// Most lists and objects within one another.
pub const MAX_DEPTH: usize = 64;
/// Most values in a document, those that aliases stand for included.
pub const MAX_VALUES: usize = 50_000;
/// Most bytes of text in a document that come from aliases: 1 MiB.
pub const MAX_ALIASED_BYTES: usize = 1 << 20;
/// Most errors told of one file.
pub const MAX_ERRORS: usize = 50;
