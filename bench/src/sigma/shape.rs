//! What the speed depends on: memory of values, columns, threads, hostile rules and events.

use anyhow::{Context, Result};
use std::collections::HashMap;
use std::sync::Arc;
use tandem_sigma::{Column, Engine, LogType, Rule, Session, Value, parse_rules};

use super::json::decode;
use super::measure::{cpu_seconds, resident_mib, wall_seconds};
use super::ours::{Ours, Routes, Routing, evaluate};
use super::rules::RuleTexts;

pub(crate) fn run() -> Result<()> {
    let corpora = crate::corpora()?;
    let texts = RuleTexts::read(&corpora)?;
    let (cpu, memory) = (cpu_seconds(), resident_mib());
    let ours = Ours::load(&texts)?;
    println!("load: {:.3} CPU s, {:.1} MiB", cpu_seconds() - cpu, resident_mib() - memory);
    for mix in super::MIXES {
        let path = corpora.join("otrf-bench").join(format!("{mix}.jsonl"));
        let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
        println!("\n{mix}: {} events", lines.len());
        walk_only(&lines)?;
        sessions(&ours, &lines)?;
        unlike(&ours, &lines)?;
        columns(&ours, &lines);
        threads(&ours, &lines)?;
        costs(&ours, &lines)?;
    }
    println!("\nall automata built: {:.1} MiB more than before loading", resident_mib() - memory);
    hostile_rules()
}

fn say(what: &str, events: usize, seconds: f64) {
    println!("  {what}: {:.0} events/s, {:.2} µs", events as f64 / seconds, seconds * 1e6 / events as f64);
}

fn timed(work: impl FnOnce() -> Result<()>) -> Result<f64> {
    let begin = cpu_seconds();
    work()?;
    Ok(cpu_seconds() - begin)
}

/// The JSON walk without any rule.
fn walk_only(lines: &[&str]) -> Result<()> {
    let engine = Arc::new(Engine::builder().build());
    let mut session = Session::new(Arc::clone(&engine));
    let mut routes = Routes::new(&engine, Routing::OneCategory);
    let seconds = timed(|| lines.iter().try_for_each(|line| evaluate(&mut session, &mut routes, line).map(|_| ())))?;
    say("JSON walk, no rules", lines.len(), seconds);
    Ok(())
}

/// A session of its own, and the same lines again in the same session.
fn sessions(ours: &Ours, lines: &[&str]) -> Result<()> {
    let mut session = Session::new(Arc::clone(&ours.engine));
    let mut routes = Routes::new(&ours.engine, Routing::OneCategory);
    for what in ["nothing remembered at the start", "all seen before"] {
        let seconds =
            timed(|| lines.iter().try_for_each(|line| evaluate(&mut session, &mut routes, line).map(|_| ())))?;
        say(what, lines.len(), seconds);
    }
    let mut seconds = 0.0;
    for chunk in lines.chunks(64) {
        session.forget();
        seconds += timed(|| chunk.iter().try_for_each(|line| evaluate(&mut session, &mut routes, line).map(|_| ())))?;
    }
    say("everything forgotten every 64 events", lines.len(), seconds);
    Ok(())
}

/// Every text value made unlike all others: nothing can be remembered.
fn unlike(ours: &Ours, lines: &[&str]) -> Result<()> {
    let count = lines.len().min(20_000);
    let made: Vec<String> = lines[..count]
        .iter()
        .enumerate()
        .map(|(number, line)| {
            let mut object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).unwrap_or_default();
            for (place, (name, value)) in object.iter_mut().enumerate() {
                if let (Some(text), false) = (value.as_str(), name == "Channel") {
                    *value = format!("{text}~{number}.{place}").into();
                }
            }
            serde_json::Value::Object(object).to_string()
        })
        .collect();
    let lines: Vec<&str> = made.iter().map(String::as_str).collect();
    let run = ours.run(&lines, Routing::OneCategory)?;
    say("every text value new", count, run.seconds);
    Ok(())
}

/// The same events as columns with dictionaries, 8,192 rows at a time, one log type at a time.
fn columns(ours: &Ours, lines: &[&str]) {
    let mut by_type: HashMap<LogType<'static>, Vec<usize>> = HashMap::new();
    let parsed: Vec<HashMap<String, Value<'static>>> = lines.iter().map(|line| owned_fields(line)).collect();
    for (number, fields) in parsed.iter().enumerate() {
        let text = |name: &str| fields.get(name).and_then(Value::text).unwrap_or_default().into_owned();
        let channel = format!("\"{}\"", text("Channel"));
        let types = super::ours::types(&channel, &text("EventID"), Routing::OneCategory);
        by_type.entry(types[0]).or_default().push(number);
    }
    let mut session = Session::new(Arc::clone(&ours.engine));
    let (mut rows_total, mut hits, mut seconds) = (0, 0, 0.0);
    for (log_type, rows) in &by_type {
        let route = ours.engine.route(&[*log_type]);
        for rows in rows.chunks(8192) {
            let mut names: Vec<&str> = rows.iter().flat_map(|row| parsed[*row].keys().map(String::as_str)).collect();
            names.sort_unstable();
            names.dedup();
            let made: Vec<(Vec<Value<'_>>, Vec<u32>)> =
                names.iter().map(|name| dictionary(&parsed, rows, name)).collect();
            let columns: Vec<Column<'_>> =
                names.iter().zip(&made).map(|(name, (values, places))| Column { name, values, places }).collect();
            let begin = cpu_seconds();
            session.evaluate_columns(&route, rows.len(), &columns, &mut |_, rules| hits += rules.len());
            seconds += cpu_seconds() - begin;
            rows_total += rows.len();
        }
    }
    say(&format!("columns with dictionaries, reading them not counted ({hits} hits)"), rows_total, seconds);
}

fn owned_fields(line: &str) -> HashMap<String, Value<'static>> {
    let mut fields = HashMap::new();
    for (name, value) in sonic_rs::to_object_iter(line).flatten() {
        let value = match decode(&value.as_raw_cow()) {
            Value::Str(text) => Value::Str(text.into_owned().into()),
            Value::Int(int) => Value::Int(int),
            Value::Uint(uint) => Value::Uint(uint),
            Value::Float(float) => Value::Float(float),
            Value::Bool(value) => Value::Bool(value),
            Value::Null => Value::Null,
            Value::List(_) | Value::Object => Value::Object,
        };
        fields.insert(name.into_owned(), value);
    }
    fields
}

