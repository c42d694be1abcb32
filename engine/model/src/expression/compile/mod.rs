//! From CEL's syntax tree to the tree that is evaluated, checking all that needs no values.

mod call;

use cel::common::ast::{EntryExpr, Expr, IdedExpr, LiteralValue, MapExpr, SourceInfo};

#[cfg(test)]
pub(super) use call::LOOPS;

use super::error::{ExpressionError, Position};
use super::node::{Node, NodeKind};
use super::number;
use super::value::{Key, Value};

/// Deepest tree: a chain of so many operators, or so many levels of brackets and calls.
pub const MAX_DEPTH: usize = 100;

/// Loops inside loops; the time they take is the product of their lists' lengths.
pub const MAX_LOOP_DEPTH: usize = 3;

type Compiled<T> = Result<T, ExpressionError>;

/// Compiles one expression.
pub(super) struct Compiler<'a> {
    source: &'a str,
    info: &'a SourceInfo,
    names: Vec<String>,
    /// Variables of the loops around the part being compiled, outermost first.
    loop_variables: Vec<String>,
    depth: usize,
}

impl<'a> Compiler<'a> {
    pub(super) fn new(source: &'a str, info: &'a SourceInfo) -> Self {
        Self { source, info, names: Vec::new(), loop_variables: Vec::new(), depth: 0 }
    }

    /// The tree and the names that it reads.
    pub(super) fn compile(mut self, tree: &IdedExpr) -> Compiled<(Node, Vec<String>)> {
        let root = self.node(tree)?;
        Ok((root, self.names))
    }

    fn node(&mut self, tree: &IdedExpr) -> Compiled<Node> {
        if self.depth == MAX_DEPTH {
            return Err(self.error(tree, format!("the expression is more than {MAX_DEPTH} levels deep; split it up")));
        }
        self.depth += 1;
        let node = self.part(tree)?;
        self.depth -= 1;
        Ok(node)
    }

    fn part(&mut self, tree: &IdedExpr) -> Compiled<Node> {
        let kind = match &tree.expr {
            Expr::Call(call) => return self.call(tree, call),
            Expr::Literal(literal) => NodeKind::Literal(self.literal(tree, literal)?),
            Expr::Ident(name) => self.name(name),
            Expr::Select(select) => {
                NodeKind::Field { of: self.boxed(&select.operand)?, key: Key::from(select.field.as_str()) }
            }
            Expr::List(list) => NodeKind::List(self.nodes(&list.elements)?),
            Expr::Map(map) => self.map(tree, map)?,
            Expr::Struct(_) => {
                return Err(self.error(tree, "there are no messages here; write a map as {'key': value}"));
            }
            Expr::Comprehension(_) | Expr::Unspecified => {
                return Err(self.error(tree, "the expression cannot be read"));
            }
        };
        Ok(Node { at: self.offset(tree), kind })
    }

    fn boxed(&mut self, tree: &IdedExpr) -> Compiled<Box<Node>> {
        self.node(tree).map(Box::new)
    }

    fn nodes(&mut self, trees: &[IdedExpr]) -> Compiled<Vec<Node>> {
        trees.iter().map(|tree| self.node(tree)).collect()
    }

    fn literal(&self, tree: &IdedExpr, literal: &LiteralValue) -> Compiled<Value> {
        match literal {
            LiteralValue::Null => Ok(Value::Null),
            LiteralValue::Boolean(value) => Ok(Value::Boolean(*value.inner())),
            LiteralValue::Int(value) => Ok(Value::Integer(*value.inner())),
            LiteralValue::String(value) => Ok(Value::from(value.inner())),
            LiteralValue::Double(value) => self.decimal(tree, value.inner().is_sign_negative()),
            LiteralValue::UInt(_) => {
                Err(self.error(tree, "there are no unsigned integers; write the number without `u`"))
            }
            LiteralValue::Bytes(_) => Err(self.error(tree, "there are no bytes; write a string without `b`")),
        }
    }

    /// A decimal literal, read from its text since the parser's float has already lost digits.
    fn decimal(&self, tree: &IdedExpr, is_negative: bool) -> Compiled<Value> {
        let text =
            self.info.offset_for(tree.id).and_then(|(start, end)| self.source.get(start as usize..=end as usize));
        let value = number::parse_decimal(text.unwrap_or_default()).map_err(|fault| self.error(tree, fault.message))?;
        Ok(Value::Decimal(if is_negative { -value } else { value }))
    }

    fn name(&mut self, name: &str) -> NodeKind {
        // A leading dot passes by the loops' variables.
        let (name, is_global) = name.strip_prefix('.').map_or((name, false), |name| (name, true));
        if !is_global && let Some(depth) = self.loop_variables.iter().rposition(|variable| variable == name) {
            return NodeKind::LoopVariable(depth);
        }
        self.global(name)
    }

    /// A name that the scope gives.
    fn global(&mut self, name: &str) -> NodeKind {
        let known = self.names.iter().position(|known| known == name);
        NodeKind::Variable(known.unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        }))
    }

    fn map(&mut self, tree: &IdedExpr, map: &MapExpr) -> Compiled<NodeKind> {
        let mut entries = Vec::with_capacity(map.entries.len());
        for entry in &map.entries {
            let EntryExpr::MapEntry(entry) = &entry.expr else {
                return Err(self.error(tree, "the expression cannot be read"));
            };
            entries.push((self.node(&entry.key)?, self.node(&entry.value)?));
        }
        Ok(NodeKind::Map(entries))
    }

    fn offset(&self, tree: &IdedExpr) -> u32 {
        self.info.offset_for(tree.id).map_or(0, |(start, _)| start)
    }

    fn error(&self, tree: &IdedExpr, message: impl Into<String>) -> ExpressionError {
        self.error_at(self.offset(tree), message)
    }

    fn error_at(&self, at: u32, message: impl Into<String>) -> ExpressionError {
        ExpressionError::new(message, Position::at(self.source, at as usize))
    }
}
