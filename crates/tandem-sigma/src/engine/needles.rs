//! Texts that a value must contain, folded, if a predicate is to hold for it.

use regex_syntax::hir::{Class, Hir, HirKind};

use crate::pattern::{Case, Element, Pattern, fold};
use crate::regexp::RegexPredicate;

/// Most needles that stand for one regular expression.
const NEEDLES_MAX: usize = 64;
/// Most texts that one run of a regular expression may branch into.
const BRANCHES_MAX: usize = 8;
/// Most characters of a class that are taken one by one.
const CLASS_MAX: usize = 16;
/// Shortest needle that is worth looking for.
const NEEDLE_BYTES_MIN: usize = 2;

/// Most texts that a pattern with dashes is spelled out to.
const SPELLINGS_MAX: usize = 25;

/// Every text that a pattern without wildcards stands for, folded, if these are few and not empty.
pub(super) fn spelled_out(pattern: &Pattern) -> Option<Vec<String>> {
    if pattern.case() == Case::Kept || pattern.is_empty() {
        return None;
    }
    pattern.literals(SPELLINGS_MAX).ok()
}

/// The longest run of characters in a pattern with wildcards; `None` if it has none worth looking for.
pub(super) fn of_pattern(pattern: &Pattern) -> Option<String> {
    let mut longest = String::new();
    for segment in pattern.segments() {
        let mut run = String::new();
        for element in segment {
            match element {
                Element::Char(character) => run.push(fold(*character)),
                Element::Any | Element::Dash => keep_longer(&mut longest, &mut run),
            }
        }
        keep_longer(&mut longest, &mut run);
    }
    (longest.len() >= NEEDLE_BYTES_MIN).then_some(longest)
}

fn keep_longer(longest: &mut String, run: &mut String) {
    if run.len() > longest.len() {
        std::mem::swap(longest, run);
    }
    run.clear();
}

/// Texts of which one must stand in every value that the expression matches; `None` if there are none.
pub(super) fn of_regex(regex: &RegexPredicate) -> Option<Vec<String>> {
    let flags = regex.flags();
    let hir = regex_syntax::ParserBuilder::new()
        .case_insensitive(flags.ignore_case)
        .multi_line(flags.multi_line)
        .dot_matches_new_line(flags.dot_all)
        .build()
        .parse(regex.text())
        .ok()?;
    required(&hir)
}

fn required(hir: &Hir) -> Option<Vec<String>> {
    match hir.kind() {
        HirKind::Literal(_) | HirKind::Class(_) | HirKind::Concat(_) => {
            let mut best = Best::default();
            best.walk(hir);
            best.cut();
            best.needles
        }
        HirKind::Capture(capture) => required(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => required(&repetition.sub),
        HirKind::Alternation(branches) => {
            let mut needles = Vec::new();
            for branch in branches {
                needles.extend(required(branch)?);
            }
            (needles.len() <= NEEDLES_MAX).then_some(needles)
        }
        HirKind::Empty | HirKind::Look(_) | HirKind::Repetition(_) => None,
    }
}

/// Follows a sequence and keeps the best needles met.
struct Best {
    /// The texts that may stand here, all of them in full.
    run: Vec<String>,
    needles: Option<Vec<String>>,
}

impl Default for Best {
    fn default() -> Self {
        Self { run: vec![String::new()], needles: None }
    }
}

impl Best {
    fn walk(&mut self, hir: &Hir) {
        match hir.kind() {
            HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
                Ok(text) => text.chars().for_each(|character| self.add(&[fold(character)])),
                Err(_) => self.cut(),
            },
            HirKind::Class(class) => match folded_members(class) {
                Some(members) => self.add(&members),
                None => self.cut(),
            },
            HirKind::Concat(parts) => parts.iter().for_each(|part| self.walk(part)),
            HirKind::Capture(capture) => match capture.sub.kind() {
                HirKind::Alternation(_) => self.cut_and_offer(required(&capture.sub)),
                _ => self.walk(&capture.sub),
            },
            HirKind::Look(_) | HirKind::Empty => {}
            HirKind::Repetition(_) | HirKind::Alternation(_) => self.cut_and_offer(required(hir)),
        }
    }

    fn add(&mut self, members: &[char]) {
        if members.is_empty() || self.run.len() * members.len() > BRANCHES_MAX {
            self.cut();
            if members.is_empty() || members.len() > BRANCHES_MAX {
                return;
            }
        }
        let with = |member: &char| self.run.iter().map(|text| format!("{text}{member}")).collect::<Vec<_>>();
        self.run = members.iter().flat_map(with).collect();
    }

    fn cut(&mut self) {
        let run = std::mem::replace(&mut self.run, vec![String::new()]);
        self.offer(run);
    }

    fn cut_and_offer(&mut self, needles: Option<Vec<String>>) {
        self.cut();
        if let Some(needles) = needles {
            self.offer(needles);
        }
    }

    fn offer(&mut self, needles: Vec<String>) {
        let shortest = |needles: &[String]| needles.iter().map(String::len).min().unwrap_or(0);
        let found = shortest(&needles);
        if found >= NEEDLE_BYTES_MIN && self.needles.as_deref().is_none_or(|known| found > shortest(known)) {
            self.needles = Some(needles);
        }
    }
}

/// The members of a small class, folded; `None` for a large one.
fn folded_members(class: &Class) -> Option<Vec<char>> {
    let Class::Unicode(class) = class else { return None };
    let mut members = Vec::new();
    for range in class.ranges() {
        if range.len() + members.len() > CLASS_MAX {
            return None;
        }
        members.extend((range.start()..=range.end()).map(fold));
    }
    members.sort_unstable();
    members.dedup();
    Some(members)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;
    use crate::pattern::Anchor;
    use crate::regexp::RegexFlags;

    #[test]
    fn needles_of_patterns_and_expressions() {
        let of = |text: &str| of_pattern(&Pattern::parse(text, Case::Kept));
        assert_eq!(of("a*Bcd?ef"), Some("bcd".to_owned()));
        assert_eq!(of("a*b?c"), None);
        let of = |text: &str| {
            let regex = RegexPredicate::new(text, RegexFlags::default(), Anchor::Whole, &Limits::default()).unwrap();
            of_regex(&regex).map(|mut needles| {
                needles.sort();
                needles.join(" ")
            })
        };
        let is = |text: &str| Some(text.to_owned());
        assert_eq!(of(r"^C:\\Users\\[^\\]+\\AppData"), is(r"c:\users\"));
        assert_eq!(of(r"(?i)cmd\.exe.*"), is("cmd.exe"));
        assert_eq!(of(r"x(abc|de)+y?"), is("abc de"));
        assert_eq!(of(r"(abc)?d"), None);
        assert_eq!(of(r"\d{4}foo"), is("foo"));
        assert_eq!(of(r"(?i)as"), is("as aſ"));
        assert_eq!(of(r".*"), None);
        assert_eq!(of(r"[ab]c"), is("ac bc"));
    }
}
