//! What is remembered of one group, and what an event is to it.

use std::collections::HashMap;

use super::rule::{Anomaly, AnomalyKind};
use crate::arrival::EventId;
use crate::hash::BuildAsIs;

pub(super) const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
const WEEK_MS: i64 = 7 * DAY_MS;
pub(super) const HOURS_OF_WEEK: usize = 168;
/// Places of a group that are remembered.
const PLACES_MAX: usize = 4;
/// After an impossible journey a group is silent for so long.
const TRAVEL_SILENCE_MS: i64 = HOUR_MS;

/// The memory of a group by the type of its rule.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Memory {
    /// When each value was seen last.
    Seen(HashMap<u64, i64, BuildAsIs>),
    /// How often each value came, in this half of the window and in the one before.
    Counts(Counts),
    /// How much there was in each hour since 1970, in the order of time.
    Hours(Vec<Hour>),
    /// For each hour of the week the weeks in which there was activity: bit 0 is the week `week`.
    Week { week: i64, active: Box<[u8; HOURS_OF_WEEK]> },
    /// The latest places, in the order of time.
    Places { places: Vec<Place>, silent_until: i64 },
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Counts {
    pub(super) began: i64,
    pub(super) now: Half,
    pub(super) before: Half,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Half {
    pub(super) total: u64,
    /// Count and whether it was reported.
    pub(super) values: HashMap<u64, (u32, bool), BuildAsIs>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Hour {
    /// Hours since 1970.
    pub(super) number: i64,
    pub(super) amount: f64,
    pub(super) fired: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Place {
    pub(super) time: i64,
    pub(super) id: EventId,
    pub(super) latitude: f64,
    pub(super) longitude: f64,
}

/// What an event brings.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Brought {
    /// The hash of a value.
    Value(u64),
    /// Hashes of the left and the right value, and of both.
    Pair([u64; 3]),
    /// How much it adds.
    Amount(f64),
    /// Only that it is there.
    Presence,
    /// Coordinates in degrees.
    Place(f64, f64),
}

/// Why an event is unusual.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Unusual {
    New,
    Rare { count: u32, total: u64 },
    Volume { amount: f64, median: f64, limit: f64, weeks: usize },
    Hour { weeks: u32 },
    Travel { from: Place, km: f64, kmh: f64 },
}

impl Memory {
    pub(super) fn new(kind: AnomalyKind) -> Self {
        match kind {
            AnomalyKind::FirstSeen | AnomalyKind::NewPair => Self::Seen(HashMap::default()),
            AnomalyKind::Rare => Self::Counts(Counts { began: i64::MIN, ..Counts::default() }),
            AnomalyKind::Volume => Self::Hours(Vec::new()),
            AnomalyKind::UnusualTime => Self::Week { week: i64::MIN, active: Box::new([0; HOURS_OF_WEEK]) },
            AnomalyKind::ImpossibleTravel => Self::Places { places: Vec::new(), silent_until: i64::MIN },
        }
    }

    /// Entries, as a measure of memory.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Seen(seen) => seen.len() * 24,
            Self::Counts(counts) => (counts.now.values.len() + counts.before.values.len()) * 24,
            Self::Hours(hours) => hours.len() * size_of::<Hour>(),
            Self::Week { .. } => HOURS_OF_WEEK,
            Self::Places { places, .. } => places.len() * size_of::<Place>(),
        }
    }

    /// Takes an event, and answers whether it is unusual after what was there before. `first` is the time of
    /// the group's first event.
    pub(super) fn take(
        &mut self,
        anomaly: &Anomaly,
        (time, id): (i64, EventId),
        first: i64,
        brought: &Brought,
    ) -> Option<Unusual> {
        let window = span(anomaly.window.ms());
        let learnt = time.saturating_sub(first) >= span(anomaly.learn.ms());
        match (self, brought) {
            (Self::Seen(seen), Brought::Value(value)) => {
                let known = renew(seen, *value, time, window);
                (learnt && !known).then_some(Unusual::New)
            }
            (Self::Seen(seen), Brought::Pair(hashes)) => {
                let [left, right, both] = hashes.map(|hash| renew(seen, hash, time, window));
                (learnt && left && right && !both).then_some(Unusual::New)
            }
            (Self::Counts(counts), Brought::Value(value)) => counts.take(anomaly, time, *value, learnt),
            (Self::Hours(hours), Brought::Amount(amount)) => volume(hours, anomaly, time, first, *amount, learnt),
            (Self::Week { week, active }, Brought::Presence) => unusual_hour(week, active, anomaly, time, learnt),
            (Self::Places { places, silent_until }, Brought::Place(latitude, longitude)) => {
                let here = Place { time, id, latitude: *latitude, longitude: *longitude };
                let unusual = travel(places, anomaly, here, window);
                if unusual.is_none() || time < *silent_until {
                    return None;
                }
                *silent_until = time.saturating_add(TRAVEL_SILENCE_MS);
                unusual
            }
            _ => None,
        }
    }

    /// Forgets the values that were not seen for longest, if there are more than `most`.
    pub(super) fn bound(&mut self, most: usize) -> u64 {
        match self {
            Self::Seen(seen) if seen.len() > most => {
                let mut times: Vec<i64> = seen.values().copied().collect();
                let surplus = seen.len() - most + most / 4;
                let (_, newest_gone, _) = times.select_nth_unstable(surplus.min(seen.len()) - 1);
                let newest_gone = *newest_gone;
                let before = seen.len();
                seen.retain(|_, last| *last > newest_gone);
                (before - seen.len()) as u64
            }
            Self::Counts(counts) if counts.now.values.len() > most => {
                // A half that full has no rare values worth a report; it begins anew.
                let lost = counts.now.values.len() as u64;
                counts.before = std::mem::take(&mut counts.now);
                lost
            }
            _ => 0,
        }
    }
}

