//! What is wrong with a query is said with its place, its code and a hint.

use tandem_model::Catalogue;
use tandem_query::{DEPTH_MAX, QUERY_BYTES_MAX, REGEX_BYTES_MAX, Severity, TERMS_MAX, parse, parse_with};

/// `tests/data/problems.txt`: a query, then a line per problem with the part that is wrong underlined.
#[test]
fn problems_are_as_committed() {
    let committed = include_str!("../data/problems.txt");
    let catalogue = Catalogue::from_yaml(include_str!("../data/fields.yaml")).unwrap();
    let mut shown = String::new();
    for block in committed.split("\n\n") {
        let query = block.lines().next().unwrap_or_default();
        let (_, problems) = parse_with(query, &catalogue);
        if !shown.is_empty() {
            shown.push_str("\n\n");
        }
        shown.push_str(query);
        for problem in problems {
            let before = query[..problem.start].chars().count();
            let width = query[problem.start..problem.end].chars().count().max(1);
            let severity = if problem.severity == Severity::Error { "error" } else { "warning" };
            shown.push_str(&format!("\n{}{} ", " ".repeat(before), "^".repeat(width)));
            shown.push_str(&format!("{severity} [{}] {}", problem.code, problem.message));
            shown.push_str(&format!("; hint: {}", problem.hint.unwrap_or_default()));
        }
    }
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/problems.txt");
        std::fs::write(path, format!("{}\n", shown.trim_end())).unwrap();
        return;
    }
    assert_eq!(shown.trim_end(), committed.trim_end(), "set UPDATE_EXPECT=1 to rewrite the file");
}

fn codes(text: &str) -> Vec<&'static str> {
    parse(text).1.iter().map(|problem| problem.code).collect()
}

#[test]
fn limits_hold() {
    assert_eq!(codes(&"a".repeat(QUERY_BYTES_MAX)), [""; 0]);
    assert_eq!(codes(&"a".repeat(QUERY_BYTES_MAX + 1)), ["too-long"]);
    for deep in ["(", "NOT ", "-("] {
        assert_eq!(codes(&format!("{}a", deep.repeat(DEPTH_MAX + 1)))[0], "too-deep", "{deep}");
        assert!(codes(&deep.repeat(QUERY_BYTES_MAX / deep.len())).contains(&"too-deep"), "{deep}");
    }
    assert_eq!(codes(&"a ".repeat(TERMS_MAX)), [""; 0]);
    assert_eq!(codes(&"a ".repeat(TERMS_MAX + 1)), ["too-many-terms"]);
    assert_eq!(codes(&format!("a:/{}/", "b".repeat(REGEX_BYTES_MAX + 1))), ["bad-regex"]);
    assert_eq!(codes(r"a:/\w{900}{900}/"), ["bad-regex"]);
    assert_eq!(codes(&format!("a:/{}/", "(".repeat(1_000))), ["bad-regex"]);
    assert_eq!(codes(&format!("a{}", " | head 1".repeat(17))), ["too-many-stages"]);
}

/// Each line of a fence marked `search` in the user's guide is a query without an error.
#[test]
fn queries_of_the_guide_are_right() {
    let guide = include_str!("../../../../docs/search.md");
    let mut in_fence = false;
    let mut count = 0;
    for line in guide.lines() {
        match line {
            "```search" => in_fence = true,
            "```" => in_fence = false,
            query if in_fence => {
                count += 1;
                let (_, problems) = parse(query);
                assert!(!problems.iter().any(tandem_query::Problem::is_error), "{query}: {problems:?}");
            }
            _ => {}
        }
    }
    assert!(count > 30, "the guide lost its examples");
}
