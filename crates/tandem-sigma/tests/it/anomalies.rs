//! The state of anomaly rules against slow and obvious ones that look at all events at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use proptest::prelude::*;
use tandem_sigma::{
    AnomalyMatch, AnomalySettings, AnomalyState, Arrival, EventId, Hit, Loader, MapEvent, Restored, RuleSet,
    RuleSetBuilder,
};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;

const SECTIONS: [&str; 6] = [
    "{type: first_seen, group-by: [user], field: country, learn: 2d, window: 10d}",
    "{type: new_pair, field: [user, host], learn: 3d, window: 20d}",
    "{type: rare, group-by: [host], field: country, learn: 1d, window: 20d, share: 10, minimum: 8}",
    "{type: volume, group-by: [host], learn: 2w, window: 4w, minimum: 3, factor: 2}",
    "{type: unusual_time, group-by: [user], learn: 2w, window: 3w, minimum: 4}",
    "{type: impossible_travel, group-by: [user], field: [lat, lon], window: 2d}",
];

fn rule_set() -> RuleSet {
    static SET: LazyLock<RuleSet> = LazyLock::new(|| {
        let mut builder = RuleSetBuilder::new(Loader::new());
        for (number, section) in SECTIONS.iter().enumerate() {
            let text = format!("title: Anomaly {number}\nlogsource: {{product: test}}\nanomaly: {section}\n");
            builder.add("anomalies.yml", &text);
        }
        let (set, problems) = builder.build();
        assert!(problems.is_empty(), "{problems:#?}");
        set
    });
    SET.clone()
}

const COUNTRIES: [&str; 4] = ["de", "fr", "us", "jp"];
/// Berlin, Paris, New York, Tokyo.
const PLACES: [(f64, f64); 4] = [(52.52, 13.40), (48.86, 2.35), (40.71, -74.01), (35.68, 139.69)];
/// Kilometres between them, as atlases have it, to the nearest ten.
const WAYS: [[f64; 4]; 4] = [
    [0.0, 880.0, 6380.0, 8910.0],
    [880.0, 0.0, 5840.0, 9710.0],
    [6380.0, 5840.0, 0.0, 10_850.0],
    [8910.0, 9710.0, 10_850.0, 0.0],
];

#[derive(Clone, Copy, Debug)]
struct Seen {
    time: i64,
    user: u8,
    host: u8,
    country: usize,
}

fn event(seen: &Seen) -> MapEvent {
    let (lat, lon) = PLACES[seen.country];
    MapEvent::new()
        .with("user", format!("user{}", seen.user).as_str())
        .with("host", format!("HOST{}", seen.host).as_str())
        .with("country", COUNTRIES[seen.country])
        .with("lat", lat.to_string().as_str())
        .with("lon", lon.to_string().as_str())
}

fn take(state: &mut AnomalyState, number: usize, seen: &Seen, out: &mut Vec<AnomalyMatch>) {
    let event = event(seen);
    let hits: Vec<Hit<'_>> = (0..SECTIONS.len()).map(|rule| Hit { rule, event: &event }).collect();
    state.observe(&Arrival::at(EventId::at(number as u64), seen.time), &hits, out);
}

/// Steps from minutes to days, so that hours fill up and weeks go by.
fn stream() -> impl Strategy<Value = Vec<Seen>> {
    let step = prop_oneof![6 => 1..20_i64, 3 => 60..600_i64, 2 => 1000..5000_i64, 1 => 8000..20_000_i64];
    let country = prop_oneof![8 => Just(0_usize), 2 => Just(1), 1 => Just(2), 1 => Just(3)];
    prop::collection::vec((step, 0..2_u8, 0..2_u8, country), 1..200).prop_map(|steps| {
        let mut time = 1_700_000_000_000;
        let next = |(step, user, host, country): (i64, u8, u8, usize)| {
            time += step * 60_000 + 1;
            Seen { time, user, host, country }
        };
        steps.into_iter().map(next).collect()
    })
}

fn groups<K: Ord>(events: &[Seen], window: i64, key: impl Fn(&Seen) -> K) -> Vec<Vec<(usize, Seen)>> {
    let mut open: BTreeMap<K, Vec<(usize, Seen)>> = BTreeMap::new();
    let mut done = Vec::new();
    for (number, seen) in events.iter().enumerate() {
        let group = open.entry(key(seen)).or_default();
        // A group without events for its whole window begins anew.
        if group.last().is_some_and(|(_, last)| seen.time - last.time > window) {
            done.push(std::mem::take(group));
        }
        group.push((number, *seen));
    }
    done.extend(open.into_values());
    done
}

