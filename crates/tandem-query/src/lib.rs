//! The search language: syntax tree, errors with spans, names resolved, the slow evaluator.
//!
//! [`parse`] never fails: it answers a [`Query`] and every [`Problem`] it saw. [`matches`] and
//! [`evaluate`] are obvious and slow; they are what a query *means*, and every faster way of
//! answering one is compared with them. The user's guide is `docs/search.md`.
//!
//! ```
//! let (query, problems) = tandem_query::parse(r#"user.name:alice -"log off" | stats count by source.ip"#);
//! assert!(problems.is_empty());
//! assert_eq!(query.to_string(), r#"user.name:alice NOT "log off" | stats count by source.ip"#);
//! ```

mod ast;
mod complete;
mod display;
mod evaluate;
mod figures;
mod limits;
mod literal;
mod names;
mod parse;
mod problem;
mod token;

pub use ast::{Aggregate, Expr, Function, Operator, Order, Piece, Query, SortKey, Stage, Test};
pub use complete::{Completion, CompletionKind, complete};
pub use evaluate::{matches, value_of};
pub use figures::{Answer, Table, evaluate, order_of};
pub use limits::{
    DEPTH_MAX, GROUP_FIELDS_MAX, HEAD_MAX, PIPE_STAGES_MAX, QUERY_BYTES_MAX, REGEX_BYTES_MAX, REGEX_COMPILED_BYTES_MAX,
    TERMS_MAX,
};
pub use literal::{Bound, Literal, Network, address_key, parse_address};
pub use names::{EVENT_FIELDS, Place, resolve, suggest};
pub use parse::{RegexError, compile_regex, parse, parse_with};
pub use problem::{Problem, Severity};
pub use token::{TOKEN_RULE_VERSION, fold, for_each_token, tokens};
