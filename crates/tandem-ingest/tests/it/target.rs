//! What clients talk to: receivers in this process, or a running `tandem`.
