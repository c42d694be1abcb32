//! What an expression asks of a record, as far as a search can ask it: questions about one property each, joined by
//! `&&`, `||` and `!`. Parts that read no property are computed beforehand.

use super::budget::Budget;
use super::error::{ExpressionError, Position};
use super::evaluate::Evaluation;
use super::node::{BinaryOperator, LoopBody, Node, NodeKind};
use super::scope::Scope;
use super::value::Value;

/// What an expression asks of a record.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Condition {
    /// Every one holds.
    All(Vec<Condition>),
    /// One holds at least.
    Any(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// The same for every record.
    Constant(bool),
    /// About one property.
    Asked(Asked),
}

/// A question about one property.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Asked {
    /// The property's name.
    pub(crate) name: String,
    /// How it is compared.
    pub(crate) question: Question,
    /// What it is compared with; null where nothing is.
    pub(crate) value: Value,
    /// Where the question stands.
    pub(crate) position: Position,
}

/// How a property is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Question {
    /// There is a value.
    Exists,
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    /// It is one of the values of a list.
    In,
    /// It is a list that holds one of the values of a list.
    Holds,
    StartsWith,
    Contains,
}

/// What the tree asks; otherwise every part that cannot be asked.
pub(super) fn lower(
    root: &Node,
    names: &[String],
    source: &str,
    constants: &Scope<'_>,
) -> Result<Condition, Vec<ExpressionError>> {
    let variables: Vec<_> = names.iter().map(|name| constants.lookup(name)).collect();
    let is_constant = variables.iter().map(Option::is_some).collect();
    let evaluation = Evaluation::new(names, variables, Budget::new());
    let mut lowering = Lowering { names, source, is_constant, evaluation, errors: Vec::new() };
    match lowering.condition(root) {
        Some(condition) if lowering.errors.is_empty() => Ok(condition),
        _ => Err(lowering.errors),
    }
}

struct Lowering<'a> {
    names: &'a [String],
    source: &'a str,
    /// Whether each name is a value rather than a property.
    is_constant: Vec<bool>,
    evaluation: Evaluation<'a>,
    errors: Vec<ExpressionError>,
}

impl<'a> Lowering<'a> {
    /// What a part asks; `None` where something is wrong, which has been noted.
    fn condition(&mut self, node: &Node) -> Option<Condition> {
        if self.is_value(node) {
            return match self.value(node)? {
                Value::Boolean(value) => Some(Condition::Constant(value)),
                other => self.refuse(node, &format!("a condition is true or false, and this is {}", other.shape())),
            };
        }
        match &node.kind {
            NodeKind::Not(of) => self.condition(of).map(negated),
            NodeKind::Logical { decisive, left, right } => {
                let (left, right) = (self.condition(left), self.condition(right));
                Some(joined(*decisive, left?, right?))
            }
            NodeKind::Variable(_) => self.asked(node, node, Question::Equal, Value::Boolean(true)),
            NodeKind::Binary { operator, left, right } => self.comparison(node, *operator, left, right),
            NodeKind::Call { function, arguments } => match (function.name, arguments.as_slice()) {
                ("startsWith", [text, part]) => self.text(node, text, Question::StartsWith, part),
                ("contains", [text, part]) => self.text(node, text, Question::Contains, part),
                _ => self.unsupported(node),
            },
            NodeKind::Loop { range, body: LoopBody::Quantifier { decisive: true, condition } } => {
                let values = self.elements(condition)?;
                self.asked(node, range, Question::Holds, Value::from(values))
            }
            _ => self.unsupported(node),
        }
    }

    fn comparison(&mut self, node: &Node, operator: BinaryOperator, left: &Node, right: &Node) -> Option<Condition> {
        let is_flipped = self.is_value(left);
        let (property, constant) = if is_flipped { (right, left) } else { (left, right) };
        if !self.is_value(constant) {
            let both = self.property(left).is_some() && self.property(right).is_some();
            return match both {
                true => self.refuse(node, "a search compares a property with a value, not with another property"),
                false => self.unsupported(if self.property(left).is_some() { right } else { left }),
            };
        }
        let question = match operator {
            BinaryOperator::Equal | BinaryOperator::NotEqual => Question::Equal,
            BinaryOperator::Less if is_flipped => Question::Greater,
            BinaryOperator::LessOrEqual if is_flipped => Question::GreaterOrEqual,
            BinaryOperator::Greater if is_flipped => Question::Less,
            BinaryOperator::GreaterOrEqual if is_flipped => Question::LessOrEqual,
            BinaryOperator::Less => Question::Less,
            BinaryOperator::LessOrEqual => Question::LessOrEqual,
            BinaryOperator::Greater => Question::Greater,
            BinaryOperator::GreaterOrEqual => Question::GreaterOrEqual,
            BinaryOperator::In if is_flipped => Question::Holds,
            BinaryOperator::In => Question::In,
            BinaryOperator::Add
            | BinaryOperator::Subtract
            | BinaryOperator::Multiply
            | BinaryOperator::Divide
            | BinaryOperator::Remainder => return self.unsupported(node),
        };
        let value = self.value(constant)?;
        let condition = match (question, value) {
            // To be equal to null is to have no value.
            (Question::Equal, Value::Null) => self.asked(node, property, Question::Exists, Value::Null).map(negated),
            (Question::Holds, value) => self.asked(node, property, question, Value::from(vec![value])),
            (Question::In, value) if !matches!(value, Value::List(_)) => {
                self.refuse(constant, &format!("`in` needs a list of values here, not {}", value.shape()))
            }
            (question, value) => self.asked(node, property, question, value),
        };
        if operator == BinaryOperator::NotEqual { condition.map(negated) } else { condition }
    }

