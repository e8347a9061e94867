use std::path::Path;

use serde_json::json;

use super::*;
use crate::data::{Decimal, Delimiter, Duplicates, Encoding, Quotes};

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse("c.yaml", text, Path::new("folder"))
}

const WHOLE: &str = "
algorithm: implicit-als
hyperparameters: { factors: 32, regularization: 0.5, solver: exact }
seed: 7
threads: 2
data:
  files: [a.tsv, /b/c.parquet]
  columns: { viewer: who, title: what, rating: stars, time: at }
  delimiter: tab
  header: false
  encoding: latin1
  quotes: backslash
  multiLine: true
  decimal: comma
  positiveFrom: 3.5
  duplicates: first
  skipBadRows: 3
protocol: { kind: leave-last-out, cutoffs: [50, 10], bootstrap: 200 }
finalFit: all
search:
  kind: grid
  metric: hr@10
  ranges:
    alpha: [1, 2.5]
    regularization: { from: 0.01, to: 10, scale: log, steps: 4 }
checkpoint: { everyIterations: 5, everySeconds: 0 }
output: out
";

#[test]
fn every_field_is_read() {
    let config = parse(WHOLE).unwrap();
    assert_eq!(config.algorithm.name(), "implicit-als");
    assert_eq!(
        json!(config.hyperparameters),
        json!({ "factors": 32, "regularization": 0.5, "solver": "exact" })
    );
    assert_eq!((config.seed, config.threads, config.final_fit), (7, 2, FinalFit::All));
    let data = &config.data;
    assert_eq!(
        data.files,
        [Path::new("folder/a.tsv"), Path::new("/b/c.parquet")],
        "relative to the config's folder"
    );
    assert_eq!(data.columns.viewer.as_deref(), Some("who"));
    assert_eq!((data.layout.delimiter, data.layout.header), (Some(Delimiter::byte(b'\t')), false));
    let layout = data.layout;
    assert_eq!((layout.encoding, layout.quotes), (Some(Encoding::Latin1), Some(Quotes::Backslash)));
    assert_eq!((layout.multi_line, layout.decimal), (true, Some(Decimal::Comma)));
    assert_eq!(data.positive_from, Some(3.5));
    assert_eq!((data.duplicates, data.skip_bad_rows), (Duplicates::First, 3));
    assert_eq!(config.protocol, Protocol::LeaveLastOut);
    assert_eq!(config.measure, Measure { cutoffs: vec![10, 50], bootstrap: 200 });
    assert_eq!(config.checkpoint, Cadence { every_iterations: 5, every_seconds: 0 });
    let search = config.search.unwrap();
    assert_eq!((search.kind, search.metric.as_deref()), (SearchKind::Grid, Some("hr@10")));
    assert_eq!(crate::search::combinations(&Search { metric: None, ..search }).unwrap().len(), 8);
    assert_eq!(config.output.as_deref(), Some(Path::new("folder/out")));
}

#[test]
fn a_config_survives_being_written() {
    for text in [
        WHOLE,
        "algorithm: ease",
        "algorithm: biased-mf\nprotocol: { kind: fold, fold: 2, of: 5 }",
        "algorithm: bpr\nprotocol: { kind: none }",
    ] {
        let mut config = parse(text).unwrap();
        let written = config.to_yaml(Path::new("folder")).unwrap();
        // The search is what a written config is the outcome of; when checkpoints are saved is a matter of the machine.
        (config.search, config.checkpoint) = (None, Cadence::default());
        assert_eq!(parse(&written).unwrap(), config, "{written}");
    }
}

