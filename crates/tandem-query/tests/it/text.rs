//! Any tree, written as text, parses to the same tree; any text parses without a panic.

use proptest::prelude::*;
use tandem_query::{
    Aggregate, Bound, Expr, Function, Literal, Network, Operator, Order, Piece, Query, SortKey, Stage, Test, parse,
    parse_with, tokens,
};

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,6}",
        "[ -~]{0,8}",
        "\\PC{0,6}",
        prop::sample::select(vec![
            "",
            "AND",
            "OR",
            "NOT",
            "TO",
            "*",
            "?",
            "\"",
            "\\",
            "a\\",
            "\\\"",
            "10.0.0.0/8",
            "10.0.0.0/99",
            "/a/",
            "[a",
            "{a TO b}",
            ">5",
            "<",
            "::1",
            "2026-10-11",
            "5",
            "-5",
            "a:b",
            "\n",
            "\u{a0}",
            "=",
        ])
        .prop_map(str::to_owned),
    ]
}

/// A backslash at the end of a name before a colon has no way to be written.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "user.name",
            "EventID",
            "@x",
            "Process Name",
            "a:b",
            "1st",
            "raw",
            "AND",
            "by",
            "as",
            "C"
        ])
        .prop_map(str::to_owned),
        text().prop_map(|text| format!("{}x", text.replace('\\', ""))),
    ]
}

fn literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        any::<i64>().prop_map(Literal::Long),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Literal::Double),
        any::<[u8; 4]>().prop_map(|bytes| Literal::Address(bytes.into())),
        (0..4_000_000_000_000_000_i64).prop_map(|micros| Literal::Instant(tandem_base::Timestamp::from_micros(micros))),
        text().prop_map(|text| Literal::parse(&text)),
    ]
}

fn bound() -> impl Strategy<Value = Bound> {
    (literal(), any::<bool>()).prop_map(|(value, inclusive)| Bound { value, inclusive })
}

fn test() -> impl Strategy<Value = Test> {
    let piece = prop_oneof![text().prop_map(Piece::Literal), Just(Piece::AnyRun), Just(Piece::AnyOne)];
    prop_oneof![
        text().prop_map(Test::Equals),
        prop::collection::vec(piece, 0..5).prop_map(Test::wildcard),
        prop::sample::select(vec!["a", "^x y$", "a/b", r"\d+\\", r"C:\\", "[/]", "\"|)"])
            .prop_map(|pattern| Test::Regex(pattern.to_owned()))
            .prop_filter("compiles", |test| matches!(test, Test::Regex(p) if tandem_query::compile_regex(p).is_ok())),
        (bound(), prop::option::of(bound())).prop_map(|(low, high)| Test::Range { low: Some(low), high }),
        bound().prop_map(|high| Test::Range { low: None, high: Some(high) }),
        (
            prop::sample::select(vec![
                Operator::Less,
                Operator::LessOrEqual,
                Operator::Greater,
                Operator::GreaterOrEqual
            ]),
            literal()
        )
            .prop_map(|(operator, value)| Test::Compare { operator, value }),
        (any::<[u8; 4]>(), 0..=32_u8)
            .prop_map(|(bytes, prefix)| Test::Cidr(Network::new(bytes.into(), prefix).unwrap())),
        (any::<[u8; 16]>(), 0..=128_u8)
            .prop_map(|(bytes, prefix)| Test::Cidr(Network::new(bytes.into(), prefix).unwrap())),
        Just(Test::Exists),
    ]
}

fn expr() -> impl Strategy<Value = Expr> {
    let words = "\\PC{0,12}".prop_map(|text| match tokens(&text) {
        tokens if tokens.is_empty() => Expr::All,
        tokens => Expr::Text { tokens },
    });
    let leaf = prop_oneof![words, (name(), test()).prop_map(|(name, test)| Expr::field(name, test))];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Expr::and),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Expr::or),
            inner.prop_map(Expr::negate),
        ]
    })
}

fn pipe() -> impl Strategy<Value = Vec<Stage>> {
    let aggregate = (name(), 0..6_usize, prop::option::of(name())).prop_map(|(field, index, alias)| {
        let (function, word) = [
            (Function::Count, "count"),
            (Function::Sum, "sum"),
            (Function::Avg, "avg"),
            (Function::Min, "min"),
            (Function::Max, "max"),
            (Function::CountDistinct, "count_distinct"),
        ][index];
        let name = alias.unwrap_or_else(|| format!("{word}({field})"));
        Aggregate { function, field: Some(field), name }
    });
    let names = || prop::collection::btree_set(name(), 1..3).prop_map(|names| names.into_iter().collect::<Vec<_>>());
    let stats = (prop::collection::vec(aggregate, 1..3), prop::option::of(names())).prop_filter_map(
        "names differ",
        |(aggregates, by)| {
            let by = by.unwrap_or_default();
            let mut all: Vec<&String> = by.iter().chain(aggregates.iter().map(|aggregate| &aggregate.name)).collect();
            let count = all.len();
            all.sort();
            all.dedup();
            (all.len() == count).then_some(Stage::Stats { aggregates, by })
        },
    );
    let sort = (name(), any::<bool>()).prop_map(|(column, descending)| {
        let order = if descending { Order::Descending } else { Order::Ascending };
        vec![SortKey { column, order }]
    });
    // Before `stats` or `fields`, any field is a column.
    (prop::option::of(sort), 1..100_u64, prop_oneof![stats, names().prop_map(Stage::Fields)]).prop_map(
        |(sort, count, last)| {
            let mut stages: Vec<Stage> = sort.into_iter().map(Stage::Sort).collect();
            stages.push(Stage::Head(count));
            stages.push(last);
            stages
        },
    )
}

proptest! {
    #[test]
    fn trees_survive_their_text(filter in expr(), pipe in prop::option::of(pipe())) {
        let query = Query { filter, pipe: pipe.unwrap_or_default() };
        let text = query.to_string();
        let (again, problems) = parse(&text);
        let errors: Vec<_> = problems.iter().filter(|problem| problem.is_error()).collect();
        prop_assert!(errors.is_empty(), "{text}: {errors:?}");
        prop_assert_eq!(again, query, "{}", text);
    }

    #[test]
    fn any_text_parses_and_its_tree_survives(text in prop_oneof![
        "\\PC{0,60}",
        "[a(){}\\[\\]:\"\\\\/*?|<>=,ANDORTO. -]{0,60}",
    ]) {
        let (query, problems) = parse_with(&text, &tandem_model::Catalogue::default());
        for problem in &problems {
            prop_assert!(problem.start <= problem.end && problem.end <= text.len(), "{problem:?}");
            prop_assert!(text.is_char_boundary(problem.start) && text.is_char_boundary(problem.end), "{problem:?}");
        }
        if !problems.iter().any(tandem_query::Problem::is_error) {
            let again = query.to_string();
            prop_assert_eq!(parse(&again).0, query, "{} -> {}", text, again);
        }
    }
}
