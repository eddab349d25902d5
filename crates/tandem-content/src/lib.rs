//! The content that the binary carries: field catalogue, parsers, rules, alert policy, samples.
//!
//! A site adds its own in `DIR/content/`; the same shapes, later files win over earlier ones of the same name.

mod built_in;
mod files;
mod install;
mod rule_test;
mod rules;
mod workbench;

pub use built_in::{Content, Sample, TextFile, samples};
pub use files::{FileProblem, read_texts};
pub use install::{InstallError, Installed, install_rules};
pub use rule_test::{Example, RuleTest, RuleTestError};
pub use rules::load_rules;
pub use workbench::{Tally, Workbench, compile_parsers};
