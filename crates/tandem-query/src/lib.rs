//! The search language: syntax tree, errors with spans, names resolved, the slow evaluator.
