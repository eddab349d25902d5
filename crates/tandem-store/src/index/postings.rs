//! In which blocks a term occurs, as bytes: short for the rare, a bitmap for the common.

use roaring::RoaringBitmap;

/// Lists of blocks up to this length are written one by one.
const LIST_MAX: usize = 16;

/// Appends `value` in groups of seven bits, lowest first.
pub(crate) fn put_number(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Takes a number from the front of `bytes`.
pub(crate) fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// Appends ascending blocks: `block * 2` for a single one; else `count * 4 + 1` and the gaps, or `length * 4 + 3`
/// and a bitmap.
pub(crate) fn put(out: &mut Vec<u8>, blocks: &[u32]) {
    if let [single] = blocks {
        put_number(out, u64::from(*single) << 1);
    } else if blocks.len() <= LIST_MAX {
        put_number(out, (blocks.len() as u64) << 2 | 1);
        let mut before = 0;
        for block in blocks {
            put_number(out, u64::from(block - before));
            before = *block;
        }
    } else {
        let mut bitmap: RoaringBitmap = blocks.iter().copied().collect();
        bitmap.optimize();
        let mut bytes = Vec::with_capacity(bitmap.serialized_size());
        bitmap.serialize_into(&mut bytes).expect("writing to memory does not fail");
        put_number(out, (bytes.len() as u64) << 2 | 3);
        out.extend_from_slice(&bytes);
    }
}

/// Takes what [`put`] appended from the front of `bytes`, without reading it.
pub(crate) fn skip(bytes: &mut &[u8]) -> Option<()> {
    let head = take_number(bytes)?;
    match head & 3 {
        1 => {
            for _ in 0..head >> 2 {
                take_number(bytes)?;
            }
        }
        3 => *bytes = bytes.get(usize::try_from(head >> 2).ok()?..)?,
        _ => {}
    }
    Some(())
}

/// Takes what [`put`] appended from the front of `bytes`.
pub(crate) fn take(bytes: &mut &[u8]) -> Option<RoaringBitmap> {
    let head = take_number(bytes)?;
    Some(match head & 3 {
        1 => {
            let mut bitmap = RoaringBitmap::new();
            let mut block = 0_u32;
            for _ in 0..head >> 2 {
                block = block.checked_add(u32::try_from(take_number(bytes)?).ok()?)?;
                bitmap.insert(block);
            }
            bitmap
        }
        3 => {
            let (bitmap, rest) = bytes.split_at_checked(usize::try_from(head >> 2).ok()?)?;
            *bytes = rest;
            RoaringBitmap::deserialize_from(bitmap).ok()?
        }
        _ => RoaringBitmap::from_iter([u32::try_from(head >> 1).ok()?]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn blocks_and_back(lists in proptest::collection::vec(proptest::collection::btree_set(0_u32..3000, 1..60), 1..5)) {
            let lists: Vec<Vec<u32>> = lists.into_iter().map(|list| list.into_iter().collect()).collect();
            let mut bytes = Vec::new();
            for list in &lists {
                put(&mut bytes, list);
            }
            let mut rest = bytes.as_slice();
            for list in &lists {
                let mut skipped = rest;
                skip(&mut skipped).unwrap();
                prop_assert_eq!(take(&mut rest).unwrap().iter().collect::<Vec<_>>(), list.clone());
                prop_assert_eq!(skipped, rest);
            }
            for cut in 0..bytes.len() {
                let mut cut = &bytes[..cut];
                while take(&mut cut).is_some() {}
            }
        }
    }
}