fn oracle(events: &[Seen]) -> BTreeSet<(usize, usize)> {
    let mut found = BTreeSet::new();
    for group in groups(events, 10 * DAY, |seen| seen.user) {
        for (at, (number, seen)) in group.iter().enumerate() {
            let known =
                group[..at].iter().any(|(_, old)| old.country == seen.country && old.time >= seen.time - 10 * DAY);
            if !known && seen.time - group[0].1.time >= 2 * DAY {
                found.insert((0, *number));
            }
        }
    }
    for group in groups(events, 20 * DAY, |_| ()) {
        for (at, (number, seen)) in group.iter().enumerate() {
            let recent = || group[..at].iter().filter(|(_, old)| old.time >= seen.time - 20 * DAY);
            let user = recent().any(|(_, old)| old.user == seen.user);
            let host = recent().any(|(_, old)| old.host == seen.host);
            let both = recent().any(|(_, old)| old.user == seen.user && old.host == seen.host);
            if user && host && !both && seen.time - group[0].1.time >= 3 * DAY {
                found.insert((1, *number));
            }
        }
    }
    rare(events, &mut found);
    volume(events, &mut found);
    for group in groups(events, 3 * WEEK, |seen| seen.user) {
        let place = |seen: &Seen| {
            let since_monday = seen.time + 3 * DAY;
            (since_monday / WEEK, since_monday % WEEK / HOUR)
        };
        for (at, (number, seen)) in group.iter().enumerate() {
            let (week, hour) = place(seen);
            let active: BTreeSet<(i64, i64)> =
                group[..at].iter().map(|(_, old)| place(old)).filter(|(old, _)| week - old < 3).collect();
            let near = active.iter().any(|(_, old)| [0, 1, 167].contains(&((old - hour).rem_euclid(168))));
            if !near && active.len() >= 4 && seen.time - group[0].1.time >= 2 * WEEK {
                found.insert((4, *number));
            }
        }
    }
    for group in groups(events, 2 * DAY, |seen| seen.user) {
        let mut silent_until = 0;
        for pair in group.windows(2) {
            let [(_, from), (number, to)] = pair else { continue };
            let km = WAYS[from.country][to.country];
            let hours = (to.time - from.time) as f64 / HOUR as f64;
            if km >= 300.0 && km / hours > 900.0 && to.time >= silent_until {
                found.insert((5, *number));
                silent_until = to.time + HOUR;
            }
        }
    }
    found
}

/// Whether a way is made so nearly at the limit of 900 km/h that the ways' ten kilometres decide.
fn is_on_the_limit(events: &[Seen]) -> bool {
    groups(events, 2 * DAY, |seen| seen.user).iter().any(|group| {
        group.windows(2).any(|pair| {
            let [(_, from), (_, to)] = pair else { return false };
            let hours = (to.time - from.time) as f64 / HOUR as f64;
            (0.98..1.02).contains(&(WAYS[from.country][to.country] / hours / 900.0))
        })
    })
}

/// Counts over the running half of the window and the one before.
fn rare(events: &[Seen], found: &mut BTreeSet<(usize, usize)>) {
    for group in groups(events, 20 * DAY, |seen| seen.host) {
        let (mut began, mut from) = (group[0].1.time, 0);
        let mut middle = 0;
        let mut reported: Vec<(usize, usize)> = Vec::new();
        for (at, (number, seen)) in group.iter().enumerate() {
            if seen.time - began >= 20 * DAY {
                (began, from, middle) = (seen.time, at, at);
            } else if seen.time - began >= 10 * DAY {
                began += 10 * DAY;
                (from, middle) = (middle, at);
            }
            let counted = &group[from..=at];
            let same = counted.iter().filter(|(_, old)| old.country == seen.country).count();
            let told = reported.iter().any(|(place, country)| *place >= from && *country == seen.country);
            let learnt = seen.time - group[0].1.time >= DAY;
            if learnt && counted.len() >= 8 && same * 100 <= 10 * counted.len() && !told {
                found.insert((2, *number));
                reported.push((at, seen.country));
            }
        }
    }
}

fn volume(events: &[Seen], found: &mut BTreeSet<(usize, usize)>) {
    let median = |mut numbers: Vec<f64>| {
        numbers.sort_by(f64::total_cmp);
        let half = numbers.len() / 2;
        if numbers.len() % 2 == 1 { numbers[half] } else { numbers[half - 1].midpoint(numbers[half]) }
    };
    for group in groups(events, 4 * WEEK, |seen| seen.host) {
        let mut told = BTreeSet::new();
        for (at, (number, seen)) in group.iter().enumerate() {
            let hour = seen.time / HOUR;
            let amount = |hour: i64| group[..=at].iter().filter(|(_, old)| old.time / HOUR == hour).count() as f64;
            let first = group[0].1.time / HOUR;
            let earlier: Vec<f64> =
                (1..=4).map(|week| hour - week * 168).filter(|hour| *hour >= first).map(amount).collect();
            if earlier.is_empty() || seen.time - group[0].1.time < 2 * WEEK || amount(hour) < 3.0 {
                continue;
            }
            let middle = median(earlier.clone());
            let spread = median(earlier.iter().map(|amount| (amount - middle).abs()).collect());
            let usual = middle + 2.0 * (1.4826 * spread).max(middle / 10.0).max(1.0);
            if amount(hour) > usual && told.insert(hour) {
                found.insert((3, *number));
            }
        }
    }
}

