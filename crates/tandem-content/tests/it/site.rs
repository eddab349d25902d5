//! What every test starts from: the built-in parsers and rules, and files.

use std::fs;
use std::path::{Path, PathBuf};
use tandem_content::{Content, compile_parsers, load_rules};
use tandem_detect::Rules;
use tandem_parse::Parsers;

/// The checkout's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The built-in parsers and rules.
pub(crate) fn built_in() -> (Parsers, Rules) {
    let content = Content::built_in().unwrap();
    let (parsers, problems) = compile_parsers(&content);
    assert!(problems.is_empty(), "{problems:?}");
    let rules = load_rules(&content.rules);
    assert_eq!(rules.problems, []);
    (parsers, rules)
}

/// Files below `folder` whose name ends in `end`, in order of their paths.
pub(crate) fn files(folder: &Path, end: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.to_string_lossy().ends_with(end) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
