//! The detection of a rule as an expression over leaves, and the leaves without which it cannot hold.

use crate::condition::{Condition, Quantity};
use crate::detection::{Block, Detection, Item, Link, Selection};

use super::leaf::LeafId;

/// The expression of one rule.
#[derive(Debug)]
pub(crate) struct Expression {
    /// What each selection stands for; it holds if any of its blocks does.
    selections: Box<[Blocks]>,
    condition: Node,
}

/// Alternatives, each of items that must hold together.
type Blocks = Box<[Box<[Part]>]>;

/// An item of a block.
#[derive(Debug)]
struct Part {
    negated: bool,
    /// Values that must all be found; each is found if any of its leaves holds.
    all_of: Box<[Box<[LeafId]>]>,
}

/// A condition over selections, by their number.
#[derive(Debug)]
enum Node {
    Or(Box<[Node]>),
    And(Box<[Node]>),
    Not(Box<Node>),
    Selection(u32),
}

/// Which leaves hold.
pub(crate) trait Truth {
    fn holds(&self, leaf: LeafId) -> bool;
}

impl Expression {
    /// Builds the expression; `intern` numbers the predicates of an item, one after the other.
    pub(crate) fn new(detection: &Detection, intern: &mut dyn FnMut(&Item, &mut Vec<Vec<LeafId>>)) -> Self {
        let selections = detection.selections.iter().map(|selection| selection_of(selection, intern)).collect();
        let conditions = detection.conditions.iter().map(|condition| node_of(condition, detection)).collect();
        Self { selections, condition: Node::Or(conditions) }
    }

    /// Whether the rule fires. `known` is working memory.
    pub(crate) fn holds(&self, truth: &dyn Truth, known: &mut Vec<Option<bool>>) -> bool {
        known.clear();
        known.resize(self.selections.len(), None);
        self.node(&self.condition, truth, known)
    }

    fn node(&self, node: &Node, truth: &dyn Truth, known: &mut Vec<Option<bool>>) -> bool {
        match node {
            Node::Or(parts) => parts.iter().any(|part| self.node(part, truth, known)),
            Node::And(parts) => parts.iter().all(|part| self.node(part, truth, known)),
            Node::Not(part) => !self.node(part, truth, known),
            Node::Selection(number) => {
                let number = *number as usize;
                if let Some(holds) = known[number] {
                    return holds;
                }
                let holds = self.selections[number].iter().any(|block| block.iter().all(|part| part.holds(truth)));
                known[number] = Some(holds);
                holds
            }
        }
    }

    /// Every leaf, perhaps more than once.
    pub(crate) fn leaves(&self) -> impl Iterator<Item = LeafId> {
        let parts = self.selections.iter().flat_map(|blocks| blocks.iter().flat_map(|block| block.iter()));
        parts.flat_map(|part| part.all_of.iter().flat_map(|any_of| any_of.iter().copied()))
    }

    /// Leaves of which at least one must hold wherever the rule fires, those that seldom hold
    /// preferred; `None` if there is no such set, because nothing but negations is asked for.
    /// `cost` estimates how often a leaf holds.
    pub(crate) fn witnesses(&self, cost: &dyn Fn(LeafId) -> f32) -> Option<Vec<LeafId>> {
        let search = Search { expression: self, cost };
        let (_, mut chosen) = search.node(&self.condition, true)?;
        chosen.sort_unstable();
        chosen.dedup();
        let mut leaves: Vec<LeafId> = Vec::new();
        for (number, wanted) in chosen {
            leaves.extend(search.selection(number, wanted)?.1);
        }
        leaves.sort_unstable();
        leaves.dedup();
        Some(leaves)
    }
}

impl Part {
    fn holds(&self, truth: &dyn Truth) -> bool {
        let found = self.all_of.iter().all(|any_of| any_of.iter().any(|leaf| truth.holds(*leaf)));
        found != self.negated
    }
}

fn selection_of(selection: &Selection, intern: &mut dyn FnMut(&Item, &mut Vec<Vec<LeafId>>)) -> Blocks {
    selection.blocks.iter().map(|block| block_of(block, intern)).collect()
}