#[test]
fn what_is_wrong_is_named_with_its_line_and_the_mend() {
    #[rustfmt::skip]
    let cases = [
        ("empty",                  "",                                       "c.yaml: is empty: expected at least `algorithm: NAME`"),
        ("a list",                 "- a",                                    "c.yaml line 1: expected fields such as `algorithm: ease`"),
        ("a byte order mark",      "\u{feff}algorithm: ease\nsed: 1",        "c.yaml line 2: unknown field `sed`; did you mean `seed`? (fields: `algorithm`, `hyperparameters`, `data`, `seed`, `threads`, `protocol`, `finalFit`, `search`, `checkpoint`, `output`)"),
        ("no algorithm",           "seed: 1",                                "c.yaml line 1: `algorithm` is missing"),
        ("a wrong algorithm",      "algorithm: eas",                         "c.yaml line 1: `algorithm` must be one of `popularity`, `biased-mf`, `svd-plus-plus`, `implicit-als`, `bpr`, `ease`, found `eas`; did you mean `ease`?"),
        ("an unknown field",       "algorithm: ease\nsed: 1",                "c.yaml line 2: unknown field `sed`; did you mean `seed`? (fields: `algorithm`, `hyperparameters`, `data`, `seed`, `threads`, `protocol`, `finalFit`, `search`, `checkpoint`, `output`)"),
        ("an unknown field below", "algorithm: ease\ndata:\n  file: [a]",    "c.yaml line 3: unknown field `file` in `data`; did you mean `files`? (fields: `files`, `columns`, `delimiter`, `header`, `encoding`, `quotes`, `multiLine`, `decimal`, `positiveFrom`, `duplicates`, `skipBadRows`)"),
        ("a field twice",          "algorithm: ease\nalgorithm: bpr",        "c.yaml line 2: field `algorithm` is there already, in line 1: remove one"),
        ("a word for a number",    "algorithm: ease\nseed: many",            "c.yaml line 2: `seed` must be a whole number, found `many`"),
        ("too many threads",       "algorithm: ease\nthreads: 5000",         "c.yaml line 2: `threads` must be a whole number from 0 to 1024, found `5000`"),
        ("a value for a list",     "algorithm: ease\ndata: { files: a }",    "c.yaml line 2: `data.files` must be a list such as [a, b]"),
        ("a value for fields",     "algorithm: ease\ndata: a",               "c.yaml line 2: `data` must hold fields"),
        ("a long delimiter",       "algorithm: ease\ndata: { delimiter: ab }", "c.yaml line 2: `data.delimiter` `ab` is not a delimiter: expected one to 8 bytes without letters, digits, quotes and line ends, or tab, comma, semicolon, pipe, space"),
        ("another's parameter",    "algorithm: ease\nhyperparameters: { factors: 3 }", "c.yaml line 2: `hyperparameters.factors` is not a hyperparameter of ease (it has: `regularization`, `precision`)"),
        ("a mistyped parameter",   "algorithm: ease\nhyperparameters:\n  regularisation: 3", "c.yaml line 3: `hyperparameters.regularisation` is not a hyperparameter of ease; did you mean `regularization`? (it has: `regularization`, `precision`)"),
        ("out of range",           "algorithm: bpr\nhyperparameters: { learningRate: 0 }", "c.yaml line 2: `hyperparameters.learningRate` must be a number from 0.000000000001 to 1, found `0`"),
        ("NaN",                    "algorithm: ease\nhyperparameters: { regularization: NaN }", "c.yaml line 2: `hyperparameters.regularization` must be a number from 0.000000000001 to 1000000000, found `NaN`"),
        ("an unknown protocol",    "algorithm: ease\nprotocol: { kind: leave-one-out }", "c.yaml line 2: `protocol.kind` must be one of `leave-last-out`, `random-split`, `fold`, `none`, found `leave-one-out`; did you mean `leave-last-out`?"),
        ("a fold that is none",    "algorithm: bpr\nprotocol: { kind: fold, fold: 6, of: 5 }", "c.yaml line 2: `protocol.kind` cannot be used: fold must be from 1 to 5, found 6"),
        ("all held out",           "algorithm: bpr\nprotocol: { kind: random-split, fraction: 1 }", "c.yaml line 2: `protocol.kind` cannot be used: fraction must be above 0 and below 1, found 1"),
        ("a list of length 0",     "algorithm: ease\nprotocol: { kind: leave-last-out, cutoffs: [0] }", "c.yaml line 2: `protocol.kind` cannot be used: cutoffs must be whole numbers from 1"),
        ("nothing to search",      "algorithm: ease\nsearch: { kind: grid }", "c.yaml line 2: `search.ranges` is missing"),
        ("a span upside down",     "algorithm: ease\nsearch: { ranges: { regularization: { from: 9, to: 1 } } }", "c.yaml line 2: `search.ranges.regularization.from` must be below `to`, found 9 and 1"),
        ("anchors",                "algorithm: &a ease",                     "c.yaml line 1: anchors and aliases are not read: write the value out"),
    ];
    for (why, text, expected) in cases {
        assert_eq!(parse(text).expect_err(why).to_string(), expected, "{why}");
    }
}

#[test]
fn protocols_are_read_from_flags_as_they_are_shown() {
    for text in ["none", "leave-last-out", "random-split:0.2:7", "fold:2/5"] {
        assert_eq!(text.parse::<Protocol>().unwrap().to_string(), text);
    }
    #[rustfmt::skip]
    let cases = [
        ("leave-last", "`leave-last` is not a protocol: expected leave-last-out, random-split:FRACTION:SEED, fold:K/N or none; did you mean `leave-last-out`?"),
        ("fold:2", "`fold:2` is not a protocol: expected fold:K/N"),
        ("fold:0/5", "`fold:0/5`: fold must be from 1 to 5, found 0"),
        ("random-split:x", "`random-split:x` is not a protocol: expected random-split:FRACTION or random-split:FRACTION:SEED"),
        ("random-split:nan", "`random-split:nan`: fraction must be above 0 and below 1, found NaN"),
    ];
    for (text, expected) in cases {
        assert_eq!(text.parse::<Protocol>().unwrap_err(), expected);
    }
}
