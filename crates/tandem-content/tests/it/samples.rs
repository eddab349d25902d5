//! What the built-in rules say about the sample stories: `samples.txt` beside this file holds it.

use crate::site::{built_in, files, root};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use tandem_content::Workbench;

#[test]
fn sample_stories_fire_as_often_as_written_down() {
    let (parsers, rules) = built_in();
    let folder = root().join("samples");
    let mut actual =
        String::from("# detections per rule on each file of samples/; UPDATE_EXPECT=1 writes it: read what it wrote\n");
    for path in files(&folder, "") {
        let name = path.strip_prefix(&folder).unwrap().display().to_string();
        if !name.contains('/') {
            continue;
        }
        let mut fired: BTreeMap<String, u64> = BTreeMap::new();
        let mut generic = 0;
        let tally = Workbench::new(&parsers, rules.rules.iter().cloned())
            .file(&name, File::open(&path).unwrap(), &mut |event, found| {
                generic += u64::from(event.is_generic());
                for detection in found {
                    let line = format!("{} {} ({})", detection.level, detection.rule_title, detection.kind);
                    *fired.entry(line).or_default() += 1;
                }
            })
            .unwrap();
        actual += &format!("\n{name}: {} records, {} events, {generic} generic\n", tally.records, tally.events);
        for (line, count) in fired {
            actual += &format!("{count:>5} {line}\n");
        }
    }
    let expected_path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/samples.txt");
    let expected = fs::read_to_string(&expected_path).unwrap_or_default();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&expected_path, &actual).unwrap();
    } else {
        assert!(actual == expected, "samples.txt differs; this came out (UPDATE_EXPECT=1 writes it):\n{actual}");
    }
}
