//! The one program: reads arguments, prints, exits with a code.
fn main() {}
