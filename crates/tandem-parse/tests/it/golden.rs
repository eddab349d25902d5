//! Every parser of `content/parsers`: its samples become its expected events.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use tandem_model::Catalogue;
use tandem_parse::{Parsers, Sample, event_json};

fn content() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../content")
}

/// All parsers and the catalogue, as the program has them.
pub(crate) fn all_parsers() -> Parsers {
    let catalogue = Catalogue::from_yaml(&fs::read_to_string(content().join("fields.yaml")).unwrap()).unwrap();
    let mut files = Vec::new();
    for folder in folders() {
        let file = folder.join("parser.yaml");
        files.push((file.strip_prefix(content()).unwrap().display().to_string(), fs::read_to_string(&file).unwrap()));
    }
    let (parsers, problems) = Parsers::compile(files, &catalogue);
    let problems: Vec<_> =
        problems.iter().filter(|problem| is_wanted(&problem.file)).map(ToString::to_string).collect();
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
    parsers
}

/// `PARSER=vendor.product` looks at that parser only.
fn is_wanted(path: &str) -> bool {
    std::env::var("PARSER").map_or(true, |name| path.split('/').any(|part| part == name))
}

fn folders() -> Vec<PathBuf> {
    let mut folders: Vec<_> = fs::read_dir(content().join("parsers"))
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("parser.yaml").exists())
        .collect();
    folders.sort();
    folders
}

#[test]
fn samples_become_their_expected_events() {
    let parsers = all_parsers();
    let update = std::env::var_os("UPDATE_EXPECT").is_some_and(|value| !value.is_empty());
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for folder in folders() {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        if !is_wanted(&name) {
            continue;
        }
        let mut samples: Vec<_> =
            fs::read_dir(folder.join("samples")).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
        samples.sort();
        if !parsers.names().any(|parser| parser == name) {
            wrong.push(format!("{name}: the parser must have the name of its folder"));
        }
        if samples.is_empty() {
            wrong.push(format!("{name} has no samples"));
        }
        for path in samples {
            let file = path.file_name().unwrap().to_string_lossy().into_owned();
            let sample = Sample::read(&file, &fs::read_to_string(&path).unwrap())
                .unwrap_or_else(|error| panic!("{name}/samples/{file}: {error}"));
            let events = sample.parse(&mut parsers.start());
            let lines: Vec<_> =
                events.iter().map(|event| serde_json::to_string_pretty(&event_json(event)).unwrap()).collect();
            let actual = format!("[\n{}\n]\n", lines.join(",\n"));
            let expected_path = folder
                .join("expected")
                .join(format!("{}.json", file.rsplit_once('.').map_or(&*file, |(stem, _)| stem)));
            assert!(seen.insert(expected_path.clone()), "{name}: two samples are called {file} up to their ending");
            let expected = fs::read_to_string(&expected_path).unwrap_or_default();
            if actual == expected {
                continue;
            }
            if update {
                fs::create_dir_all(folder.join("expected")).unwrap();
                fs::write(&expected_path, actual).unwrap();
            } else {
                let line = actual.lines().zip(expected.lines()).position(|(one, other)| one != other);
                let line = line.unwrap_or_else(|| actual.lines().count().min(expected.lines().count()));
                let of = |text: &str| text.lines().nth(line).unwrap_or("(end)").to_owned();
                wrong.push(format!(
                    "{name}/samples/{file}: line {} of expected is\n    {}\n  and came out as\n    {}",
                    line + 1,
                    of(&expected),
                    of(&actual)
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}\n(UPDATE_EXPECT=1 writes what comes out; read it)", wrong.join("\n"));
}