fn dictionary<'p>(
    parsed: &'p [HashMap<String, Value<'static>>],
    rows: &[usize],
    name: &str,
) -> (Vec<Value<'p>>, Vec<u32>) {
    let mut values = Vec::new();
    let mut known: HashMap<String, u32> = HashMap::new();
    let places = rows.iter().map(|row| match parsed[*row].get(name) {
        None => Column::ABSENT,
        Some(value) => *known.entry(format!("{value:?}")).or_insert_with(|| {
            values.push(value.clone());
            values.len() as u32 - 1
        }),
    });
    let places = places.collect();
    (values, places)
}

fn nanos() -> u64 {
    (wall_seconds() * 1e9) as u64
}

/// The rules whose own tests take longest.
fn costs(ours: &Ours, lines: &[&str]) -> Result<()> {
    let mut session = Session::new(Arc::clone(&ours.engine));
    session.measure(nanos);
    let mut routes = Routes::new(&ours.engine, Routing::OneCategory);
    lines.iter().try_for_each(|line| evaluate(&mut session, &mut routes, line).map(|_| ()))?;
    let mut costs = session.costs();
    let total: u64 = costs.iter().map(|cost| cost.nanos).sum();
    costs.sort_by_key(|cost| std::cmp::Reverse(cost.nanos));
    println!(
        "  tests asked one by one: {:.2} µs an event; the dearest rules:",
        total as f64 / 1e3 / lines.len() as f64
    );
    for cost in costs.iter().take(8) {
        let title = &ours.engine.rules()[cost.rule as usize].title;
        println!(
            "    {:.3} µs an event, decided {} times, fired {}: {title}",
            cost.nanos as f64 / 1e3 / lines.len() as f64,
            cost.decided,
            cost.fired
        );
    }
    Ok(())
}

/// Two threads with a session each, against one: wall time, as that is what a second core is for.
fn threads(ours: &Ours, lines: &[&str]) -> Result<()> {
    let run = |lines: &[&str]| ours.run(lines, Routing::OneCategory).map(|_| ());
    let begin = wall_seconds();
    run(lines)?;
    let one = wall_seconds() - begin;
    let begin = wall_seconds();
    std::thread::scope(|scope| -> Result<()> {
        let workers = [scope.spawn(|| run(lines)), scope.spawn(|| run(lines))];
        for worker in workers {
            worker.join().map_err(|_| anyhow::anyhow!("a thread panicked"))??;
        }
        Ok(())
    })?;
    let two = wall_seconds() - begin;
    println!("  two threads, each all events: {:.2} times the events per second of one (wall time)", 2.0 * one / two);
    Ok(())
}

/// A hundred thousand rules that mean nothing.
fn hostile_rules() -> Result<()> {
    let mut text = String::new();
    let mut rules: Vec<Arc<Rule>> = Vec::new();
    let (cpu, memory) = (cpu_seconds(), resident_mib());
    for number in 0..100_000_u32 {
        let mixed = number.wrapping_mul(0x9e37_79b9);
        text.clear();
        text.push_str(&format!(
            "title: N\nlogsource: {{product: windows}}\ndetection:\n  s:\n    f{}|contains: ['{mixed:x}', 'a*{number}*b']\n    \
             CommandLine|re: '{number}.*(x|y)+z'\n  t:\n    EventID: {}\n  condition: s or not t\n",
            mixed % 5000,
            number % 70_000
        ));
        rules.extend(parse_rules("n", &text).0.into_iter().map(Arc::new));
    }
    let parsed = cpu_seconds();
    let engine = Arc::new(Engine::builder().with_rules(rules).build());
    let built = cpu_seconds();
    println!(
        "\n100,000 nonsense rules: parsed in {:.1} CPU s, compiled in {:.1}, {:.0} MiB",
        parsed - cpu,
        built - parsed,
        resident_mib() - memory
    );
    let route = engine.route(&[LogType { product: Some("windows"), category: None, service: None }]);
    let mut session = Session::new(engine);
    let long = "x123y".repeat(200_000);
    for (what, fields) in [
        ("an event that fires most of them", vec![("EventID", "1"), ("CommandLine", "cmd /c 123")]),
        ("one with a value of 1 MB", vec![("EventID", "2"), ("CommandLine", long.as_str())]),
        ("the first again", vec![("EventID", "1"), ("CommandLine", "cmd /c 123")]),
    ] {
        let event = fields.iter().fold(tandem_sigma::MapEvent::new(), |event, (name, value)| event.with(name, *value));
        let begin = cpu_seconds();
        let fired = session.evaluate(&route, &event).len();
        println!("  {what}: {:.1} ms, {fired} rules fire", (cpu_seconds() - begin) * 1e3);
    }
    println!("  afterwards {:.0} MiB", resident_mib() - memory);
    Ok(())
}
