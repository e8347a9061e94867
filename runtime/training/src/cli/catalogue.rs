//! `catalogue`: title metadata in, catalogue artifact out.

use std::{collections::HashMap, path::Path};

use marquee_artifacts::{Architecture, Lineage, Writer};
use serde_json::Map;

use super::CatalogueArgs;
use crate::{
    artifact,
    catalogue::{self, Metadata, MetadataSpec},
    data::{self, DataSpec, Delimiter, Layout, Needs},
    error::TrainingError,
    progress::Io,
    report,
};

/// Writes title metadata, with play counts where plays are given, as a catalogue artifact.
pub fn catalogue(args: &CatalogueArgs, io: &mut Io<'_>) -> Result<(), TrainingError> {
    let mut metadata = read(args, io)?;
    count_plays(args, io, &mut metadata)?;
    let Some(output) = &args.output else {
        return Err(TrainingError::Usage(
            "nothing says where the artifact goes: give --output FOLDER".to_owned(),
        ));
    };
    if args.dry_run {
        writeln!(
            io.out,
            "would write {} titles to {}\ndry run: nothing was written",
            metadata.entries.len(),
            output.display()
        )?;
        return Ok(());
    }
    write(io, output, &metadata)
}

fn read(args: &CatalogueArgs, io: &mut Io<'_>) -> Result<Metadata, TrainingError> {
    let stage = io.stage("read metadata", 0)?;
    let separator = args.genre_separator.unwrap_or(Delimiter::byte(b'|'));
    let metadata = catalogue::read(&MetadataSpec {
        files: args.metadata.clone(),
        layout: Layout {
            delimiter: args.metadata_delimiter,
            header: !args.metadata_no_header,
            encoding: args.metadata_encoding,
            quotes: args.metadata_quotes,
            multi_line: args.metadata_multi_line,
            decimal: None,
            prefix: "--metadata-",
        },
        id: args.id_column.clone(),
        name: args.name_column.clone(),
        year: args.year_column.clone(),
        genres: args.genres_column.clone(),
        genre_separator: separator,
        article_first: args.article_first,
        skip_bad_rows: args.data.skip_bad_rows.unwrap_or(0),
    })?;
    stage.end(&format!("{} titles", metadata.entries.len()))?;
    if metadata.bad_rows > 0 {
        writeln!(io.out, "passed over {} bad rows", metadata.bad_rows)?;
    }
    if metadata.without_year > 0 {
        writeln!(io.out, "{} titles have no year: it is not a whole number", metadata.without_year)?;
    }
    Ok(metadata)
}

fn count_plays(args: &CatalogueArgs, io: &mut Io<'_>, metadata: &mut Metadata) -> Result<(), TrainingError> {
    if args.data.files.is_empty() {
        return Ok(());
    }
    let stage = io.stage("count plays", 0)?;
    let mut spec = DataSpec::default();
    args.data.apply(&mut spec);
    let needs = Needs { plays: true, ..Needs::default() };
    let ratings = data::read_any(&spec, needs, &mut |_| ())?;
    let mut plays = vec![0_u64; ratings.titles.len()];
    for title in &ratings.title {
        plays[*title as usize] += 1;
    }
    let mut by_id: HashMap<&str, u64> = ratings.titles.iter().zip(plays).collect();
    for entry in &mut metadata.entries {
        entry.plays = by_id.remove(entry.id.as_str()).unwrap_or(0);
    }
    let unknown = by_id.len();
    stage.end(&format!("{} plays; {unknown} titles that were watched have no metadata", ratings.len()))?;
    report::print_not_plays(io.out, &ratings.facts, spec.positive_from)?;
    Ok(())
}

fn write(io: &mut Io<'_>, output: &Path, metadata: &Metadata) -> Result<(), TrainingError> {
    let stage = io.stage("write", 0)?;
    let mut writer = Writer::create(output)?;
    writer.catalogue(&metadata.entries)?;
    let lineage = Lineage {
        data_digest: metadata.digest.clone(),
        code_version: env!("CARGO_PKG_VERSION").to_owned(),
        ..Lineage::default()
    };
    let digest = writer.finish(Architecture::CATALOGUE, Map::new(), lineage, None)?;
    artifact::open_whole(output, Some(digest))?;
    stage.end(&format!("{} with sha256 {digest}", output.display()))?;
    Ok(())
}
