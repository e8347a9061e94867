//! What a person sees while a command runs: bars on a terminal, plain lines elsewhere.

use std::{
    io::{self, Write},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

/// Where a command writes, what it may draw, and whether it should stop.
pub struct Io<'a> {
    /// Tables and plain lines.
    pub out: &'a mut dyn Write,
    /// Whether bars may be drawn (on standard error).
    pub terminal: bool,
    /// Set from outside, by a signal handler say: the command saves its checkpoint and stops.
    pub cancel: &'a AtomicBool,
}

impl Io<'_> {
    /// Whether the command should stop.
    pub fn is_cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }

    /// Begins a stage of `total` steps; 0 where that is not known.
    pub fn stage(&mut self, name: &str, total: u64) -> io::Result<ProgressStage<'_>> {
        ProgressStage::begin(self, name, total)
    }
}

/// How long each stage took.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StageTime {
    /// What was done.
    pub name: String,
    /// Wall time.
    pub seconds: f64,
}

/// One stage: it draws or prints its progress.
pub struct ProgressStage<'a> {
    out: &'a mut dyn Write,
    cancel: &'a AtomicBool,
    name: String,
    begun: Instant,
    bar: Option<ProgressBar>,
    total: u64,
    /// Tenths of the whole that were printed.
    printed_tenths: u64,
}

impl<'a> ProgressStage<'a> {
    fn begin(io: &'a mut Io<'_>, name: &str, total: u64) -> io::Result<Self> {
        let bar = io.terminal.then(|| bar(name, total));
        if bar.is_none() {
            writeln!(io.out, "{name} …")?;
        }
        Ok(Self {
            out: io.out,
            cancel: io.cancel,
            name: name.to_owned(),
            begun: Instant::now(),
            bar,
            total,
            printed_tenths: 0,
        })
    }

    /// `done` of the total is done; `note` says what there is to say, such as a loss.
    pub fn tell(&mut self, done: u64, note: &str) -> io::Result<()> {
        if let Some(bar) = &self.bar {
            bar.set_position(done);
            bar.set_message(note.to_owned());
            return Ok(());
        }
        let tenths = (done * 10).checked_div(self.total).unwrap_or(0);
        if tenths > self.printed_tenths && done < self.total {
            self.printed_tenths = tenths;
            let gap = if note.is_empty() { "" } else { ", " };
            writeln!(self.out, "{}: {done} of {}{gap}{note}", self.name, self.total)?;
        }
        Ok(())
    }

    /// The total, where it came to be known later.
    pub fn set_total(&mut self, total: u64) {
        self.total = total;
        if let Some(bar) = &self.bar {
            bar.set_length(total);
        }
    }

    /// Prints a line that stays.
    pub fn line(&mut self, text: &str) -> io::Result<()> {
        match &self.bar {
            Some(bar) => bar.suspend(|| writeln!(self.out, "{text}")),
            None => writeln!(self.out, "{text}"),
        }
    }

    /// Whether the command should stop.
    pub fn is_cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }

    /// Ends the stage with a line that says how it went.
    pub fn end(self, outcome: &str) -> io::Result<StageTime> {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        let seconds = self.begun.elapsed().as_secs_f64();
        writeln!(self.out, "{}: {outcome} ({})", self.name, duration(self.begun.elapsed()))?;
        Ok(StageTime { name: self.name.clone(), seconds })
    }
}

fn bar(name: &str, total: u64) -> ProgressBar {
    let bar = ProgressBar::new(total);
    // The template is a constant; were it wrong, the default style would do.
    if let Ok(style) = ProgressStyle::with_template("{prefix:<24} {bar:30} {pos}/{len} {elapsed} {msg}") {
        bar.set_style(style);
    }
    bar.set_prefix(name.to_owned());
    bar
}

/// As people read it: `35 ms`, `4.2 s`, `3 min 20 s`.
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 1.0 {
        format!("{:.0} ms", seconds * 1000.0)
    } else if seconds < 60.0 {
        format!("{seconds:.1} s")
    } else {
        format!("{} min {} s", duration.as_secs() / 60, duration.as_secs() % 60)
    }
}

/// As people read it: `812 B`, `4.2 MB`.
pub fn bytes(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let of = |unit: u64| bytes as f64 / unit as f64;
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", of(1_000)),
        1_000_000..1_000_000_000 => format!("{:.1} MB", of(1_000_000)),
        _ => format!("{:.1} GB", of(1_000_000_000)),
    }
}
