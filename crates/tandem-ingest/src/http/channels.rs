//! Indexer acknowledgement of HEC. An id is given only after its records are durable, so that a channel is
//! nothing but its next id: every smaller one is acknowledged, however often it is asked for.

use parking_lot::Mutex;
use std::collections::HashMap;

/// The channels of all tokens, bounded; the one unused longest is forgotten first.
pub(crate) struct Channels {
    max: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    turn: u64,
    channels: HashMap<(String, String), Channel>,
}

struct Channel {
    next: u64,
    used: u64,
}

impl Channels {
    pub(crate) fn new(max: usize) -> Self {
        Self { max: max.max(1), state: Mutex::default() }
    }

    /// The id for a request of `token` on `channel` whose records are durable.
    pub(crate) fn acknowledge(&self, token: &str, channel: &str) -> u64 {
        let mut state = self.state.lock();
        state.turn += 1;
        let turn = state.turn;
        let key = (token.to_owned(), channel.to_owned());
        if state.channels.len() >= self.max && !state.channels.contains_key(&key) {
            let oldest = state.channels.iter().min_by_key(|(_, channel)| channel.used).map(|(key, _)| key.clone());
            if let Some(oldest) = oldest {
                state.channels.remove(&oldest);
            }
        }
        let channel = state.channels.entry(key).or_insert(Channel { next: 0, used: 0 });
        channel.used = turn;
        channel.next += 1;
        channel.next - 1
    }

    /// Which of `ids` are durable.
    pub(crate) fn check(&self, token: &str, channel: &str, ids: &[u64]) -> Vec<(u64, bool)> {
        let mut state = self.state.lock();
        state.turn += 1;
        let turn = state.turn;
        let next = match state.channels.get_mut(&(token.to_owned(), channel.to_owned())) {
            Some(channel) => {
                channel.used = turn;
                channel.next
            }
            None => 0,
        };
        ids.iter().map(|id| (*id, *id < next)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_channel_unused_longest_is_forgotten() {
        let channels = Channels::new(2);
        assert_eq!(channels.acknowledge("t", "a"), 0);
        assert_eq!(channels.acknowledge("t", "a"), 1);
        assert_eq!(channels.acknowledge("u", "a"), 0);
        assert_eq!(channels.check("t", "a", &[0, 1, 2]), [(0, true), (1, true), (2, false)]);
        assert_eq!(channels.acknowledge("t", "c"), 0);
        assert_eq!(channels.check("u", "a", &[0]), [(0, false)]);
        assert_eq!(channels.check("t", "a", &[1]), [(1, true)]);
    }
}
