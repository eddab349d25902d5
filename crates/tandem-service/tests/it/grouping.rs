//! Every example under `tests/data/grouping`, once straight through and once with a restart before each step.

use std::fs;
use std::path::Path;

#[test]
fn examples_group_as_they_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/grouping");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 15, "only {} examples", files.len());
    let mut wrong = Vec::new();
    for file in &files {
        let text = fs::read_to_string(file).unwrap();
        for restart in [false, true] {
            if let Err(why) = crate::steps::run(&text, restart) {
                wrong.push(format!("{}: {why}", file.file_name().unwrap().to_string_lossy()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
