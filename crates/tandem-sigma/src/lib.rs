//! The Sigma specification: rules, modifiers, conditions, and an evaluator that gives reasons.
