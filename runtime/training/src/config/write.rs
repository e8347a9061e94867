//! A config as YAML: what a search found, to be trained from as it stands.

use std::path::Path;

use marquee_algorithms::trainer::plain_number;
use serde_json::{Map, Value, json};

use super::{Config, FinalFit, Protocol};

impl Config {
    /// The config as YAML. Paths are written relative to `folder` where they lie below it. The search is left out: its
    /// outcome is the hyperparameters.
    pub fn to_yaml(&self, folder: &Path) -> Result<String, serde_yaml::Error> {
        let mut root = Map::new();
        root.insert("algorithm".to_owned(), json!(self.algorithm));
        if !self.hyperparameters.is_empty() {
            root.insert("hyperparameters".to_owned(), Value::Object(self.hyperparameters.clone()));
        }
        root.insert("seed".to_owned(), json!(self.seed));
        if self.threads != 0 {
            root.insert("threads".to_owned(), json!(self.threads));
        }
        root.insert("data".to_owned(), self.data_section(folder));
        if self.protocol != Protocol::None {
            root.insert("protocol".to_owned(), self.protocol_section());
        }
        if self.final_fit != FinalFit::default() {
            root.insert("finalFit".to_owned(), json!(self.final_fit));
        }
        if let Some(output) = &self.output {
            root.insert("output".to_owned(), json!(relative(output, folder)));
        }
        serde_yaml::to_string(&root)
    }

    fn data_section(&self, folder: &Path) -> Value {
        let spec = &self.data;
        let files: Vec<String> = spec.files.iter().map(|file| relative(file, folder)).collect();
        let mut data = Map::new();
        data.insert("files".to_owned(), json!(files));
        let mut columns = Map::new();
        for (role, name) in [
            ("viewer", &spec.columns.viewer),
            ("title", &spec.columns.title),
            ("rating", &spec.columns.rating),
            ("time", &spec.columns.time),
        ] {
            columns.extend(name.as_ref().map(|name| (role.to_owned(), json!(name))));
        }
        if !columns.is_empty() {
            data.insert("columns".to_owned(), Value::Object(columns));
        }
        data.extend(spec.layout.delimiter.map(|delimiter| ("delimiter".to_owned(), json!(delimiter.name()))));
        if !spec.layout.header {
            data.insert("header".to_owned(), json!(false));
        }
        data.extend(spec.layout.encoding.map(|encoding| ("encoding".to_owned(), json!(encoding))));
        data.extend(spec.layout.quotes.map(|quotes| ("quotes".to_owned(), json!(quotes))));
        if spec.layout.multi_line {
            data.insert("multiLine".to_owned(), json!(true));
        }
        data.extend(spec.layout.decimal.map(|decimal| ("decimal".to_owned(), json!(decimal))));
        data.extend(spec.positive_from.map(|least| ("positiveFrom".to_owned(), plain_number(least))));
        data.insert("duplicates".to_owned(), json!(spec.duplicates));
        if spec.skip_bad_rows > 0 {
            data.insert("skipBadRows".to_owned(), json!(spec.skip_bad_rows));
        }
        Value::Object(data)
    }

    fn protocol_section(&self) -> Value {
        let mut section = match json!(self.protocol) {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        if self.protocol == Protocol::LeaveLastOut {
            section.insert("cutoffs".to_owned(), json!(self.measure.cutoffs));
        }
        section.insert("bootstrap".to_owned(), json!(self.measure.bootstrap));
        Value::Object(section)
    }
}

/// `path` as seen from `folder`; in full where it lies elsewhere.
fn relative(path: &Path, folder: &Path) -> String {
    if folder.as_os_str().is_empty() {
        return path.display().to_string();
    }
    match path.strip_prefix(folder) {
        Ok(below) => below.display().to_string(),
        Err(_) => std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string(),
    }
}