    fn text(&mut self, node: &Node, text: &Node, question: Question, part: &Node) -> Option<Condition> {
        if !self.is_value(part) {
            return self.unsupported(part);
        }
        let value = self.value(part)?;
        self.asked(node, text, question, value)
    }

    /// The values that an element of a list is compared with in `exists`: by `==`, by `in`, or several of them by `||`.
    fn elements(&mut self, condition: &Node) -> Option<Vec<Value>> {
        const FORM: &str = "a search asks of a list only whether it holds given values, as in tags.exists(t, t == 'x')";
        let is_element = |node: &Node| matches!(node.kind, NodeKind::LoopVariable(0));
        match &condition.kind {
            NodeKind::Logical { decisive: true, left, right } => {
                let (left, right) = (self.elements(left), self.elements(right));
                Some([left?, right?].concat())
            }
            NodeKind::Binary { operator: BinaryOperator::Equal, left, right }
                if is_element(left) && self.is_value_in_loop(right) =>
            {
                self.value(right).map(|value| vec![value])
            }
            NodeKind::Binary { operator: BinaryOperator::Equal, left, right }
                if is_element(right) && self.is_value_in_loop(left) =>
            {
                self.value(left).map(|value| vec![value])
            }
            NodeKind::Binary { operator: BinaryOperator::In, left, right }
                if is_element(left) && self.is_value_in_loop(right) =>
            {
                match self.value(right)? {
                    Value::List(values) => Some(values.to_vec()),
                    _ => self.refuse(right, FORM),
                }
            }
            _ => self.refuse(condition, FORM),
        }
    }

    /// A question about what `property` names.
    fn asked(&mut self, node: &Node, property: &Node, question: Question, value: Value) -> Option<Condition> {
        let Some(name) = self.property(property) else { return self.unsupported(property) };
        let position = Position::at(self.source, node.at as usize);
        Some(Condition::Asked(Asked { name: name.to_owned(), question, value, position }))
    }

    /// The property that a part is.
    fn property(&self, node: &Node) -> Option<&'a str> {
        match node.kind {
            NodeKind::Variable(index) if !self.is_bound(index) => self.names.get(index).map(String::as_str),
            _ => None,
        }
    }

    fn is_bound(&self, index: usize) -> bool {
        self.is_constant.get(index).copied().unwrap_or(false)
    }

    /// The part reads no property. Its own loops' variables are its own business.
    fn is_value(&self, node: &Node) -> bool {
        match node.kind {
            NodeKind::Variable(index) => self.is_bound(index),
            _ => node.parts().into_iter().all(|part| self.is_value(part)),
        }
    }

    /// The same within a loop over a property, whose variable is no value.
    fn is_value_in_loop(&self, node: &Node) -> bool {
        let is_inner = !matches!(node.kind, NodeKind::LoopVariable(_) | NodeKind::Loop { .. });
        is_inner && self.is_value(node) && node.parts().into_iter().all(|part| self.is_value_in_loop(part))
    }

    fn value(&mut self, node: &Node) -> Option<Value> {
        match self.evaluation.evaluate(node) {
            Ok(value) => Some(value),
            Err(fault) => {
                self.errors.push(ExpressionError::from_fault(fault, self.source));
                None
            }
        }
    }

    /// Notes why a part cannot be asked by a search.
    fn unsupported<T>(&mut self, node: &Node) -> Option<T> {
        let message = match &node.kind {
            NodeKind::Matches { .. } => "a search takes no patterns; use startsWith(…) or contains(…)",
            NodeKind::Call { function, .. } if matches!(function.name, "startsWith" | "contains") => {
                "a search asks this of a property itself, as in name.startsWith('a')"
            }
            NodeKind::Call { .. } => "a search calls no function on a property but startsWith and contains",
            NodeKind::Conditional { .. } => "a search has no `? :`; write it with `&&` and `||`",
            NodeKind::Field { .. } | NodeKind::HasField { .. } | NodeKind::Index { .. } => {
                "a search does not look into values; it asks about properties as a whole"
            }
            NodeKind::Negate(_) | NodeKind::Binary { .. } if !self.is_condition(node) => {
                "a search does not compute with properties; compare the property itself with a value"
            }
            NodeKind::Loop { .. } => {
                "a search asks of a list only whether it holds given values, as in tags.exists(t, t == 'x')"
            }
            _ => "a search cannot ask this; it compares properties with values",
        };
        self.refuse(node, message)
    }

    fn is_condition(&self, node: &Node) -> bool {
        matches!(&node.kind, NodeKind::Binary { operator, .. } if !matches!(
            operator,
            BinaryOperator::Add
                | BinaryOperator::Subtract
                | BinaryOperator::Multiply
                | BinaryOperator::Divide
                | BinaryOperator::Remainder
        ))
    }

    fn refuse<T>(&mut self, node: &Node, message: &str) -> Option<T> {
        self.errors.push(ExpressionError::new(message, Position::at(self.source, node.at as usize)));
        None
    }
}

/// The opposite; twice the opposite is the same.
fn negated(condition: Condition) -> Condition {
    match condition {
        Condition::Not(inner) => *inner,
        Condition::Constant(value) => Condition::Constant(!value),
        other => Condition::Not(Box::new(other)),
    }
}

/// Both under one `||`, where true decides, or `&&`: a long chain is one level.
fn joined(decisive: bool, left: Condition, right: Condition) -> Condition {
    let mut parts = Vec::new();
    for side in [left, right] {
        match side {
            Condition::Any(inner) if decisive => parts.extend(inner),
            Condition::All(inner) if !decisive => parts.extend(inner),
            other => parts.push(other),
        }
    }
    if decisive { Condition::Any(parts) } else { Condition::All(parts) }
}
