//! Calls: operators, macros and functions all look alike in CEL's syntax tree.

use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, operators};
use regex::RegexBuilder;

use crate::name::did_you_mean;

use super::super::function::{Function, Style, TABLE};
use super::super::node::{BinaryOperator, LoopBody, Node, NodeKind};
use super::super::value::{Key, Value};
use super::{Compiled, Compiler, MAX_LOOP_DEPTH};

/// Largest compiled pattern, which bounds the time and memory that a hostile one takes.
const MAX_PATTERN_BYTES: usize = 256 * 1024;

/// Calls that go through the elements of a list or the keys of a map.
pub(in super::super) const LOOPS: &[&str] = &["all", "exists", "exists_one", "existsOne", "map", "filter"];

impl Compiler<'_> {
    pub(super) fn call(&mut self, tree: &IdedExpr, call: &CallExpr) -> Compiled<Node> {
        let at = self.offset(tree);
        if let Some(kind) = self.operator(call)? {
            return Ok(Node { at, kind });
        }
        // The parser places a call at its bracket.
        let before = self.source.get(..at as usize).unwrap_or_default().trim_end();
        let at = before.strip_suffix(call.func_name.as_str()).map_or(at, |before| before.len() as u32);
        let kind = match (call.target.as_deref(), call.func_name.as_str(), call.args.as_slice()) {
            (None, "has", arguments) => self.has(at, arguments)?,
            (None, name @ ("now" | "today"), []) => self.global(name),
            (Some(range), name, arguments) if LOOPS.contains(&name) => self.loop_over(at, range, name, arguments)?,
            (Some(text), "matches", [pattern]) | (None, "matches", [text, pattern]) => self.matches(text, pattern)?,
            (target, name, arguments) => self.function(at, target, name, arguments)?,
        };
        Ok(Node { at, kind })
    }

    fn operator(&mut self, call: &CallExpr) -> Compiled<Option<NodeKind>> {
        Ok(Some(match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::LOGICAL_NOT, [of]) => NodeKind::Not(self.boxed(of)?),
            (operators::NEGATE, [of]) => NodeKind::Negate(self.boxed(of)?),
            (operators::INDEX, [of, index]) => NodeKind::Index { of: self.boxed(of)?, index: self.boxed(index)? },
            (operators::CONDITIONAL, [condition, then, otherwise]) => NodeKind::Conditional {
                condition: self.boxed(condition)?,
                then: self.boxed(then)?,
                otherwise: self.boxed(otherwise)?,
            },
            (name @ (operators::LOGICAL_OR | operators::LOGICAL_AND), [left, right]) => NodeKind::Logical {
                decisive: name == operators::LOGICAL_OR,
                left: self.boxed(left)?,
                right: self.boxed(right)?,
            },
            (name, [left, right]) => match binary_operator(name) {
                Some(operator) => NodeKind::Binary { operator, left: self.boxed(left)?, right: self.boxed(right)? },
                None => return Ok(None),
            },
            _ => return Ok(None),
        }))
    }

    fn has(&mut self, at: u32, arguments: &[IdedExpr]) -> Compiled<NodeKind> {
        match arguments {
            [IdedExpr { expr: Expr::Select(select), .. }] => {
                Ok(NodeKind::HasField { of: self.boxed(&select.operand)?, key: Key::from(select.field.as_str()) })
            }
            [name @ IdedExpr { expr: Expr::Ident(_), .. }] => {
                let null = Box::new(Node { at, kind: NodeKind::Literal(Value::Null) });
                Ok(NodeKind::Binary { operator: BinaryOperator::NotEqual, left: self.boxed(name)?, right: null })
            }
            _ => Err(self.error_at(at, "`has` takes a name or a field, as in has(a) or has(a.b)")),
        }
    }

    fn loop_over(&mut self, at: u32, range: &IdedExpr, name: &str, arguments: &[IdedExpr]) -> Compiled<NodeKind> {
        let (variable, parts) = match arguments {
            [IdedExpr { expr: Expr::Ident(variable), .. }, parts @ ..] if !variable.starts_with('.') => {
                (variable, parts)
            }
            _ => {
                let message = format!("`{name}` takes a name for each element first, as in list.{name}(x, …)");
                return Err(self.error_at(at, message));
            }
        };
        let range = self.boxed(range)?;
        if self.loop_variables.len() == MAX_LOOP_DEPTH {
            return Err(self.error_at(at, format!("at most {MAX_LOOP_DEPTH} loops can be inside each other")));
        }
        self.loop_variables.push(variable.clone());
        let body = match (name, parts) {
            ("all", [condition]) => LoopBody::Quantifier { decisive: false, condition: self.boxed(condition)? },
            ("exists", [condition]) => LoopBody::Quantifier { decisive: true, condition: self.boxed(condition)? },
            ("exists_one" | "existsOne", [condition]) => LoopBody::ExistsOne { condition: self.boxed(condition)? },
            ("filter", [condition]) => LoopBody::Collect { condition: Some(self.boxed(condition)?), transform: None },
            ("map", [transform]) => LoopBody::Collect { condition: None, transform: Some(self.boxed(transform)?) },
            ("map", [condition, transform]) => {
                LoopBody::Collect { condition: Some(self.boxed(condition)?), transform: Some(self.boxed(transform)?) }
            }
            _ => {
                let message = format!("`{name}` takes a name and a condition, as in list.{name}(x, …)");
                return Err(self.error_at(at, message));
            }
        };
        self.loop_variables.pop();
        Ok(NodeKind::Loop { range, body })
    }

    fn matches(&mut self, text: &IdedExpr, pattern: &IdedExpr) -> Compiled<NodeKind> {
        let Expr::Literal(LiteralValue::String(source)) = &pattern.expr else {
            return Err(self.error(pattern, "a pattern is a literal string, so that it can be checked beforehand"));
        };
        let regex = RegexBuilder::new(source.inner()).size_limit(MAX_PATTERN_BYTES).build();
        let pattern = regex.map_err(|error| self.error(pattern, format!("the pattern is wrong: {error}")))?;
        Ok(NodeKind::Matches { text: self.boxed(text)?, pattern })
    }

    fn function(
        &mut self,
        at: u32,
        target: Option<&IdedExpr>,
        name: &str,
        arguments: &[IdedExpr],
    ) -> Compiled<NodeKind> {
        let style = if target.is_some() { Style::Method } else { Style::Global };
        let function = find_function(name, style).map_err(|message| self.error_at(at, message))?;
        if !function.arguments.contains(&arguments.len()) {
            let (least, most) = (function.arguments.start(), function.arguments.end());
            let wanted = if least == most { least.to_string() } else { format!("{least} or {most}") };
            return Err(self.error_at(at, format!("`{name}` takes {wanted} arguments, not {}", arguments.len())));
        }
        let arguments = target.into_iter().chain(arguments).map(|tree| self.node(tree)).collect::<Compiled<_>>()?;
        Ok(NodeKind::Call { function, arguments })
    }
}

