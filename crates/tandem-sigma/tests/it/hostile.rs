//! Whatever the bytes, loading and evaluating answers.

use proptest::prelude::*;
use tandem_sigma::{Code, MapEvent, MapValue, PROBLEMS_MAX, parse_rules};

const RULE: &str = r"title: T
id: 12345678-1234-1234-1234-123456789012
logsource:
    product: windows
detection:
    sel:
        a|contains|windash:
            - ' -x*y?'
            - 'ä\*'
        b|re|i: '^(a|b)+$'
        c|base64offset|contains: 'foo'
        d|cidr: 10.0.0.0/8
        e: null
    kw:
        '|all':
            - 'one'
            - two
    condition: sel or not (1 of kw* and all of them)
level: low
";

proptest! {
    /// Random damage to a sound rule: bytes replaced, cut, repeated.
    #[test]
    fn damaged_rules_are_answered(
        edits in prop::collection::vec((any::<prop::sample::Index>(), "[ -~äé\n\t:|*&!%@`'\"{}\\[\\]\\\\-]{0,3}"), 1..6),
        cut in any::<prop::sample::Index>(),
        keep in any::<bool>(),
    ) {
        let mut text: Vec<char> = RULE.chars().collect();
        for (place, put) in &edits {
            let at = place.index(text.len());
            text.splice(at..=at, put.chars());
            if text.is_empty() { break; }
        }
        if !keep && !text.is_empty() {
            let end = cut.index(text.len());
            text.truncate(end);
        }
        let text: String = text.into_iter().collect();
        let (rules, problems) = parse_rules("damaged", &text);
        prop_assert!(!rules.is_empty() || !problems.is_empty());
        let event = MapEvent::new()
            .with("a", "c:\\x -xzy1 ä*")
            .with("b", MapValue::List(vec!["ab".into(), MapValue::Null, 5.into()]))
            .with("d", "10.1.1.1")
            .with_message("one two");
        for rule in rules {
            prop_assert_eq!(rule.fires(&event), rule.evaluate(&event).is_some());
            prop_assert!(!rule.in_words().is_empty());
        }
        for problem in problems {
            prop_assert!(problem.position.line >= 1 && problem.position.column >= 1);
        }
    }

    #[test]
    fn arbitrary_text_is_answered(text in any::<String>()) {
        let (rules, problems) = parse_rules("arbitrary", &text);
        prop_assert!(!rules.is_empty() || !problems.is_empty());
    }

    /// Pieces of YAML syntax in any order.
    #[test]
    fn yaml_pieces_are_answered(pieces in prop::collection::vec(prop::sample::select(vec![
        "a", ": ", "- ", "\n", "  ", "[", "]", "{", "}", "&x ", "*x ", "!t ", "!!str ", "? ", "| ", "> ", "|\n", "'", "\"",
        "\\", "# ", "---\n", "...\n", "%YAML 1.2\n", "%TAG ! x\n", "\t", "detection", "condition", "title", "logsource", ",",
        "<<", "\u{feff}", "\0", "é", "@", "`", "~", "0x", "1e9",
    ]), 0..40)) {
        let (rules, problems) = parse_rules("pieces", &pieces.concat());
        prop_assert!(!rules.is_empty() || !problems.is_empty());
    }
}

#[test]
fn repeated_pieces_are_answered() {
    for piece in [
        "[", "{", "- ", "? ", "a: ", "&a ", "!a ", "'", "\"", "\n", "---\n", "- - \n", "a:\n ", "|\n", "#", "\\",
        "*a ", "%a\n", "[a,", "{a: [", "{?",
    ] {
        let text = piece.repeat(20_000);
        let (rules, problems) = parse_rules("repeated", &text);
        assert!(rules.is_empty() && !problems.is_empty(), "{piece:?}");
    }
}

/// Many problems, and long ones, stay bounded.
#[test]
fn problems_are_bounded() {
    let head = "title: x\nlogsource: {product: a}\ndetection:\n  condition: s0\n";
    let chain = format!("{head}  s0:\n    a{}: x\n", "|x".repeat(20_000));
    let names: Vec<String> = (0..5_000).map(|number| format!("  s{number}: {{a: 1}}\n")).collect();
    let unknown: Vec<String> = (0..1_500).map(|number| format!("x{number}")).collect();
    let condition = head.replace("s0", &unknown.join(" or ")) + "  s0: {a: 1}\n";
    let keys: Vec<String> = (0..3_000).map(|number| format!("    f{number}|contain: 1\n")).collect();
    for text in [chain, head.to_owned() + &names.concat(), condition, format!("{head}  s0:\n{}", keys.concat())] {
        let (rules, problems) = parse_rules("many", &text);
        assert_eq!(rules, []);
        assert!((1..=PROBLEMS_MAX + 1).contains(&problems.len()), "{} problems", problems.len());
        assert!(problems.iter().all(|problem| problem.to_string().len() < 2_000));
        assert_eq!(problems.len() > PROBLEMS_MAX, problems.last().unwrap().code == Code::MoreProblems);
    }
}
