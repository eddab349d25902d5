//! Rule files into rules.

use crate::TextFile;
use tandem_detect::Rules;
use tandem_sigma::Loader;

/// Loads rule files, in order; what cannot be used is in `problems` of the result.
pub fn load_rules<'a>(files: impl IntoIterator<Item = &'a TextFile>) -> Rules {
    let loader = Loader::new();
    let mut rules = Rules::new();
    for file in files {
        rules.add(&loader, &file.name, &file.text);
    }
    rules
}
