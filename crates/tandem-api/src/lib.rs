//! What another program sees: wire types, problems, cursors, the endpoint catalogue.
