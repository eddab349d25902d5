//! What indicators cost: memory of a million, CPU time of a look-up.
//!
//! `cargo run --release -p tandem-sigma --example indicator_cost [indicators]`

#![expect(clippy::print_stdout, reason = "an example prints")]

use tandem_sigma::{Indicator, IndicatorKind, IndicatorSetBuilder};

fn main() {
    let count = std::env::args().nth(1).and_then(|text| text.parse::<u64>().ok()).unwrap_or(1_000_000);
    let (memory_before, cpu_before) = (resident_bytes(), cpu_ticks());
    let mut builder = IndicatorSetBuilder::new([1, 2]);
    for number in 0..count {
        let (kind, value) = indicator(number);
        let indicator = Indicator { kind, value: &value, source: "example", expires_ms: Some(2_000_000_000_000) };
        builder.add(&indicator).expect("the values are good");
    }
    let set = builder.build();
    println!(
        "{} indicators: {} MiB ({:.1} bytes each), resident {} MiB, built in {:.2} s CPU",
        set.len(),
        set.memory_bytes() >> 20,
        set.memory_bytes() as f64 / set.len() as f64,
        (resident_bytes() - memory_before) >> 20,
        (cpu_ticks() - cpu_before) as f64 / 100.0
    );
    for (name, kind) in IndicatorKind::ALL {
        // Half of the values are indicators, in an order that no cache foresees.
        let of_kind: Vec<String> = (0..400_000_u64)
            .map(|number| number.wrapping_mul(0x9e37_79b9_7f4a_7c15) % (2 * count))
            .map(|number| number - number % 5 + kind_number(kind))
            .map(|number| indicator(number).1.replace(".0/24", ".9"))
            .collect();
        let cpu_before = cpu_ticks();
        let mut found = 0;
        for _ in 0..5 {
            found += of_kind.iter().filter(|value| set.find(kind, value, 1_900_000_000_000).is_some()).count();
        }
        let ns = (cpu_ticks() - cpu_before) as f64 * 10_000_000.0 / (5 * of_kind.len()) as f64;
        println!("{name}: {ns:.0} ns a look-up, {} % found", 100 * found / (5 * of_kind.len()));
    }
}

fn kind_number(kind: IndicatorKind) -> u64 {
    IndicatorKind::ALL.iter().position(|(_, known)| *known == kind).unwrap_or(0) as u64
}

fn indicator(number: u64) -> (IndicatorKind, String) {
    let (_, kind) = IndicatorKind::ALL[(number % 5) as usize];
    let value = match kind {
        IndicatorKind::Address if number.is_multiple_of(50) => {
            format!("172.{}.{}.0/24", number >> 16 & 255, number >> 8 & 255)
        }
        IndicatorKind::Address => {
            format!("{}.{}.{}.{}", 1 + (number >> 24), number >> 16 & 255, number >> 8 & 255, number & 255)
        }
        IndicatorKind::Domain => format!("host{number}.evil{}.example", number % 1000),
        IndicatorKind::Url => format!("http://site{}.example/download/{number}/setup.exe?x=1", number % 1000),
        IndicatorKind::Hash => format!("{number:064x}"),
        IndicatorKind::Mail => format!("user{number}@mail{}.example", number % 1000),
    };
    (kind, value)
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
