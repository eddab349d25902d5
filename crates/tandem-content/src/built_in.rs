//! What is compiled in, and what a site lays over it.

use crate::files::{FileProblem, read_texts};
use include_dir::{Dir, DirEntry, include_dir};
use std::path::Path;
use tandem_model::{Catalogue, CatalogueError};

static CONTENT: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../content");
static SAMPLES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../samples");

/// A text with the name that problems are reported under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextFile {
    /// Path within the content, or on disk.
    pub name: String,
    /// Text.
    pub text: String,
}

/// A log file that the binary carries for the demonstration.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// `scenario/file`.
    pub path: &'static str,
    /// Content.
    pub bytes: &'static [u8],
}

/// All content of a site.
#[derive(Debug, Clone)]
pub struct Content {
    /// The list of columns.
    pub catalogue: Catalogue,
    /// `parser.yaml` files.
    pub parsers: Vec<TextFile>,
    /// Rule files.
    pub rules: Vec<TextFile>,
    /// The alert policy.
    pub alert_policy: TextFile,
}

impl Content {
    /// What the binary carries.
    pub fn built_in() -> Result<Self, CatalogueError> {
        let mut content = Self {
            catalogue: Catalogue::from_yaml(text_of("fields.yaml"))?,
            parsers: Vec::new(),
            rules: Vec::new(),
            alert_policy: TextFile {
                name: "alert_policy.yaml".to_owned(),
                text: text_of("alert_policy.yaml").to_owned(),
            },
        };
        collect(&CONTENT, &mut |path, text| {
            let file = || TextFile { name: path.to_owned(), text: text.to_owned() };
            if path.starts_with("parsers/") && path.ends_with("/parser.yaml") {
                content.parsers.push(file());
            } else if path.starts_with("rules/") && is_rule(path) {
                content.rules.push(file());
            }
        });
        content.parsers.sort_by(|a, b| a.name.cmp(&b.name));
        content.rules.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(content)
    }

    /// Adds the parsers of a folder: every `parser.yaml` in it. One of the same folder name replaces a built-in one.
    pub fn add_parsers(&mut self, folder: &Path, problems: &mut Vec<FileProblem>) {
        for file in read_texts(folder, |name| name == "parser.yaml", problems) {
            let own = parser_folder(&file.name);
            self.parsers.retain(|other| parser_folder(&other.name) != own);
            self.parsers.push(file);
        }
    }

    /// Adds the rules of a folder or file.
    pub fn add_rules(&mut self, path: &Path, problems: &mut Vec<FileProblem>) {
        self.rules.extend(read_texts(path, is_rule, problems));
    }

    /// Lays a site's own content, `parsers/` and `rules/` below `folder`, over what is there.
    pub fn lay_over(&mut self, folder: &Path, problems: &mut Vec<FileProblem>) {
        let parsers = folder.join("parsers");
        if parsers.is_dir() {
            self.add_parsers(&parsers, problems);
        }
        let rules = folder.join("rules");
        if rules.is_dir() {
            self.add_rules(&rules, problems);
        }
        let policy = folder.join("alert_policy.yaml");
        if policy.is_file() {
            match std::fs::read_to_string(&policy) {
                Ok(text) => self.alert_policy = TextFile { name: policy.display().to_string(), text },
                Err(error) => problems.push(FileProblem::new(&policy, &error)),
            }
        }
    }
}

/// Whether a file name is that of a rule.
pub(crate) fn is_rule(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|end| end.eq_ignore_ascii_case("yml") || end.eq_ignore_ascii_case("yaml"))
}

/// The folder that a `parser.yaml` lies in: the parser's name.
fn parser_folder(name: &str) -> String {
    Path::new(name).parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned()
}

/// The samples, in order of their paths.
pub fn samples() -> Vec<Sample> {
    let mut list = Vec::new();
    let mut open = vec![&SAMPLES];
    while let Some(folder) = open.pop() {
        for entry in folder.entries() {
            match entry {
                DirEntry::Dir(inner) => open.push(inner),
                DirEntry::File(file) => {
                    if let Some(path) = file.path().to_str() {
                        list.push(Sample { path, bytes: file.contents() });
                    }
                }
            }
        }
    }
    list.sort_by_key(|sample| sample.path);
    list
}

fn text_of(path: &str) -> &'static str {
    CONTENT.get_file(path).and_then(include_dir::File::contents_utf8).unwrap_or_default()
}

fn collect(folder: &'static Dir<'static>, take: &mut dyn FnMut(&str, &str)) {
    for entry in folder.entries() {
        match entry {
            DirEntry::Dir(inner) => collect(inner, take),
            DirEntry::File(file) => {
                if let (Some(path), Some(text)) = (file.path().to_str(), file.contents_utf8()) {
                    take(path, text);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_built_in_rule_loads_with_all_that_a_reader_needs() {
        let content = Content::built_in().unwrap();
        let rules = crate::load_rules(&content.rules);
        assert_eq!(rules.problems, [], "problems in content/rules");
        assert!(rules.rules.len() >= 40);
        let mut titles = HashSet::new();
        for rule in &rules.rules {
            assert!(rule.needs_values().is_none(), "{} waits for values", rule.title);
            assert!(titles.insert(&rule.title), "{} occurs twice", rule.title);
            assert!(rule.rule.description.is_some() && rule.author.is_some(), "{}", rule.title);
            assert!(!rule.rule.falsepositives.is_empty(), "{} names no false positives", rule.title);
            assert!(rule.tags.iter().any(|tag| tag.starts_with("attack.t")), "{} names no technique", rule.title);
        }
    }
}
