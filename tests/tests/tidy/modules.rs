//! Which module of a crate names which: `crate::`, `super::`, `self::` and children, through re-exports.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use super::{
    code::{Token, tokens},
    sources::{Source, files_named, repository},
};

/// A module from the root of its crate, as `["service", "page"]`.
pub type Path = Vec<String>;

/// One place where a module names another.
#[derive(Debug)]
pub struct Edge {
    /// The module that names.
    pub from: Path,
    /// The module that holds what is named.
    pub to: Path,
    /// File and line.
    pub place: String,
}

/// The modules of one crate.
pub struct Crate {
    /// Folder of the sources, as `operator/src/`.
    pub folder: String,
    name: String,
    modules: BTreeMap<Path, Module>,
}

#[derive(Default)]
struct Module {
    file: String,
    /// Names that `use` brings in, and what each stands for.
    imports: BTreeMap<String, Named>,
    /// What `use path::*` brings in.
    globs: Vec<Named>,
    items: BTreeSet<String>,
    named: Vec<Named>,
}

/// A path as it is written in a module, which may stand in a file of another name.
#[derive(Clone, Debug)]
struct Named {
    line: usize,
    within: Path,
    segments: Vec<String>,
}

/// Every crate of the repository that has sources.
pub fn crates(sources: &[Source]) -> Vec<Crate> {
    let manifests = files_named("Cargo.toml").into_iter().filter(|path| !path.contains("/fuzz/"));
    let named = |manifest: String| {
        let text = fs::read_to_string(repository().join(&manifest)).ok()?;
        let name = text.lines().find_map(|line| line.strip_prefix("name = \""))?.trim_end_matches('"');
        Some(of_folder(manifest.strip_suffix("Cargo.toml")?, name, sources))
    };
    manifests.filter_map(named).collect()
}

fn of_folder(root: &str, name: &str, sources: &[Source]) -> Crate {
    let folder = format!("{root}src/");
    let mut modules = BTreeMap::new();
    for source in sources.iter().filter(|source| source.path.starts_with(&folder) && !source.is_tool()) {
        read_module(module_path(&source.path[folder.len()..]), source, &mut modules);
    }
    Crate { name: name.replace('-', "_"), folder, modules }
}

/// Every path that a source names, with its line; those of `use` one by one and in full.
pub fn paths(source: &Source) -> Vec<(usize, String)> {
    let mut modules = BTreeMap::new();
    read_module(Path::new(), source, &mut modules);
    let named = modules.into_values().flat_map(|module| module.named);
    named.map(|named| (named.line, named.segments.join("::"))).collect()
}

fn module_path(file: &str) -> Path {
    let stem = file.trim_end_matches(".rs");
    let stem = stem.strip_suffix("/mod").unwrap_or(stem);
    stem.split('/').filter(|part| *part != "lib").map(str::to_owned).collect()
}

fn read_module(path: Path, source: &Source, modules: &mut BTreeMap<Path, Module>) {
    let tokens = tokens(&source.text);
    let mut module = Module { file: source.path.clone(), ..Module::default() };
    let mut inner: Vec<(String, usize)> = Vec::new();
    let (mut at, mut depth) = (0, 0);
    while at < tokens.len() {
        let mut within = path.clone();
        within.extend(inner.iter().map(|(name, _)| name.clone()));
        let (word, after) = (tokens[at].text, |n: usize| tokens.get(at + n).map_or("", |token| token.text));
        match word {
            "use" if after(1) != "<" => {
                at = read_use(&tokens, at + 1, &within, &mut module);
                continue;
            }
            "mod" if after(2) == "{" => {
                inner.push((after(1).to_owned(), depth));
            }
            "{" => depth += 1,
            "}" => {
                depth -= 1;
                inner.retain(|(_, outside)| *outside < depth);
            }
            "fn" | "struct" | "enum" | "trait" | "type" | "const" | "static" | "union"
                if inner.is_empty() =>
            {
                module.items.insert(after(1).to_owned());
            }
            _ => {}
        }
        let starts = tokens[at].is_name() && after(1) == "::" && (at == 0 || tokens[at - 1].text != "::");
        if starts {
            let (segments, end) = plain_path(&tokens, at);
            module.named.push(Named { line: tokens[at].line, within, segments });
            at = end;
        } else {
            at += 1;
        }
    }
    modules.insert(path, module);
}

