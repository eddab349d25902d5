//! Windows events in all their shapes.