fn block_of(block: &Block, intern: &mut dyn FnMut(&Item, &mut Vec<Vec<LeafId>>)) -> Box<[Part]> {
    let part = |item: &Item| {
        let mut values = Vec::new();
        intern(item, &mut values);
        let all_of = match item.link {
            Link::All => values.into_iter().map(Vec::into_boxed_slice).collect(),
            Link::Any => Box::from([values.concat().into_boxed_slice()]),
        };
        Part { negated: item.negated, all_of }
    };
    block.items.iter().map(part).collect()
}

fn node_of(condition: &Condition, detection: &Detection) -> Node {
    let number_of = |name: &str| detection.selections.iter().position(|selection| selection.name == name);
    match condition {
        Condition::Or(parts) => Node::Or(parts.iter().map(|part| node_of(part, detection)).collect()),
        Condition::And(parts) => Node::And(parts.iter().map(|part| node_of(part, detection)).collect()),
        Condition::Not(part) => Node::Not(Box::new(node_of(part, detection))),
        // A name without selection never holds, as an `or` of nothing.
        Condition::Selection(name) => {
            number_of(name).map_or(Node::Or(Box::new([])), |number| Node::Selection(number as u32))
        }
        Condition::Of(quantity, target) => {
            let names = detection.selections.iter().map(|selection| selection.name.as_str());
            let meant = names.filter(|name| target.includes(name)).filter_map(number_of);
            let parts = meant.map(|number| Node::Selection(number as u32)).collect();
            match quantity {
                Quantity::One => Node::Or(parts),
                Quantity::All => Node::And(parts),
            }
        }
    }
}

/// Selections, each with the outcome that is asked of it.
type Chosen = Vec<(u32, bool)>;

struct Search<'e> {
    expression: &'e Expression,
    cost: &'e dyn Fn(LeafId) -> f32,
}

impl Search<'_> {
    /// Selections of which one must come out as said if the node is to come out as `wanted`.
    fn node(&self, node: &Node, wanted: bool) -> Option<(f32, Chosen)> {
        match (node, wanted) {
            (Node::Or(parts), true) | (Node::And(parts), false) => {
                let mut sum: (f32, Chosen) = (0.0, Vec::new());
                for part in parts {
                    let (cost, chosen) = self.node(part, wanted)?;
                    sum.0 += cost;
                    sum.1.extend(chosen);
                }
                Some(sum)
            }
            (Node::And(parts), true) | (Node::Or(parts), false) => {
                parts.iter().filter_map(|part| self.node(part, wanted)).min_by(|a, b| a.0.total_cmp(&b.0))
            }
            (Node::Not(part), wanted) => self.node(part, !wanted),
            (Node::Selection(number), wanted) => {
                let (cost, _) = self.selection(*number, wanted)?;
                Some((cost, vec![(*number, wanted)]))
            }
        }
    }

    fn selection(&self, number: u32, wanted: bool) -> Option<(f32, Vec<LeafId>)> {
        let blocks = &self.expression.selections[number as usize];
        if wanted {
            let mut sum: (f32, Vec<LeafId>) = (0.0, Vec::new());
            for block in blocks {
                let parts = block.iter().filter_map(|part| self.part(part, true));
                let (cost, leaves) = parts.min_by(|a, b| a.0.total_cmp(&b.0))?;
                sum.0 += cost;
                sum.1.extend(leaves);
            }
            return Some(sum);
        }
        // Every block fails: for each it is enough that one of its items fails, and any block will do as witness.
        let failing = blocks.iter().filter_map(|block| {
            let mut sum: (f32, Vec<LeafId>) = (0.0, Vec::new());
            for part in block {
                let (cost, leaves) = self.part(part, false)?;
                sum.0 += cost;
                sum.1.extend(leaves);
            }
            Some(sum)
        });
        failing.min_by(|a, b| a.0.total_cmp(&b.0))
    }

    fn part(&self, part: &Part, wanted: bool) -> Option<(f32, Vec<LeafId>)> {
        // That leaves do not hold shows nothing: there is no witness for it.
        if wanted == part.negated {
            return None;
        }
        let cost_of = |any_of: &[LeafId]| any_of.iter().map(|leaf| (self.cost)(*leaf)).sum::<f32>();
        let cheapest = part.all_of.iter().map(|any_of| (cost_of(any_of), any_of)).min_by(|a, b| a.0.total_cmp(&b.0));
        cheapest.map(|(cost, any_of)| (cost, any_of.to_vec()))
    }
}
