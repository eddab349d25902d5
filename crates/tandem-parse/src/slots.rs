//! Values by name number: set, get and remove in constant time, in the order of first setting.

use crate::names::NameId;
use tandem_model::Value;

/// Fields of one event while a parser works on it; reused from record to record.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    entries: Vec<(NameId, Option<Value>)>,
    /// Index into `entries` plus one, by name number; 0 is none.
    at: Vec<u32>,
    live: usize,
}

impl Slots {
    pub(crate) fn get(&self, id: NameId) -> Option<&Value> {
        match self.at.get(id as usize) {
            Some(&place) if place > 0 => self.entries[place as usize - 1].1.as_ref(),
            _ => None,
        }
    }

    pub(crate) fn set(&mut self, id: NameId, value: Value) {
        if self.at.len() <= id as usize {
            self.at.resize(id as usize + 64, 0);
        }
        let place = self.at[id as usize];
        if place > 0 {
            let slot = &mut self.entries[place as usize - 1].1;
            self.live += usize::from(slot.is_none());
            *slot = Some(value);
        } else {
            self.entries.push((id, Some(value)));
            self.at[id as usize] = self.entries.len() as u32;
            self.live += 1;
        }
    }

    /// Sets, or makes a list of what is there and the new value.
    pub(crate) fn append(&mut self, id: NameId, value: Value) {
        match self.remove(id) {
            None => self.set(id, value),
            Some(Value::List(mut values)) => {
                match value {
                    Value::List(more) => values.extend(more),
                    single => values.push(single),
                }
                self.set(id, Value::List(values));
            }
            Some(first) => {
                let mut values = vec![first];
                match value {
                    Value::List(more) => values.extend(more),
                    single => values.push(single),
                }
                self.set(id, Value::List(values));
            }
        }
    }

    pub(crate) fn remove(&mut self, id: NameId) -> Option<Value> {
        let place = *self.at.get(id as usize)?;
        if place == 0 {
            return None;
        }
        let value = self.entries[place as usize - 1].1.take();
        self.live -= usize::from(value.is_some());
        value
    }

    pub(crate) fn len(&self) -> usize {
        self.live
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (NameId, &Value)> {
        self.entries.iter().filter_map(|(id, value)| value.as_ref().map(|value| (*id, value)))
    }

    /// Takes all values out.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = (NameId, Value)> + '_ {
        self.live = 0;
        let at = &mut self.at;
        self.entries.drain(..).filter_map(move |(id, value)| {
            at[id as usize] = 0;
            value.map(|value| (id, value))
        })
    }

    pub(crate) fn clear(&mut self) {
        self.drain().for_each(drop);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_order_of_first_setting() {
        let mut slots = Slots::default();
        for (id, value) in [(7, "a"), (3, "b"), (7, "c")] {
            slots.set(id, value.into());
        }
        slots.append(3, "d".into());
        assert_eq!(slots.remove(7), Some("c".into()));
        assert_eq!(slots.get(7), None);
        slots.set(7, "e".into());
        assert_eq!(slots.len(), 2);
        let all: Vec<_> = slots.drain().collect();
        assert_eq!(all, [(7, "e".into()), (3, Value::List(vec!["b".into(), "d".into()]))]);
        assert_eq!((slots.len(), slots.get(3)), (0, None));
    }
}
