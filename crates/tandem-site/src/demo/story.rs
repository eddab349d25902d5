//! Which samples are played when.

use super::retime::Retimer;
use anyhow::{Context, Result};
use std::io::Cursor;
use std::sync::Arc;
use std::time::Duration;
use tandem_base::Timestamp;
use tandem_content::samples;
use tandem_model::{Record, RecordId, Transport};
use tandem_parse::{Parsers, container};

/// When a story begins, seen from the start of the demonstration.
#[derive(Debug, Clone, Copy)]
pub(super) enum Begin {
    /// It has happened already.
    Before(Duration),
    /// It will.
    After(Duration),
}

/// Files whose records belong together.
pub(super) struct Story {
    /// Path below `samples/`, and the source that delivers it.
    pub(super) files: &'static [(&'static str, &'static str)],
    pub(super) begin: Begin,
    /// It is played faster where it lasted longer.
    pub(super) within: Duration,
    /// Around when it was recorded: the year of lines without one.
    pub(super) recorded: &'static str,
}

pub(super) const STORIES: &[Story] = &[
    Story {
        files: &[
            ("cloud-takeover/entra.jsonl", "entra"),
            ("cloud-takeover/m365.jsonl", "m365"),
            ("cloud-takeover/cloudtrail.jsonl", "aws"),
        ],
        begin: Begin::Before(Duration::from_hours(3)),
        within: Duration::from_mins(150),
        recorded: "2026-11-24T12:00:00Z",
    },
    Story {
        files: &[("firewall-beacon/fortigate.log", "fw1")],
        begin: Begin::Before(Duration::from_mins(80)),
        within: Duration::from_mins(75),
        recorded: "2026-11-24T12:00:00Z",
    },
    Story {
        files: &[("web-scan/access.log", "web1"), ("web-scan/error.log", "web1")],
        begin: Begin::Before(Duration::from_mins(40)),
        within: Duration::from_mins(30),
        recorded: "2026-11-25T12:00:00Z",
    },
    Story {
        files: &[
            ("windows-ransomware/winlogbeat-1.ndjson", "winlogbeat"),
            ("windows-ransomware/winlogbeat-2.ndjson", "winlogbeat"),
        ],
        begin: Begin::After(Duration::from_secs(3)),
        within: Duration::from_mins(4),
        recorded: "2026-11-24T12:00:00Z",
    },
    Story {
        files: &[("linux-ssh-break-in/auth.log", "srv-files"), ("linux-ssh-break-in/audit.log", "srv-files")],
        begin: Begin::After(Duration::from_secs(20)),
        within: Duration::from_mins(3),
        recorded: "2026-11-25T12:00:00Z",
    },
];

/// One record of a story.
pub(super) struct Scene {
    pub(super) source: &'static str,
    pub(super) is_json: bool,
    /// From the story's begin, at the speed at which it is played.
    pub(super) offset: Duration,
    happened: Timestamp,
    text: String,
    retimer: Arc<Retimer>,
}

impl Scene {
    /// The record as if it happened at `at`.
    pub(super) fn line(&self, at: Timestamp) -> String {
        self.retimer.line(&self.text, self.happened, at)
    }
}

/// The records of a story in order of time.
pub(super) fn load(story: &Story, parsers: &Parsers) -> Result<Vec<Scene>> {
    let recorded: Timestamp = story.recorded.parse().context("the time of a story")?;
    let all = samples();
    let mut scenes = Vec::new();
    for (path, source) in story.files {
        let sample =
            all.iter().find(|sample| sample.path == *path).with_context(|| format!("there is no sample {path}"))?;
        let retimer = Arc::new(Retimer::new(recorded));
        let records =
            container::open(path, Cursor::new(sample.bytes)).with_context(|| format!("reading the sample {path}"))?;
        let is_json = records.format().word() == "json";
        let mut state = parsers.start();
        let mut last = recorded;
        let mut events = Vec::new();
        for (offset, raw) in records.filter_map(Result::ok).enumerate() {
            let record = Record {
                id: RecordId { epoch: 0, offset: offset as u64 },
                source: (*source).to_owned(),
                peer: None,
                received: recorded,
                transport: Transport::Hec,
                facts: raw.facts,
                run: None,
                raw: raw.raw,
            };
            state.parse(&record, &mut events);
            last = events.drain(..).map(|event| event.time).next().unwrap_or(last);
            let text = String::from_utf8_lossy(&record.raw).into_owned();
            scenes.push(Scene {
                source,
                is_json,
                offset: Duration::ZERO,
                happened: last,
                text,
                retimer: Arc::clone(&retimer),
            });
        }
    }
    scenes.sort_by_key(|scene| scene.happened);
    let (Some(first), Some(end)) =
        (scenes.first().map(|scene| scene.happened), scenes.last().map(|scene| scene.happened))
    else {
        return Ok(scenes);
    };
    let length = end.since(first);
    let factor = if length > story.within { story.within.as_secs_f64() / length.as_secs_f64() } else { 1.0 };
    for scene in &mut scenes {
        scene.offset = scene.happened.since(first).mul_f64(factor);
    }
    Ok(scenes)
}
