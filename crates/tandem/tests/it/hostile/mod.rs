//! Bad input to everything that takes input: each receiver, endpoint and command, and the folder of a site.
//!
//! Each case is answered with a sentence that says what to do, the program stays alive and takes a good record right
//! after it, its memory stays bounded, and nothing that was acknowledged is lost. The answers are the table
//! `docs/measured/bad-input.md`, which the tests write (`UPDATE_EXPECT=1`) and compare.

mod commands;
mod endpoints;
mod exchange;
mod folders;
mod memory;
mod receivers;
mod table;

/// Bytes without meaning, the same every time.
fn noise(count: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 16) as u8
    };
    (0..count).map(|_| next()).collect()
}

/// JSON inside JSON, this deep.
fn deep(levels: usize) -> String {
    format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels))
}
