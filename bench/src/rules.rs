//! What the rules find in recorded attacks, beside `rsigma-eval` on the same records: shares of files, and every
//! pair of rule and file on which the two disagree.
//!
//! Four ways to judge a record, all routed by the log types that Tandem's parser gives it:
//!
//! 1. `evtx`: Tandem, reading the event log itself;
//! 2. `json`: Tandem, reading the record as JSON of the `evtx` crate;
//! 3. `fields`: rsigma-eval over the very fields of (1), under the names that each log type's rules use;
//! 4. `plain`: rsigma-eval over the JSON of (2), flattened by a few lines that know nothing of Tandem's names.

mod count;
mod flat;
mod peer;
mod report;

use anyhow::{Context, Result, bail};
use count::{Ledger, Way};
use peer::Peer;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tandem_base::Timestamp;
use tandem_content::{Content, TextFile, Workbench, compile_parsers, load_rules, read_texts};
use tandem_detect::LoadedRule;
use tandem_model::{Detection, DetectionKind, Event, Level, Record, RecordId, Transport};

/// SigmaHQ's folders.
const FOLDERS: [&str; 5] =
    ["rules", "rules-emerging-threats", "rules-threat-hunting", "rules-compliance", "rules-placeholder"];

/// What is known of a rule, whoever evaluates it.
pub(crate) struct Known {
    pub(crate) title: Arc<str>,
    pub(crate) level: Level,
    pub(crate) tags: Vec<Arc<str>>,
    pub(crate) is_own: bool,
}

/// `cargo xtask bench rules [--differences FILE]`.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let differences = match arguments {
        [] => None,
        [flag, file] if flag == "--differences" => Some(PathBuf::from(file)),
        _ => bail!("usage: rules [--differences FILE]   (a JSON line for each pair on which the engines disagree)"),
    };
    let corpora = crate::corpora()?;
    let content = Content::built_in()?;
    let (parsers, problems) = compile_parsers(&content);
    if let Some(problem) = problems.first() {
        bail!("{problem}");
    }
    let texts = sigma_texts(&corpora)?;
    let own = load_rules(&content.rules).rules;
    let theirs = load_rules(&texts).rules;
    let peer = Peer::load(&texts)?;
    println!(
        "{} rules of our own; of {} SigmaHQ files: {} loaded by Tandem ({} of them wait for values), {} by rsigma-eval\n",
        own.len(),
        texts.len(),
        theirs.len(),
        theirs.iter().filter(|rule| rule.needs_values().is_some()).count(),
        peer.len()
    );
    let known: HashMap<Arc<str>, Known> = own
        .iter()
        .map(|rule| (rule, true))
        .chain(theirs.iter().map(|rule| (rule, false)))
        .map(|(rule, is_own)| {
            let known = Known { title: rule.title.clone(), level: rule.level, tags: rule.tags.clone(), is_own };
            (rule.id.clone(), known)
        })
        .collect();
    let all: Vec<Arc<LoadedRule>> = own.into_iter().chain(theirs).collect();

    let mut judge = Judge { bench: Workbench::new(&parsers, all), peer, ledger: Ledger::default() };
    let root = corpora.join("evtx-attack");
    for path in files(&root, "evtx")? {
        let name = path.strip_prefix(&root)?.display().to_string();
        judge.file(&name, &path).with_context(|| format!("judging {}", path.display()))?;
    }
    report::print(&judge.ledger, &known);
    if let Some(path) = differences {
        fs::write(&path, report::differences(&judge.ledger, &known))?;
        println!("differences with an event each: {}", path.display());
    }
    Ok(())
}

fn sigma_texts(corpora: &Path) -> Result<Vec<TextFile>> {
    let mut problems = Vec::new();
    let is_rule = |name: &str| Path::new(name).extension().is_some_and(|end| end == "yml");
    let texts: Vec<TextFile> = FOLDERS
        .iter()
        .flat_map(|part| read_texts(&corpora.join("sigma-rules").join(part), is_rule, &mut problems))
        .collect();
    match problems.first() {
        Some(problem) => bail!("{}: {}", problem.path.display(), problem.reason),
        None => Ok(texts),
    }
}

struct Judge {
    bench: Workbench,
    peer: Peer,
    ledger: Ledger,
}

impl Judge {
    fn file(&mut self, name: &str, path: &Path) -> Result<()> {
        self.ledger.start_file(name);
        let documents = flat::documents(path)?;
        let mut next = documents.iter();
        let (ledger, peer) = (&mut self.ledger, &self.peer);
        let mut astray = 0_u64;
        let file = fs::File::open(path)?;
        let tally = self.bench.file(name, file, &mut |event, found| {
            note(ledger, Way::Evtx, event, found);
            for id in peer.fired(&event.typed, |typed| flat::seen_as(event, typed)) {
                ledger.add(Way::Fields, &id, || flat::event_json(event));
            }
            let Some(document) = next.next().filter(|document| flat::same(document, event)) else {
                astray += 1;
                return;
            };
            let plain = flat::flatten(document);
            for id in peer.fired(&event.typed, |_| plain.clone()) {
                ledger.add(Way::Plain, &id, || flat::event_json(event));
            }
        })?;
        if astray > 0 || tally.leftovers > 0 {
            bail!("{astray} records came in another order, {} could not be read", tally.leftovers);
        }
        ledger.events += tally.events;
        let ledger = &mut self.ledger;
        self.bench.records(documents.iter().map(record), &mut |event, found| note(ledger, Way::Json, event, found));
        Ok(())
    }
}

fn note(ledger: &mut Ledger, way: Way, event: &Event, found: &[Detection]) {
    for detection in found.iter().filter(|detection| detection.kind == DetectionKind::Rule) {
        ledger.add(way, &detection.rule_id, || flat::event_json(event));
    }
}

fn record(document: &serde_json::Value) -> Record {
    Record {
        id: RecordId { epoch: 1, offset: 0 },
        source: "bench".to_owned(),
        peer: None,
        received: Timestamp::from_seconds(1_795_608_000),
        transport: Transport::Import,
        facts: vec![("file.format".to_owned(), "json".to_owned())],
        run: None,
        raw: document.to_string().into_bytes(),
    }
}

/// Files below `folder` whose name ends in `end`, sorted.
pub(crate) fn files(folder: &Path, end: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == end) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