fn binary_operator(name: &str) -> Option<BinaryOperator> {
    Some(match name {
        operators::ADD => BinaryOperator::Add,
        operators::SUBSTRACT => BinaryOperator::Subtract,
        operators::MULTIPLY => BinaryOperator::Multiply,
        operators::DIVIDE => BinaryOperator::Divide,
        operators::MODULO => BinaryOperator::Remainder,
        operators::EQUALS => BinaryOperator::Equal,
        operators::NOT_EQUALS => BinaryOperator::NotEqual,
        operators::LESS => BinaryOperator::Less,
        operators::LESS_EQUALS => BinaryOperator::LessOrEqual,
        operators::GREATER => BinaryOperator::Greater,
        operators::GREATER_EQUALS => BinaryOperator::GreaterOrEqual,
        operators::IN => BinaryOperator::In,
        _ => return None,
    })
}

fn find_function(name: &str, style: Style) -> Result<&'static Function, String> {
    if let Some(function) = TABLE.iter().find(|function| function.name == name && function.style == style) {
        return Ok(function);
    }
    if name == "matches" {
        return Err("`matches` takes one pattern, as in x.matches('^[A-Z]')".to_owned());
    }
    if TABLE.iter().any(|function| function.name == name) || LOOPS.contains(&name) {
        return Err(match style {
            Style::Global => format!("`{name}` is called on a value, as in x.{name}(…)"),
            Style::Method => format!("`{name}` is called with the value in brackets, as in {name}(x)"),
        });
    }
    let known = TABLE.iter().map(|function| function.name).chain(LOOPS.iter().copied()).chain(["has", "matches"]);
    Err(format!("there is no function `{name}`{}", did_you_mean(name, known)))
}
