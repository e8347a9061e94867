//! Reads a file of rows by its format.

use std::{path::Path, sync::Arc};

use super::{
    delimited,
    fault::DataError,
    parquet_file,
    table::{Format, Layout, RowHandler, Wanted, delimiter_of, format_of},
};

/// Reads `file` from beginning to end, in bounded memory, handing each row on.
pub fn read(
    file: &Path,
    layout: &Layout,
    wanted: &[Wanted],
    handler: &mut dyn RowHandler,
) -> Result<(), DataError> {
    let file: Arc<Path> = Arc::from(file);
    match format_of(&file) {
        Format::Parquet => parquet_file::read(&file, wanted, handler),
        Format::Delimited => {
            delimited::read(&file, delimiter_of(&file, layout)?, layout.header, wanted, handler)
        }
    }
}
