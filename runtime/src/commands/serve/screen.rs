//! The start screen: models and pages with their artifacts, addresses, problems, and the parts of the manifests that a single
//! process ignores. It is for people: where the log is asked for as JSON, its lines say the same.

use std::{
    io::{self, Write},
    net::SocketAddr,
    path::Path,
};

use marquee_manifests::Loaded as Manifests;

use crate::service::{ResourceStatus, Service, State};

/// Addresses of the listeners.
#[derive(Clone, Copy)]
pub(super) struct Addresses {
    /// Address of the HTTP listener.
    pub http: SocketAddr,
    /// Address of the gRPC listener.
    pub grpc: SocketAddr,
    /// Whether both listeners use TLS.
    pub tls: bool,
    /// Whether the preview page is served.
    pub preview: bool,
}

/// The served models and pages.
pub(super) struct Served<'a> {
    /// Answers requests.
    pub service: &'a Service,
    /// The manifests.
    pub manifests: &'a Manifests,
    /// Folder or file of the manifests.
    pub folder: &'a Path,
}

/// Writes the screen.
pub(super) fn write(out: &mut dyn Write, served: &Served<'_>, addresses: Addresses) -> io::Result<()> {
    let Served { service, manifests, folder } = served;
    let Addresses { http, grpc, tls, preview } = addresses;
    let scheme = if tls { "https" } else { "http" };
    let status = service.status();
    writeln!(out, "\nMarquee {} serves {}\n", env!("CARGO_PKG_VERSION"), folder.display())?;
    let models = status.models.iter().map(|model| {
        let architecture = model.architecture.as_deref().unwrap_or("-");
        row(model, &[&model.name, architecture])
    });
    table(out, &["OBJECTIVE", "ARCHITECTURE", "TITLES", "STATE", "ARTIFACT"], &models.collect::<Vec<_>>())?;
    let surfaces = service.surfaces();
    let pages = status.pages.iter().map(|page| {
        let rows =
            surfaces.iter().find(|surface| *surface.surface == *page.name).map(|surface| surface.rows.len());
        row(page, &[&page.name, &rows.map_or("-".to_owned(), |rows| format!("{rows} rows"))])
    });
    table(out, &["SURFACE", "LAYOUT", "TITLES", "STATE", "CATALOGUE"], &pages.collect::<Vec<_>>())?;
    writeln!(out, "  HTTP      {scheme}://{http}  (/v1 /v2 /status /metrics /v1/openapi.json)")?;
    writeln!(out, "  gRPC      {grpc}  (marquee.v1, inference, reflection, health)")?;
    if preview {
        writeln!(out, "  preview   {scheme}://{http}/preview/")?;
    } else {
        writeln!(out, "  preview   not served; --preview always serves it on this address")?;
    }
    let ready =
        if status.ready { "yes".to_owned() } else { format!("not yet: {}", status.reasons.join("; ")) };
    writeln!(out, "  ready     {ready}\n")?;
    section(out, "Problems:", warnings(manifests, &status.models, &status.pages))?;
    section(out, "Ignored by a single process:", manifests.notes.iter().map(ToString::to_string).collect())?;
    out.flush()
}

fn warnings(manifests: &Manifests, models: &[ResourceStatus], pages: &[ResourceStatus]) -> Vec<String> {
    let of_resource = |status: &ResourceStatus| {
        let error = status.error.iter().map(|error| format!("{}: {error}", status.resource));
        let warnings = status.warnings.iter().map(|warning| format!("{}: {warning}", status.resource));
        error.chain(warnings).collect::<Vec<_>>()
    };
    let found = models.iter().chain(pages).flat_map(of_resource);
    manifests.warnings.iter().map(ToString::to_string).chain(found).collect()
}

fn row(status: &ResourceStatus, first: &[&str]) -> Vec<String> {
    let state = match status.state {
        State::Loading => "loading",
        State::Serving => "serving",
        State::ServingPrevious => "serving previous",
        State::Failed => "failed",
    };
    let titles = status.n_titles.map_or("-".to_owned(), |n| n.to_string());
    let digest =
        status.artifact_digest.as_deref().map_or(String::new(), |digest| format!(" ({})", &digest[..12]));
    let mut cells: Vec<String> = first.iter().map(|&cell| cell.to_owned()).collect();
    cells.extend([titles, state.to_owned(), format!("{}{digest}", status.uri)]);
    cells
}

fn table(out: &mut dyn Write, head: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let head: Vec<String> = head.iter().map(|&cell| cell.to_owned()).collect();
    let all: Vec<&Vec<String>> = [&head].into_iter().chain(rows).collect();
    let width = |column: usize| all.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    for row in all {
        let line: Vec<String> =
            row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}")).collect();
        writeln!(out, "  {}", line.join("  ").trim_end())?;
    }
    writeln!(out)
}

fn section(out: &mut dyn Write, heading: &str, lines: Vec<String>) -> io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "  {heading}")?;
    for line in lines {
        writeln!(out, "  - {line}")?;
    }
    writeln!(out)
}
