//! Who looks at what, so that two people do not do the same work. Kept in memory only.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::time::Duration;
use tandem_base::Timestamp;
use tandem_service::UserId;

/// A browser that has said nothing for this long is gone; it speaks every 15 s.
const GONE: Duration = Duration::from_secs(40);
const PEOPLE_MAX: usize = 10_000;

/// What each person looks at.
#[derive(Debug, Default)]
pub(crate) struct Presence(Mutex<HashMap<UserId, Look>>);

#[derive(Debug, Clone)]
struct Look {
    name: String,
    object: String,
    since: Timestamp,
    said: Timestamp,
}

impl Presence {
    /// `user` looks at `object`; answers who else does: name, and since when.
    pub(crate) fn look(&self, user: UserId, name: &str, object: &str, now: Timestamp) -> Vec<(String, Timestamp)> {
        let mut people = self.0.lock();
        people.retain(|_, look| now.since(look.said) < GONE);
        let since = people.get(&user).filter(|look| look.object == object).map_or(now, |look| look.since);
        if people.len() < PEOPLE_MAX || people.contains_key(&user) {
            people.insert(user, Look { name: name.to_owned(), object: object.to_owned(), since, said: now });
        }
        let mut others: Vec<(String, Timestamp)> = people
            .iter()
            .filter(|(id, look)| **id != user && look.object == object)
            .map(|(_, look)| (look.name.clone(), look.since))
            .collect();
        others.sort_by_key(|(_, since)| *since);
        others
    }
}
