//! From the text of `condition` to trees whose names are all known.

use std::collections::BTreeSet;

use super::{Compiler, Value};
use crate::condition::{self, Condition, Target};
use crate::detection::Selection;
use crate::problem::{Code, Position, shortened};
use crate::suggest::nearest;
use crate::yaml::{Content, Node};

impl Compiler<'_, '_> {
    pub(super) fn conditions(&mut self, node: &Node, selections: &[Selection]) -> Vec<Condition> {
        let nodes: Vec<&Node> = match &node.content {
            Content::List(nodes) => nodes.iter().collect(),
            _ => vec![node],
        };
        if nodes.is_empty() {
            self.empty(node.position, "the list of conditions");
        }
        let mut used = BTreeSet::new();
        let mut conditions = Vec::new();
        for node in nodes {
            conditions.extend(self.condition(node, selections, &mut used));
        }
        for selection in selections {
            if !used.contains(selection.name.as_str()) && !conditions.is_empty() {
                self.problems.add_with_hint(
                    Code::UnusedSelection,
                    selection.position,
                    format!("the selection '{}' is in no condition", selection.name),
                    "name it in the condition, or remove it",
                );
            }
        }
        conditions
    }

    fn condition<'s>(
        &mut self,
        node: &Node,
        selections: &'s [Selection],
        used: &mut BTreeSet<&'s str>,
    ) -> Option<Condition> {
        let Content::Scalar(scalar) = &node.content else {
            let found = node.type_name();
            self.problems.add(Code::WrongType, node.position, format!("a condition must be text, not {found}"));
            return None;
        };
        if scalar.text.len() > self.limits.condition_bytes_max {
            let most = self.limits.condition_bytes_max;
            self.problems.add(Code::Limit, node.position, format!("the condition has more than {most} bytes"));
            return None;
        }
        let value = Value { scalar, place: node.position, is_keyword: false };
        let condition = match condition::parse(&scalar.text, self.limits.condition_depth_max) {
            Ok(condition) => condition,
            Err(error) => {
                let place = value.place_inside(error.offset);
                if error.aggregation {
                    self.problems.add_with_hint(
                        Code::ConditionAggregation,
                        place,
                        error.message,
                        "write a correlation rule (event_count, value_count, …) instead",
                    );
                } else {
                    self.problems.add(Code::ConditionSyntax, place, error.message);
                }
                return None;
            }
        };
        let mut all_known = true;
        condition.each_leaf(&mut |leaf| {
            all_known &= self.check_leaf(leaf, node.position, selections, used);
        });
        all_known.then_some(condition)
    }

    /// Notes the selections that a leaf of a condition uses; false if there are none.
    fn check_leaf<'s>(
        &mut self,
        leaf: &Condition,
        place: Position,
        selections: &'s [Selection],
        used: &mut BTreeSet<&'s str>,
    ) -> bool {
        let names = || selections.iter().map(|selection| selection.name.as_str());
        let (found, message, near): (Vec<&str>, String, Option<&str>) = match leaf {
            Condition::Selection(wanted) => (
                names().filter(|name| name == wanted).collect(),
                format!("the condition names '{wanted}', which is no selection of this rule"),
                nearest(wanted, names()),
            ),
            Condition::Of(_, target) => (
                names().filter(|name| target.includes(name)).collect(),
                match target {
                    Target::Them => "no selection is there for 'them'".to_owned(),
                    Target::Pattern(pattern) => format!("no selection has a name like '{pattern}'"),
                },
                None,
            ),
            _ => return true,
        };
        if found.is_empty() {
            let hint = match near {
                Some(near) => format!("did you mean '{near}'?"),
                None => format!("the selections are: {}", shortened(&names().collect::<Vec<_>>().join(", "))),
            };
            self.problems.add_with_hint(Code::UnknownSelection, place, message, hint);
            return false;
        }
        used.extend(found);
        true
    }
}
