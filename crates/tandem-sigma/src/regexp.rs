//! Regular expressions of rules: bounded, linear in time, and clear about what is not run.

use std::hash::{Hash, Hasher};

use regex_syntax::ast::ErrorKind;

use crate::limits::Limits;
use crate::pattern::Anchor;

/// The flags `i`, `m` and `s` of a regular expression.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct RegexFlags {
    /// Letter case is ignored.
    pub ignore_case: bool,
    /// `^` and `$` also match at the ends of lines.
    pub multi_line: bool,
    /// `.` also matches a line break.
    pub dot_all: bool,
}

/// A compiled regular expression with its text.
#[derive(Clone, Debug)]
pub struct RegexPredicate {
    text: String,
    flags: RegexFlags,
    anchor: Anchor,
    compiled: regex::Regex,
}

/// Why a regular expression cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RegexError {
    pub(crate) unsupported: bool,
    pub(crate) message: String,
    /// Characters before the place of the error.
    pub(crate) offset: usize,
}

impl RegexPredicate {
    pub(crate) fn new(text: &str, flags: RegexFlags, anchor: Anchor, limits: &Limits) -> Result<Self, RegexError> {
        let error = |message: String| RegexError { unsupported: false, message, offset: 0 };
        if text.len() > limits.regex_bytes_max {
            let most = limits.regex_bytes_max;
            return Err(error(format!("the regular expression has more than {most} bytes")));
        }
        check_syntax(text)?;
        let compiled = compile(text, flags, limits).map_err(error)?;
        // The text alone is sound, so a bracket around it cannot change its meaning.
        let compiled = match anchor {
            Anchor::Whole | Anchor::Anywhere | Anchor::Start => compiled,
            Anchor::End => compile(&format!("(?:{text})\\z"), flags, limits).map_err(error)?,
        };
        Ok(Self { text: text.to_owned(), flags, anchor, compiled })
    }

    /// The expression as the rule has it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its flags.
    pub fn flags(&self) -> RegexFlags {
        self.flags
    }

    /// Where it must match; [`Anchor::Whole`] and [`Anchor::Anywhere`] both search.
    pub fn anchor(&self) -> Anchor {
        self.anchor
    }

    /// The byte range of the first match in a value.
    pub fn find(&self, value: &str) -> Option<(usize, usize)> {
        let found = self.compiled.find(value)?;
        // The first match is the leftmost: if one starts at 0, this is it.
        let starts = self.anchor != Anchor::Start || found.start() == 0;
        starts.then_some((found.start(), found.end()))
    }
}

impl PartialEq for RegexPredicate {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.flags == other.flags && self.anchor == other.anchor
    }
}

impl Eq for RegexPredicate {}

impl Hash for RegexPredicate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.text, self.flags, self.anchor).hash(state);
    }
}

fn compile(text: &str, flags: RegexFlags, limits: &Limits) -> Result<regex::Regex, String> {
    regex::RegexBuilder::new(text)
        .case_insensitive(flags.ignore_case)
        .multi_line(flags.multi_line)
        .dot_matches_new_line(flags.dot_all)
        .size_limit(limits.regex_compiled_bytes_max)
        .dfa_size_limit(limits.regex_cache_bytes_max)
        .nest_limit(NEST_LIMIT)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(most) => {
                format!("the compiled regular expression takes more than {most} bytes")
            }
            other => one_line(&other.to_string()),
        })
}

const NEST_LIMIT: u32 = 64;

fn check_syntax(text: &str) -> Result<(), RegexError> {
    let mut parser = regex_syntax::ast::parse::ParserBuilder::new().nest_limit(NEST_LIMIT).build();
    let Err(error) = parser.parse(text) else {
        return Ok(());
    };
    let start = error.span().start.offset;
    let offset = text.get(..start).map_or(0, |before| before.chars().count());
    let rest = text.get(start..).unwrap_or_default();
    let unsupported = match error.kind() {
        ErrorKind::UnsupportedLookAround => Some(format!("look-around ('{}')", excerpt(rest))),
        ErrorKind::UnsupportedBackreference => Some(format!("the back-reference '{}'", excerpt(rest))),
        ErrorKind::EscapeUnrecognized => Some(format!("the escape '{}'", rest.chars().take(2).collect::<String>())),
        ErrorKind::FlagUnrecognized => Some(format!("the group '(?{}…'", rest.chars().take(1).collect::<String>())),
        _ => None,
    };
    Err(RegexError {
        unsupported: unsupported.is_some(),
        message: match unsupported {
            Some(feature) => format!("{feature} in a regular expression cannot be run"),
            None => format!("the regular expression is wrong: {}", error.kind()),
        },
        offset,
    })
}

fn excerpt(text: &str) -> String {
    text.chars().take(4).collect()
}

fn one_line(text: &str) -> String {
    text.lines().last().unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(text: &str) -> Result<RegexPredicate, RegexError> {
        RegexPredicate::new(text, RegexFlags::default(), Anchor::Whole, &Limits::default())
    }

    #[test]
    fn what_is_not_run_is_named() {
        for (text, name) in [
            ("a(?=b)", "look-around"),
            ("(?<!a)b", "look-around"),
            (r"(a)\1", r"back-reference '\1'"),
            (r"\K", r"escape '\K'"),
            ("(?>a)", "group '(?>"),
        ] {
            let error = new(text).expect_err(text);
            assert!(error.unsupported && error.message.contains(name), "{text}: {error:?}");
        }
        let error = new("ä(").expect_err("open bracket");
        assert_eq!((error.unsupported, error.offset), (false, 1));
    }

    #[test]
    fn size_is_bounded() {
        assert!(new(&"a".repeat(10_000)).expect_err("long").message.contains("8192 bytes"));
        assert!(new(r"(\w{200}){200}").expect_err("large").message.contains("takes more than"));
        assert!(new(&"(".repeat(500)).is_err());
    }

    #[test]
    fn anchors() {
        let find = |anchor, value| {
            RegexPredicate::new("b+|ab", RegexFlags::default(), anchor, &Limits::default()).expect("sound").find(value)
        };
        assert_eq!(find(Anchor::Anywhere, "xbb"), Some((1, 3)));
        assert_eq!(find(Anchor::Start, "xbb"), None);
        assert_eq!(find(Anchor::Start, "abb"), Some((0, 2)));
        assert_eq!(find(Anchor::End, "bxbb"), Some((2, 4)));
        assert_eq!(find(Anchor::End, "bbx"), None);
    }
}
