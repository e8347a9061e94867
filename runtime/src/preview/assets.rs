//! The preview's files, compiled into the binary.

/// One file.
#[derive(Debug)]
pub(super) struct Asset {
    /// Path below `/preview/`.
    pub(super) path: &'static str,
    /// Value of the `Content-Type` header.
    pub(super) media_type: &'static str,
    /// Content of the file.
    pub(super) body: &'static str,
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml; charset=utf-8";

macro_rules! assets {
    ($($path:literal: $media_type:ident,)*) => {
        &[$(Asset { path: $path, media_type: $media_type, body: include_str!(concat!("web/", $path)) },)*]
    };
}

/// All files. `/preview/` serves `index.html`.
pub(super) const ASSETS: &[Asset] = assets![
    "index.html": HTML,
    "icon.svg": SVG,
    "css/base.css": CSS,
    "css/header.css": CSS,
    "css/page.css": CSS,
    "css/panel.css": CSS,
    "js/main.js": JS,
    "js/api.js": JS,
    "js/session.js": JS,
    "js/element.js": JS,
    "js/rows.js": JS,
    "js/card.js": JS,
    "js/billboard.js": JS,
    "js/motion.js": JS,
    "js/keyboard.js": JS,
    "js/picker.js": JS,
    "js/recent.js": JS,
    "js/panel.js": JS,
    "js/notice.js": JS,
];

/// Finds the file at `path`.
pub(super) fn find(path: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.path == path)
}