proptest! {
    #![proptest_config(crate::correlations::config())]

    #[test]
    fn anomalies_are_those_of_the_oracle(events in stream()) {
        prop_assume!(!is_on_the_limit(&events));
        let set = rule_set();
        let mut state = AnomalyState::new(set.anomalies(), AnomalySettings::default(), [5, 6]);
        let mut out = Vec::new();
        for (number, seen) in events.iter().enumerate() {
            take(&mut state, number, seen, &mut out);
        }
        let found: BTreeSet<(usize, usize)> = out.iter().map(|one| (one.anomaly, one.event.offset as usize)).collect();
        prop_assert_eq!(found.len(), out.len(), "nothing is found twice");
        let wanted = oracle(&events);
        prop_assert_eq!(found, wanted);
        for one in out {
            prop_assert!(one.value > one.limit || one.anomaly == 2, "{:?}", one);
            prop_assert_eq!(one.events.last(), Some(&one.event));
        }
    }

    /// Snapshot and restore anywhere, with disorder and little memory: as if nothing had happened.
    #[test]
    fn anomalies_survive_a_restart(
        events in stream(),
        jitter in prop::collection::vec(-5 * HOUR..5 * HOUR, 200),
        cut in any::<prop::sample::Index>(),
        memory in 200..6000_usize,
    ) {
        let set = rule_set();
        let settings = AnomalySettings { memory_bytes_max: memory, values_per_group_max: 3, ..AnomalySettings::default() };
        let mut whole = AnomalyState::new(set.anomalies(), settings, [5, 6]);
        let mut parts = whole.clone();
        let cut = cut.index(events.len());
        let (mut out, mut out_parts) = (Vec::new(), Vec::new());
        for (number, seen) in events.iter().enumerate() {
            if number == cut {
                let bytes = parts.snapshot();
                let (restored, told) = AnomalyState::restore(set.anomalies(), settings, &bytes).unwrap();
                prop_assert_eq!(told, Restored::default());
                prop_assert_eq!(restored.snapshot(), bytes);
                prop_assert_eq!(restored.memory_bytes(), parts.memory_bytes());
                parts = restored;
            }
            let seen = Seen { time: seen.time + jitter[number], ..*seen };
            take(&mut whole, number, &seen, &mut out);
            take(&mut parts, number, &seen, &mut out_parts);
            prop_assert!(whole.memory_bytes() <= memory);
        }
        prop_assert_eq!(out, out_parts);
        prop_assert_eq!(whole.snapshot(), parts.snapshot());
        prop_assert_eq!(whole.counters(), parts.counters());
    }

    #[test]
    fn damaged_anomaly_snapshots_are_answered(events in stream(), at in any::<prop::sample::Index>(), byte: u8, cut: bool) {
        let set = rule_set();
        let mut state = AnomalyState::new(set.anomalies(), AnomalySettings::default(), [5, 6]);
        for (number, seen) in events.iter().enumerate() {
            take(&mut state, number, seen, &mut Vec::new());
        }
        let mut bytes = state.snapshot();
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] = byte }
        if let Ok((mut state, _)) = AnomalyState::restore(set.anomalies(), AnomalySettings::default(), &bytes) {
            for (number, seen) in events.iter().enumerate() {
                take(&mut state, number, seen, &mut Vec::new());
            }
        }
    }
}

/// Each kind says in a sentence what was found.
#[test]
fn anomalies_in_words() {
    let set = rule_set();
    let mut state = AnomalyState::new(set.anomalies(), AnomalySettings::default(), [5, 6]);
    let mut out = Vec::new();
    let monday_morning = 1_700_000_000_000 / WEEK * WEEK + 4 * DAY + 8 * HOUR;
    let mut number = 0;
    let mut at = |time: i64, user: u8, host: u8, country: usize, out: &mut Vec<AnomalyMatch>| {
        take(&mut state, number, &Seen { time, user, host, country }, out);
        number += 1;
    };
    for day in 0..18 {
        for hour in 0..4 {
            at(monday_morning + day * DAY + hour * HOUR, (hour % 2) as u8, (hour % 2) as u8, 0, &mut out);
        }
    }
    assert_eq!(out, []);
    let night = monday_morning + 18 * DAY + 14 * HOUR;
    at(night, 0, 1, 0, &mut out);
    at(night + 60_000, 0, 0, 3, &mut out);
    at(night + 120_000, 0, 0, 0, &mut out);
    at(night + 180_000, 0, 0, 0, &mut out);
    let words: Vec<&str> = out.iter().map(|one| one.words.as_str()).collect();
    assert_eq!(
        words,
        [
            "user = user0 and host = HOST1 are both known here, but were not seen together in the last 20 days",
            "activity for user = user0 on Friday at 22 h UTC, an hour of the week without any in the last 3 weeks, nor beside it",
            "country = jp was not seen for user = user0 in the last 10 days",
            "country = jp is in 1 of 37 events for host = HOST0 in the last 20 days, at most 10 %",
            "events for user = user0 at 52.52, 13.4 and at 35.68, 139.69, 8917 km apart, within 1 minutes: 535030 km/h, at most 900 are possible",
            "3 events for host = HOST0 in this hour; in the same hour of 2 earlier weeks the median is 0, and up to 2 is usual",
        ]
    );
}
