//! The tree that is evaluated: names resolved, functions looked up, patterns and literals ready.

use std::iter;

use regex::Regex;

use super::function::Function;
use super::value::{Key, Value};

/// A part of an expression.
#[derive(Debug)]
pub(super) struct Node {
    /// Byte offset in the source.
    pub(super) at: u32,
    pub(super) kind: NodeKind,
}

#[derive(Debug)]
pub(super) enum NodeKind {
    Literal(Value),
    /// A name that the scope gives, by its index in the expression's names.
    Variable(usize),
    /// A loop's variable, by its depth among the loops around it.
    LoopVariable(usize),
    Field {
        of: Box<Node>,
        key: Key,
    },
    HasField {
        of: Box<Node>,
        key: Key,
    },
    Index {
        of: Box<Node>,
        index: Box<Node>,
    },
    Not(Box<Node>),
    Negate(Box<Node>),
    /// `||` where true decides, `&&` where false does.
    Logical {
        decisive: bool,
        left: Box<Node>,
        right: Box<Node>,
    },
    Conditional {
        condition: Box<Node>,
        then: Box<Node>,
        otherwise: Box<Node>,
    },
    Binary {
        operator: BinaryOperator,
        left: Box<Node>,
        right: Box<Node>,
    },
    Call {
        function: &'static Function,
        arguments: Vec<Node>,
    },
    Matches {
        text: Box<Node>,
        pattern: Regex,
    },
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
    Loop {
        range: Box<Node>,
        body: LoopBody,
    },
}

impl Node {
    /// The parts that it is made of, in the order in which they are written.
    pub(super) fn parts(&self) -> Vec<&Self> {
        match &self.kind {
            NodeKind::Literal(_) | NodeKind::Variable(_) | NodeKind::LoopVariable(_) => Vec::new(),
            NodeKind::Field { of, .. } | NodeKind::HasField { of, .. } | NodeKind::Not(of) | NodeKind::Negate(of) => {
                vec![of]
            }
            NodeKind::Matches { text, .. } => vec![text],
            NodeKind::Index { of, index } => vec![of, index],
            NodeKind::Logical { left, right, .. } | NodeKind::Binary { left, right, .. } => vec![left, right],
            NodeKind::Conditional { condition, then, otherwise } => vec![condition, then, otherwise],
            NodeKind::Call { arguments, .. } => arguments.iter().collect(),
            NodeKind::List(items) => items.iter().collect(),
            NodeKind::Map(entries) => entries.iter().flat_map(|(key, value)| [key, value]).collect(),
            NodeKind::Loop { range, body } => iter::once(range.as_ref()).chain(body.parts()).collect(),
        }
    }
}

impl LoopBody {
    pub(super) fn parts(&self) -> impl Iterator<Item = &Node> {
        let (condition, transform) = match self {
            Self::Quantifier { condition, .. } | Self::ExistsOne { condition } => (Some(condition), None),
            Self::Collect { condition, transform } => (condition.as_ref(), transform.as_ref()),
        };
        condition.into_iter().chain(transform).map(AsRef::as_ref)
    }
}

/// What a macro does with each element.
#[derive(Debug)]
pub(super) enum LoopBody {
    /// `all` where false decides, `exists` where true does.
    Quantifier {
        decisive: bool,
        condition: Box<Node>,
    },
    ExistsOne {
        condition: Box<Node>,
    },
    /// `map` and `filter`: elements that meet the condition, transformed.
    Collect {
        condition: Option<Box<Node>>,
        transform: Option<Box<Node>>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BinaryOperator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
}

impl BinaryOperator {
    /// As written.
    pub(super) fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::In => "in",
        }
    }
}
