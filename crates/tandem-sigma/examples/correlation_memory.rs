//! What correlation groups cost: memory and CPU time for a million groups.
//!
//! `cargo run --release -p tandem-sigma --example correlation_memory [groups] [events per group]`

#![expect(clippy::print_stdout, reason = "an example prints")]

use std::sync::Arc;

use tandem_sigma::{
    Arrival, CorrelationPlan, CorrelationSettings, CorrelationState, EventId, Hit, Loader, MapEvent, RuleSetBuilder,
};

const RULES: &str = "
title: Failed sign-in
name: failed
logsource: {product: test}
detection: {selection: {outcome: failure}, condition: selection}
---
title: Many failed sign-ins
correlation: {type: event_count, rules: [failed], group-by: [address, user], timespan: 1h, condition: {gte: 10}}
---
title: Many users
correlation: {type: value_count, rules: [failed], group-by: [address], timespan: 1h, condition: {gte: 10, field: user}}
";

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|text| text.parse::<u64>().ok());
    let groups = numbers.next().unwrap_or(1_000_000);
    let events_per_group = numbers.next().unwrap_or(4);

    let mut builder = RuleSetBuilder::new(Loader::new());
    builder.add("example.yml", RULES);
    let (set, problems) = builder.build();
    assert!(problems.is_empty(), "{problems:?}");
    let settings = CorrelationSettings { memory_bytes_max: 4 << 30, ..CorrelationSettings::default() };
    let mut state = CorrelationState::new(Arc::new(CorrelationPlan::new(&set)), settings, [1, 2]);

    // Half of the groups are in each of the two correlations: one user an address.
    let addresses = groups / 2;
    let (memory_before, cpu_before) = (resident_bytes(), cpu_ticks());
    let mut out = Vec::new();
    for round in 0..events_per_group {
        for address in 0..addresses {
            let number = round * addresses + address;
            let text = format!("10.{}.{}.{}", address >> 16, address >> 8 & 255, address & 255);
            let event =
                MapEvent::new().with("address", text.as_str()).with("user", "corp\\kim").with("outcome", "failure");
            let arrival = Arrival::at(EventId::at(number), 1_700_000_000_000 + (number * 1000 / addresses) as i64);
            state.observe(&arrival, &[Hit { rule: 0, event: &event }], &mut out);
        }
    }
    let events = addresses * events_per_group;
    let memory = resident_bytes() - memory_before;
    println!("{} groups of {events_per_group} events, {} fired", state.group_count(), out.len());
    println!(
        "resident: {} MiB, {} bytes a group; by the state's own count {} MiB",
        memory >> 20,
        memory / state.group_count() as u64,
        state.memory_bytes() >> 20
    );
    println!(
        "CPU: {:.2} µs for each of {events} events (making the event and two correlations)",
        (cpu_ticks() - cpu_before) as f64 * 10_000.0 / events as f64
    );
    let cpu_before = cpu_ticks();
    let bytes = state.snapshot();
    println!(
        "snapshot: {} MiB, {} bytes a group, {:.2} s CPU",
        bytes.len() >> 20,
        bytes.len() / state.group_count(),
        (cpu_ticks() - cpu_before) as f64 / 100.0
    );
    let cpu_before = cpu_ticks();
    let plan = Arc::clone(state.plan());
    drop(state);
    let restored = CorrelationState::restore(plan, settings, &bytes);
    let (restored, _) = restored.expect("what was just written can be read");
    println!("restored {} groups, {:.2} s CPU", restored.group_count(), (cpu_ticks() - cpu_before) as f64 / 100.0);
}

/// Resident memory of this process, from `/proc` (pages of 4 KiB).
fn resident_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4096
}

/// User and system time of this process in hundredths of a second, from `/proc`.
fn cpu_ticks() -> u64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let behind_name = text.rsplit(')').next().unwrap_or_default();
    behind_name.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum()
}
