//! The preview page in headless Chromium, before the real binary serving models trained on MovieLens 100K.
//!
//! Pictures of what the browser showed are left in `target/screenshots/`.

#[path = "preview/access.rs"]
mod access;
#[path = "preview/axe.rs"]
mod axe;
#[path = "preview/hostile.rs"]
mod hostile;
#[path = "preview/keyboard.rs"]
mod keyboard;
#[path = "preview/rerank.rs"]
mod rerank;
#[path = "preview/trouble.rs"]
mod trouble;

use std::path::{Path, PathBuf};

use marquee_tests::{Outcome, browser::Browser, data, runtime::Runtime};
use serde_json::Value;

/// The page of `examples/homepage` in a browser.
struct Preview {
    runtime: Runtime,
    browser: Browser,
}

/// Folder of the examples.
fn examples() -> PathBuf {
    data::repository().join("examples")
}

/// Artifacts of the homepage, trained once for all tests of this file.
async fn artifacts() -> Outcome<&'static Path> {
    data::trained_home("preview-home").await
}

impl Preview {
    /// Opens the homepage and waits until it is ranked.
    async fn open() -> Outcome<Self> {
        Self::of(&examples().join("homepage"), artifacts().await?).await
    }

    async fn of(manifests: &Path, artifacts: &Path) -> Outcome<Self> {
        let preview = Self {
            runtime: Runtime::serve(manifests, artifacts, &[]).await?,
            browser: Browser::start().await?,
        };
        preview.load().await?;
        Ok(preview)
    }

    async fn load(&self) -> Outcome {
        self.browser.client.goto(&format!("{}/preview/", self.runtime.http)).await?;
        self.browser.until("document.querySelectorAll('.card').length > 0").await
    }

    /// Picks a viewer by typing the id, as a visitor would.
    async fn pick(&self, viewer: &str) -> Outcome {
        self.browser.js("document.getElementById('viewer').click(); document.getElementById('viewer').focus(); document.getElementById('viewer').select()").await?;
        self.browser.press(viewer.chars()).await?;
        let option =
            format!("document.querySelector('[role=option].is-active')?.dataset.viewer === '{viewer}'");
        self.browser.until(&option).await?;
        self.browser.press(['\u{e007}']).await?;
        self.announced(&format!("viewer {viewer} ")).await
    }

    /// Waits until the page says to screen readers what it shows now.
    async fn announced(&self, words: &str) -> Outcome {
        let words = serde_json::to_string(words)?;
        self.browser
            .until(&format!("document.getElementById('announcer').textContent.includes({words})"))
            .await
    }

    /// `[[row name, title id, title id, …], …]` as shown.
    async fn order(&self) -> Outcome<Value> {
        let script = "return [...document.querySelectorAll('.row')].map((row) => \
            [row.dataset.row, ...[...row.querySelectorAll('.card')].map((card) => card.dataset.title)])";
        self.browser.js(script).await
    }

    /// Fails if the console complained or a request went elsewhere; ends browser and server.
    async fn close(self) -> Outcome {
        let seen = self.browser.seen().await?;
        assert_eq!(
            seen.complaints,
            Vec::<String>::new(),
            "the console has errors or violations of the policy"
        );
        assert!(
            seen.requested.iter().any(|url| url.contains("/v1/surfaces/")),
            "the page asked for a ranking"
        );
        for url in &seen.requested {
            assert!(url.starts_with(&self.runtime.http), "{url} is not of {}", self.runtime.http);
        }
        self.browser.stop().await?;
        self.runtime.stop().await
    }
}