pub(super) fn span(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

/// Notes that a value was seen; tells whether it was known.
fn renew(seen: &mut HashMap<u64, i64, BuildAsIs>, value: u64, time: i64, window: i64) -> bool {
    match seen.get_mut(&value) {
        Some(last) => {
            let known = *last >= time.saturating_sub(window);
            *last = time.max(*last);
            known
        }
        None => {
            seen.insert(value, time);
            false
        }
    }
}

impl Counts {
    fn take(&mut self, anomaly: &Anomaly, time: i64, value: u64, learnt: bool) -> Option<Unusual> {
        let half = (span(anomaly.window.ms()) / 2).max(1);
        if self.began == i64::MIN || time.saturating_sub(self.began) >= 2 * half {
            *self = Self { began: time, ..Self::default() };
        } else if time.saturating_sub(self.began) >= half {
            self.before = std::mem::take(&mut self.now);
            self.began = self.began.saturating_add(half);
        }
        let (before_count, before_fired) = self.before.values.get(&value).copied().unwrap_or_default();
        let entry = self.now.values.entry(value).or_default();
        entry.0 = entry.0.saturating_add(1);
        self.now.total = self.now.total.saturating_add(1);
        let count = before_count.saturating_add(entry.0);
        let total = self.now.total.saturating_add(self.before.total);
        let is_rare = learnt
            && total >= u64::from(anomaly.minimum)
            && f64::from(count) * 100.0 <= anomaly.share_percent * total as f64
            && !entry.1
            && !before_fired;
        entry.1 |= is_rare;
        is_rare.then_some(Unusual::Rare { count, total })
    }
}

fn volume(
    hours: &mut Vec<Hour>,
    anomaly: &Anomaly,
    time: i64,
    first: i64,
    amount: f64,
    learnt: bool,
) -> Option<Unusual> {
    let hour = time.div_euclid(HOUR_MS);
    let at = match hours.binary_search_by_key(&hour, |known| known.number) {
        Ok(at) => at,
        Err(at) => {
            hours.insert(at, Hour { number: hour, amount: 0.0, fired: false });
            at
        }
    };
    hours[at].amount += amount;
    let weeks = span(anomaly.window.ms()) / WEEK_MS;
    let newest = hours.last().map_or(hour, |last| last.number);
    let oldest = newest - weeks * HOURS_OF_WEEK as i64;
    let Hour { amount, fired, .. } = hours[at];
    let first_hour = first.div_euclid(HOUR_MS);
    let mut samples: Vec<f64> = (1..=weeks)
        .map(|week| hour - week * HOURS_OF_WEEK as i64)
        .filter(|earlier| *earlier >= first_hour)
        .map(|earlier| match hours.binary_search_by_key(&earlier, |known| known.number) {
            Ok(at) => hours[at].amount,
            Err(_) => 0.0,
        })
        .collect();
    let is_much = learnt && !fired && !samples.is_empty() && amount >= f64::from(anomaly.minimum);
    let mut unusual = None;
    if is_much {
        let weeks = samples.len();
        let median = median_of(&mut samples);
        let mut distances: Vec<f64> = samples.iter().map(|sample| (sample - median).abs()).collect();
        let deviation = (1.4826 * median_of(&mut distances)).max(0.1 * median).max(1.0);
        let limit = median + anomaly.factor * deviation;
        if amount > limit {
            hours[at].fired = true;
            unusual = Some(Unusual::Volume { amount, median, limit, weeks });
        }
    }
    let gone = hours.partition_point(|known| known.number < oldest);
    hours.drain(..gone);
    unusual
}

fn median_of(numbers: &mut [f64]) -> f64 {
    numbers.sort_unstable_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    match numbers.len() {
        0 => 0.0,
        odd if odd % 2 == 1 => numbers[middle],
        _ => f64::midpoint(numbers[middle - 1], numbers[middle]),
    }
}

/// The week since 1970 (weeks begin on Monday) and the hour in it, both in UTC.
pub(super) fn week_and_hour(time: i64) -> (i64, usize) {
    // 1970 began on a Thursday.
    let since_monday = time.saturating_add(3 * DAY_MS);
    (since_monday.div_euclid(WEEK_MS), (since_monday.rem_euclid(WEEK_MS) / HOUR_MS) as usize)
}

fn unusual_hour(
    week: &mut i64,
    active: &mut [u8; HOURS_OF_WEEK],
    anomaly: &Anomaly,
    time: i64,
    learnt: bool,
) -> Option<Unusual> {
    let weeks = (anomaly.window.ms() / super::parse::WEEK_MS).clamp(1, super::parse::WEEKS_MAX) as u32;
    let (this_week, hour) = week_and_hour(time);
    if *week == i64::MIN {
        *week = this_week;
    }
    if this_week > *week {
        let shift = u32::try_from(this_week.saturating_sub(*week)).unwrap_or(u32::MAX);
        let kept = u8::MAX >> (8 - weeks);
        for bits in active.iter_mut() {
            *bits = bits.checked_shl(shift).unwrap_or(0) & kept;
        }
        *week = this_week;
    }
    let back = week.saturating_sub(this_week);
    let neighbours = [hour + HOURS_OF_WEEK - 1, hour, hour + 1].map(|hour| active[hour % HOURS_OF_WEEK]);
    let is_new = neighbours.iter().all(|bits| *bits == 0);
    let hours: u32 = active.iter().map(|bits| bits.count_ones()).sum();
    if back < i64::from(weeks) {
        active[hour] |= 1 << back;
    }
    (learnt && is_new && hours >= anomaly.minimum).then_some(Unusual::Hour { weeks })
}

/// Radius of the earth, in km.
const EARTH_KM: f64 = 6371.0;

/// The way between two places over the surface, in km.
fn distance_km(from: &Place, to: &Place) -> f64 {
    let (latitude_1, latitude_2) = (from.latitude.to_radians(), to.latitude.to_radians());
    let half_chord = ((latitude_2 - latitude_1) / 2.0).sin().powi(2)
        + latitude_1.cos() * latitude_2.cos() * ((to.longitude - from.longitude).to_radians() / 2.0).sin().powi(2);
    2.0 * EARTH_KM * half_chord.clamp(0.0, 1.0).sqrt().asin()
}

fn travel(places: &mut Vec<Place>, anomaly: &Anomaly, here: Place, window: i64) -> Option<Unusual> {
    let newest = places.last().map_or(here.time, |last| last.time.max(here.time));
    places.retain(|place| place.time >= newest.saturating_sub(window));
    let at = places.partition_point(|place| (place.time, place.id) < (here.time, here.id));
    let neighbours = [at.checked_sub(1).and_then(|before| places.get(before)), places.get(at)];
    let unusual = neighbours.into_iter().flatten().find_map(|other| {
        let km = distance_km(other, &here);
        // Logs write whole seconds.
        let hours = (other.time.abs_diff(here.time)).max(1000) as f64 / HOUR_MS as f64;
        let kmh = km / hours;
        let is_far = km >= anomaly.distance_km && kmh > anomaly.speed_kmh;
        is_far.then_some(Unusual::Travel { from: *other, km, kmh })
    });
    places.insert(at, here);
    if places.len() > PLACES_MAX {
        places.remove(0);
    }
    unusual
}