fn plain_path(tokens: &[Token<'_>], start: usize) -> (Vec<String>, usize) {
    let mut segments = vec![tokens[start].text.to_owned()];
    let mut at = start + 1;
    while tokens.get(at).is_some_and(|t| t.text == "::") && tokens.get(at + 1).is_some_and(Token::is_name) {
        segments.push(tokens[at + 1].text.to_owned());
        at += 2;
    }
    (segments, at)
}

/// Reads `use tree;` from `start`, and returns the place after it.
fn read_use(tokens: &[Token<'_>], start: usize, within: &Path, module: &mut Module) -> usize {
    let mut prefixes: Vec<Vec<String>> = vec![Vec::new()];
    let mut current: Vec<String> = Vec::new();
    let mut alias = None;
    let mut at = start;
    while let Some(token) = tokens.get(at) {
        match token.text {
            "{" => prefixes.push(std::mem::take(&mut current)),
            "," | "}" | ";" => {
                let mut segments: Vec<String> = prefixes.concat();
                segments.append(&mut current);
                let closes_list = token.text == "}" && tokens[at - 1].text == "}";
                if !closes_list && tokens[at - 1].text != "," && !segments.is_empty() {
                    import(
                        Named { line: token.line, within: within.clone(), segments },
                        alias.take(),
                        module,
                    );
                }
                if token.text == "}" {
                    prefixes.pop();
                }
                if token.text == ";" {
                    return at + 1;
                }
            }
            "as" => {
                alias = tokens.get(at + 1).map(|name| name.text.to_owned());
                at += 1;
            }
            "::" => {}
            name => current.push(name.to_owned()),
        }
        at += 1;
    }
    at
}

fn import(mut named: Named, alias: Option<String>, module: &mut Module) {
    match named.segments.last().map(String::as_str) {
        Some("*") => {
            named.segments.pop();
            module.globs.push(named.clone());
        }
        Some("self") => {
            named.segments.pop();
            let name = alias.or_else(|| named.segments.last().cloned()).unwrap_or_default();
            module.imports.insert(name, named.clone());
        }
        Some(last) => {
            let name = alias.unwrap_or_else(|| last.to_owned());
            module.imports.insert(name, named.clone());
        }
        None => return,
    }
    module.named.push(named);
}

impl Crate {
    /// Every place where a module names another of the crate.
    pub fn edges(&self) -> Vec<Edge> {
        let of_module = |(from, module): (&Path, &Module)| {
            let edge = |named: &Named| {
                let to = self.holder(named, 0)?;
                let place = format!("{}:{}", module.file, named.line);
                (to != *from).then(|| Edge { from: from.clone(), to, place })
            };
            module.named.iter().filter_map(edge).collect::<Vec<_>>()
        };
        self.modules.iter().flat_map(of_module).collect()
    }

    /// Modules that are children of this one.
    pub fn children(&self, parent: &[String]) -> BTreeSet<String> {
        let below = self.modules.keys().filter(|path| path.len() > parent.len() && path.starts_with(parent));
        below.map(|path| path[parent.len()].clone()).collect()
    }

    /// Every module with children, the root included.
    pub fn parents(&self) -> BTreeSet<Path> {
        let above = |path: &Path| (0..path.len()).map(|n| path[..n].to_vec()).collect::<Vec<_>>();
        self.modules.keys().flat_map(above).collect()
    }

    /// The module of this crate that holds what is named, if one does.
    fn holder(&self, named: &Named, depth: usize) -> Option<Path> {
        let mut at = named.within.clone();
        let mut segments = named.segments.as_slice();
        match segments.first()?.as_str() {
            "crate" => at.clear(),
            "self" => {}
            "super" => {
                while segments.first().is_some_and(|first| first == "super") {
                    at.pop();
                    segments = &segments[1..];
                }
                return Some(self.follow(at, segments, depth));
            }
            name if name == self.name => at.clear(),
            name => {
                at.push(name.to_owned());
                let is_child = self.modules.contains_key(&at);
                return is_child.then(|| self.follow(at, &segments[1..], depth));
            }
        }
        Some(self.follow(at, &segments[1..], depth))
    }

    fn follow(&self, mut at: Path, segments: &[String], depth: usize) -> Path {
        for (n, segment) in segments.iter().enumerate() {
            let mut child = at.clone();
            child.push(segment.clone());
            if self.modules.contains_key(&child) {
                at = child;
                continue;
            }
            let Some(module) = self.modules.get(&at).filter(|_| depth < 8) else { return at };
            if module.items.contains(segment) {
                return at;
            }
            if let Some(import) = module.imports.get(segment) {
                let mut whole = import.clone();
                whole.segments.extend_from_slice(&segments[n + 1..]);
                return self.holder(&whole, depth + 1).unwrap_or(at);
            }
            let globbed = module.globs.iter().filter_map(|glob| self.holder(glob, depth + 1));
            let defines = |path: &Path| self.modules.get(path).is_some_and(|m| m.items.contains(segment));
            return globbed.into_iter().find(defines).unwrap_or(at);
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(files: &[(&str, &str)]) -> Vec<String> {
        let source =
            |(path, text): &(&str, &str)| Source { path: format!("x/src/{path}"), text: (*text).into() };
        let sources: Vec<Source> = files.iter().map(source).collect();
        let edge = |edge: Edge| format!("{} > {}", edge.from.join("::"), edge.to.join("::"));
        of_folder("x/", "x", &sources).edges().into_iter().map(edge).collect()
    }

    #[test]
    fn a_name_is_followed_to_the_file_that_holds_it() {
        let top = ("a/mod.rs", "mod b; mod c; pub use c::{Thing, deep::Other as Renamed}; pub struct Own;");
        let cases: [(&str, &[&str]); 8] = [
            ("use super::c::Thing;", &["a::b > a::c"]),
            ("use super::Thing;", &["a::b > a::c"]),
            ("use crate::a::{Own, Renamed};", &["a::b > a", "a::b > a::c::deep"]),
            ("fn f() { super::super::a::c::thing() }", &["a::b > a::c"]),
            ("// use super::c::Thing;\nconst S: &str = \"super::c\";", &[]),
            ("#[cfg(test)]\nmod tests { use super::super::c::Thing; }", &[]),
            ("fn f<'a>(c: char) -> impl Fn() + use<'a> { let _ = 'x'; super::c::thing() }", &["a::b > a::c"]),
            ("use std::fmt; fn f() { fmt::c() }", &[]),
        ];
        for (text, expected) in cases {
            let deep = ("a/c/deep.rs", "pub struct Other;");
            let found =
                edges(&[top, ("a/b.rs", text), ("a/c/mod.rs", "pub mod deep; pub struct Thing;"), deep]);
            let of_b: Vec<_> = found.iter().filter(|edge| edge.starts_with("a::b")).collect();
            assert_eq!(of_b, expected.iter().collect::<Vec<_>>(), "{text}");
        }
    }
}
