//! How large an artifact may be.

/// How large an artifact may be. Everything is compared with these before memory is taken for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of `marquee.json`.
    pub manifest_bytes: u64,
    /// Bytes of all files together, as declared and as found.
    pub total_bytes: u64,
    /// Bytes of one id table or catalogue, which is copied into memory; at most 4 GiB.
    pub table_bytes: u64,
    /// Bytes of a safetensors header.
    pub header_bytes: u64,
    /// Files.
    pub files: usize,
    /// Tensors, all files together.
    pub tensors: usize,
    /// Bytes of one id.
    pub id_bytes: usize,
    /// Bytes of one line of the catalogue.
    pub line_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            manifest_bytes: 16 << 20,
            total_bytes: 64 << 30,
            table_bytes: 2 << 30,
            header_bytes: 16 << 20,
            files: 256,
            tensors: 4096,
            id_bytes: 512,
            line_bytes: 64 << 10,
        }
    }
}
