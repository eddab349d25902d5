//! Field names, known by a number.

use super::leaf::FieldId;

/// What is known of a name of an event's field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    /// The field of that name, if a rule asks for it.
    pub(crate) field: Option<FieldId>,
    /// Some rule asks for a dotted path that begins with the name.
    pub(crate) begins_path: bool,
}

/// The names that rules use, and the beginnings of their dotted paths.
///
/// Looking a name up costs one hash of at most 16 of its bytes and mostly one comparison. Only
/// names of rules are in the table, so no event can make it slow.
#[derive(Debug, Default)]
pub(crate) struct Names {
    entries: Vec<(Box<str>, Known)>,
    /// Entry number + 1, 0 for nothing; twice as many or more places than entries.
    places: Vec<u32>,
    fields: Vec<u32>,
}

impl Names {
    /// The number of a name that a rule uses.
    pub(crate) fn intern(&mut self, name: &str) -> FieldId {
        let entry = self.entry(name);
        if let Some(field) = self.entries[entry].1.field {
            return field;
        }
        let field = self.fields.len() as FieldId;
        self.entries[entry].1.field = Some(field);
        self.fields.push(entry as u32);
        for (dot, _) in name.match_indices('.') {
            let beginning = self.entry(&name[..dot]);
            self.entries[beginning].1.begins_path = true;
        }
        field
    }

    /// The name of a field.
    pub(crate) fn name(&self, field: FieldId) -> &str {
        &self.entries[self.fields[field as usize] as usize].0
    }

    /// The number of fields.
    pub(crate) fn len(&self) -> usize {
        self.fields.len()
    }

    #[inline]
    pub(crate) fn get(&self, name: &str) -> Option<Known> {
        if self.places.is_empty() {
            return None;
        }
        let mask = self.places.len() - 1;
        let mut place = hash(name.as_bytes()) as usize & mask;
        loop {
            let entry = self.places[place].checked_sub(1)?;
            let (known, value) = &self.entries[entry as usize];
            if known.as_bytes() == name.as_bytes() {
                return Some(*value);
            }
            place = (place + 1) & mask;
        }
    }

    fn entry(&mut self, name: &str) -> usize {
        if self.places.len() < 4 * (self.entries.len() + 1) {
            self.grow();
        }
        let mask = self.places.len() - 1;
        let mut place = hash(name.as_bytes()) as usize & mask;
        while let Some(entry) = self.places[place].checked_sub(1) {
            if &*self.entries[entry as usize].0 == name {
                return entry as usize;
            }
            place = (place + 1) & mask;
        }
        self.entries.push((name.into(), Known { field: None, begins_path: false }));
        self.places[place] = self.entries.len() as u32;
        self.entries.len() - 1
    }

    fn grow(&mut self) {
        let size = (8 * (self.entries.len() + 1)).next_power_of_two();
        self.places = vec![0; size];
        for (number, (name, _)) in self.entries.iter().enumerate() {
            let mut place = hash(name.as_bytes()) as usize & (size - 1);
            while self.places[place] != 0 {
                place = (place + 1) & (size - 1);
            }
            self.places[place] = number as u32 + 1;
        }
    }
}

/// Hashes length, beginning and end.
#[inline]
fn hash(name: &[u8]) -> u64 {
    let length = name.len();
    let (head, tail) = if let (Some(head), Some(tail)) = (name.first_chunk::<8>(), name.last_chunk::<8>()) {
        (u64::from_le_bytes(*head), u64::from_le_bytes(*tail))
    } else if let (Some(head), Some(tail)) = (name.first_chunk::<4>(), name.last_chunk::<4>()) {
        (u64::from(u32::from_le_bytes(*head)), u64::from(u32::from_le_bytes(*tail)))
    } else {
        (name.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)), 0)
    };
    let mixed = (head ^ tail.rotate_left(29) ^ (length as u64) << 56).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ mixed >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_beginnings_of_paths() {
        let mut names = Names::default();
        assert_eq!(names.get("Image"), None);
        let (image, path) = (names.intern("Image"), names.intern("a.b.c"));
        for number in 0..1000 {
            names.intern(&format!("field{number}"));
        }
        assert_eq!(names.intern("Image"), image);
        assert_eq!(names.get("Image"), Some(Known { field: Some(image), begins_path: false }));
        assert_eq!(names.get("image"), None);
        assert_eq!(names.get("a.b"), Some(Known { field: None, begins_path: true }));
        assert_eq!(names.get("a"), Some(Known { field: None, begins_path: true }));
        assert_eq!(names.name(path), "a.b.c");
        let beginning = names.intern("a");
        assert_eq!(names.get("a"), Some(Known { field: Some(beginning), begins_path: true }));
        assert_eq!(names.len(), 1003);
    }
}
