//! About how many rows the data has, told before it is read.

use std::{fs, path::Path};

use super::{
    DataSpec,
    fault::DataError,
    files, parquet_file,
    source::{self, Opened},
    table::extension,
};

/// Rows of all files of `spec`: those of Parquet as it says, those of text by the length of the first lines. A compressed file
/// counts as if it were not compressed, so it has as many rows at least. A file that cannot be read has none: its reading will
/// say why.
pub fn expected_rows(spec: &DataSpec) -> u64 {
    let files = files::expand(&spec.files).unwrap_or_default();
    files.iter().map(|file| of_file(file, spec).unwrap_or(0)).sum()
}

fn of_file(file: &Path, spec: &DataSpec) -> Result<u64, DataError> {
    let source = match (source::open(file, &spec.layout)?, extension(file).as_str()) {
        (Opened::Parquet, _) | (_, "parquet" | "pq") => return parquet_file::count_rows(file),
        (Opened::Text(source), _) => source,
    };
    let size = fs::metadata(file).map_or(0, |metadata| metadata.len());
    let bytes = source.start.len() as u64;
    let lines = source.start.iter().filter(|b| **b == b'\n').count() as u64;
    // UTF-16 has two bytes a character, of which the text has one or more.
    Ok((lines * size).checked_div(bytes).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use tempfile::TempDir;

    use super::*;

    #[test]
    fn rows_are_told_from_the_beginning_of_the_file() {
        let folder = TempDir::new().unwrap();
        let text: String = (0..50_000).map(|row| format!("v{:05},t{:05},5\n", row % 90, row % 700)).collect();
        let rows = |name: &str, bytes: &[u8]| {
            let file = folder.path().join(name);
            fs::write(&file, bytes).unwrap();
            expected_rows(&DataSpec { files: vec![file], ..DataSpec::default() })
        };
        assert_eq!(rows("r.csv", text.as_bytes()), 50_000);
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(text.as_bytes()).unwrap();
        let at_least = rows("r.csv.gz", &packed.finish().unwrap());
        assert!((1..50_000).contains(&at_least), "{at_least}");
        assert_eq!(rows("empty.csv", b""), 0);
        assert_eq!(rows("odd.parquet", b"PAR1 and no more"), 0);
        let absent = DataSpec { files: vec![folder.path().join("absent")], ..DataSpec::default() };
        assert_eq!(expected_rows(&absent), 0);
    }
}
