//! Reads a file of rows by its format.

use std::{path::Path, sync::Arc};

use super::{
    delimited,
    fault::DataError,
    json_lines, parquet_file,
    source::{self, Opened},
    table::{Layout, RowHandler, Wanted, extension},
};

/// Reads `file` from beginning to end, in bounded memory, handing each row on.
pub fn read(
    file: &Path,
    layout: &Layout,
    wanted: &[Wanted],
    handler: &mut dyn RowHandler,
) -> Result<(), DataError> {
    let file: Arc<Path> = Arc::from(file);
    let source = match (source::open(&file, layout)?, extension(&file).as_str()) {
        (Opened::Parquet, _) | (_, "parquet" | "pq") => return parquet_file::read(&file, wanted, handler),
        (Opened::Text(source), _) => source,
    };
    match extension(&file).as_str() {
        "jsonl" | "ndjson" | "json" => json_lines::read(source, &file, wanted, handler),
        _ if json_lines::looks_like(&source.start) => json_lines::read(source, &file, wanted, handler),
        _ => delimited::read(source, &file, layout, wanted, handler),
    }
}
