//! The Sigma engine beside `rsigma-eval` in its fastest mode: same rules, same events, same routing, one thread,
//! CPU time, JSON parsing included on both sides, in turns.

mod compare;
mod json;
mod measure;
mod ours;
mod rules;
mod shape;
mod theirs;

use anyhow::{Context, Result, bail};
use measure::{Best, cpu_seconds, resident_mib};
use ours::Ours;
use rules::RuleTexts;
use theirs::Theirs;

/// The same allocator for both sides (and for every other bench of this program).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const HELP: &str = "\
usage: sigma [--format json] [--passes N] [--alone] [--mix NAME]   events of one core, beside rsigma-eval
       sigma shape       cold memory, text that never repeats, columns, two threads, what each part takes";

const MIXES: [&str; 3] = ["as-is", "balanced", "process-creation"];

struct Options {
    json: bool,
    passes: usize,
    alone: bool,
    mix: Option<String>,
}

/// `cargo xtask bench sigma …`.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    if arguments.first().map(String::as_str) == Some("shape") {
        return shape::run();
    }
    let mut options = Options { json: false, passes: 3, alone: false, mix: None };
    let mut rest = arguments.iter().map(String::as_str);
    while let Some(argument) = rest.next() {
        match argument {
            "--format" if rest.next() == Some("json") => options.json = true,
            "--passes" => options.passes = rest.next().context(HELP)?.parse().context(HELP)?,
            "--alone" => options.alone = true,
            "--mix" => options.mix = Some(rest.next().context(HELP)?.to_owned()),
            _ => bail!("{HELP}"),
        }
    }
    compare_mixes(&options)
}

fn compare_mixes(options: &Options) -> Result<()> {
    let corpora = crate::corpora()?;
    let texts = RuleTexts::read(&corpora)?;
    let before = (cpu_seconds(), resident_mib());
    let ours = Ours::load(&texts)?;
    let loaded = (cpu_seconds(), resident_mib());
    eprintln!(
        "Tandem: {} rules of {} files in {:.3} CPU s, {:.1} MiB more",
        ours.rule_count(),
        texts.len(),
        loaded.0 - before.0,
        loaded.1 - before.1
    );
    let theirs = if options.alone { None } else { Some(Theirs::load(&texts)?) };
    if let Some(theirs) = &theirs {
        eprintln!(
            "rsigma-eval: {} rules in {:.3} CPU s, {:.1} MiB more",
            theirs.rule_count(),
            cpu_seconds() - loaded.0,
            resident_mib() - loaded.1
        );
    }
    let mut report = Vec::new();
    for mix in MIXES.into_iter().filter(|mix| options.mix.as_deref().is_none_or(|wanted| wanted == *mix)) {
        report.push(compare_mix(mix, options, &corpora, &ours, theirs.as_ref())?);
    }
    if options.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    }
    Ok(())
}

fn compare_mix(
    mix: &str,
    options: &Options,
    corpora: &std::path::Path,
    ours: &Ours,
    theirs: Option<&Theirs>,
) -> Result<serde_json::Value> {
    let path = corpora.join("otrf-bench").join(format!("{mix}.jsonl"));
    let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    let (mut best, mut peer) = (Best::default(), Best::default());
    let (mut found, mut found_by_peer) = (Vec::new(), Vec::new());
    let mut memo_mib = 0.0;
    for _ in 0..options.passes {
        let run = ours.run(&lines, ours::Routing::OneCategory)?;
        best.note(run.seconds);
        memo_mib = run.session_bytes as f64 / f64::from(1 << 20);
        found = run.hits;
        if let Some(theirs) = theirs {
            let run = theirs.run(&lines)?;
            peer.note(run.seconds);
            found_by_peer = run.hits;
        }
    }
    let count = lines.len() as f64;
    let (rate, peer_rate) = (count / best.seconds(), count / peer.seconds());
    let whole = ours.run(&lines, ours::Routing::AllCategories)?;
    eprintln!(
        "\n{mix}: {count} events, {:.0} events/s ({:.2} µs), rsigma-eval {peer_rate:.0} ({:.2} µs), ratio {:.2}; \
         hits {}, rsigma-eval {}; spread {:.0} % and {:.0} %; the session remembers {memo_mib:.1} MiB; \
         with all categories of an event: {:.0} events/s, {} hits",
        rate,
        1e6 / rate,
        1e6 / peer_rate,
        rate / peer_rate,
        found.len(),
        found_by_peer.len(),
        best.spread_percent(),
        peer.spread_percent(),
        count / whole.seconds,
        whole.hits.len()
    );
    if theirs.is_some() {
        compare::print(&lines, ours, &found, &found_by_peer);
    }
    Ok(serde_json::json!({
        "mix": mix,
        "events_per_core_s": rate.round(),
        "rsigma_events_per_core_s": peer_rate.round(),
        "ratio_to_rsigma": (rate / peer_rate * 100.0).round() / 100.0,
        "hits": found.len(),
    }))
}
