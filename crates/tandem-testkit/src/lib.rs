//! Builders, manual clock, faulty disk, and a harness for the real binary.
