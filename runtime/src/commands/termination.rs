//! The termination message of a pod that cannot serve. The operator turns its reason into a condition, an event and a metric.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use marquee_crds::{causes::Causes, conditions::Reason, termination::Termination};

use super::CommandError;

const FLAG: &str = "--termination-log";
const VARIABLE: &str = "MARQUEE_TERMINATION_LOG";

impl CommandError {
    /// The termination message for this error.
    pub fn termination(&self) -> Termination {
        let reason = match self {
            Self::Terminated(message) => return message.clone(),
            Self::Usage(_) | Self::Log(_) | Self::Manifests(_) | Self::Config(_) | Self::Transport(_) => {
                Reason::ConfigInvalid
            }
            _ => Reason::PodCrashed,
        };
        Termination { reason, message: Causes(self).to_string() }
    }
}

/// Writes the message to the file that the kubelet reads.
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, message: &Termination) -> io::Result<()> {
    fs::write(path, message.to_json().map_err(io::Error::other)?)
}

/// Reports that the CPU cannot run this binary. Finds the flag without the parser, whose code this CPU may be unable to run.
///
/// # Errors
/// When the file cannot be written.
pub fn cpu_unsupported(
    mut args: impl Iterator<Item = OsString>,
    variable: Option<OsString>,
    missing: &str,
) -> io::Result<()> {
    let mut path = variable.map(PathBuf::from);
    while let Some(arg) = args.next() {
        let text = arg.to_string_lossy();
        if text == FLAG {
            path = args.next().map(PathBuf::from);
        } else if let Some(value) = text.strip_prefix(FLAG).and_then(|rest| rest.strip_prefix('=')) {
            path = Some(value.into());
        }
    }
    let message = Termination { reason: Reason::CpuUnsupported, message: missing.to_owned() };
    path.map_or(Ok(()), |path| write(&path, &message))
}

/// Value of the flag's environment variable.
pub fn variable() -> Option<OsString> {
    std::env::var_os(VARIABLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_cpu_is_reported_wherever_the_flag_is() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("log");
        let written = file.display();
        #[rustfmt::skip]
        let cases = [
            ("two words",    format!("serve --config c --termination-log {written}"), None),
            ("one word",     format!("serve --termination-log={written} --config c"), None),
            ("the variable", "serve --config c".to_owned(),                           Some(written.to_string())),
        ];
        for (why, args, variable) in cases {
            let _ = fs::remove_file(&file);
            let args = args.split(' ').map(OsString::from).collect::<Vec<_>>();
            cpu_unsupported(args.into_iter(), variable.map(OsString::from), "no avx2").unwrap();
            let written = Termination::parse(&fs::read_to_string(&file).unwrap()).unwrap();
            assert_eq!((written.reason, &*written.message), (Reason::CpuUnsupported, "no avx2"), "{why}");
        }
    }
}
