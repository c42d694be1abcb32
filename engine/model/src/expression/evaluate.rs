//! Evaluation of a compiled tree.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::budget::Budget;
use super::fault::Fault;
use super::node::{LoopBody, Node, NodeKind};
use super::number::Number;
use super::operator;
use super::value::{Key, Value};

type Evaluated<T> = Result<T, Fault>;

/// One evaluation of one expression.
pub(super) struct Evaluation<'a> {
    names: &'a [String],
    /// The value of each name, where the scope has one. A fault only matters once the name is read.
    variables: Vec<Option<Evaluated<Value>>>,
    loop_variables: Vec<Value>,
    budget: Budget,
}

impl<'a> Evaluation<'a> {
    pub(super) fn new(names: &'a [String], variables: Vec<Option<Evaluated<Value>>>, budget: Budget) -> Self {
        Self { names, variables, loop_variables: Vec::new(), budget }
    }

    /// The expression's value.
    pub(super) fn run(&mut self, root: &Node) -> Evaluated<Value> {
        let value = self.evaluate(root)?;
        self.budget.charge_whole(&value)?;
        Ok(value)
    }

    /// The steps that are left.
    pub(super) fn budget(&self) -> &Budget {
        &self.budget
    }

    /// The value of a part, which counts towards the same budget as those before it.
    pub(super) fn evaluate(&mut self, node: &Node) -> Evaluated<Value> {
        self.budget.charge(1)?;
        self.kind(&node.kind).map_err(|fault| fault.at(node.at))
    }

    fn kind(&mut self, kind: &NodeKind) -> Evaluated<Value> {
        match kind {
            NodeKind::Literal(value) => Ok(value.clone()),
            NodeKind::Variable(index) => self.variable(*index),
            NodeKind::LoopVariable(depth) => Ok(self.loop_variables.get(*depth).cloned().unwrap_or(Value::Null)),
            NodeKind::Field { of, key } => select(&self.evaluate(of)?, key),
            NodeKind::HasField { of, key } => has(&self.evaluate(of)?, key),
            NodeKind::Index { of, index } => at_index(&self.evaluate(of)?, &self.evaluate(index)?),
            NodeKind::Not(of) => self.condition("!", of).map(|value| Value::Boolean(!value)),
            NodeKind::Negate(of) => {
                let value = self.evaluate(of)?;
                Number::of(&value).map_or_else(|| Err(Fault::undefined("-", &[&value])), Number::negate)
            }
            NodeKind::Logical { decisive, left, right } => self.logical(*decisive, left, right),
            NodeKind::Conditional { condition, then, otherwise } => {
                let branch = if self.condition("?", condition)? { then } else { otherwise };
                self.evaluate(branch)
            }
            NodeKind::Binary { operator, left, right } => {
                let (left, right) = (self.evaluate(left)?, self.evaluate(right)?);
                operator::apply(*operator, &left, &right, &mut self.budget)
            }
            NodeKind::Call { function, arguments } => {
                let values = self.values(arguments)?;
                self.charge_texts(&values)?;
                self.budget.charge(function.cost(&values))?;
                function.call(&values)
            }
            NodeKind::Matches { text, pattern } => {
                let value = self.evaluate(text)?;
                self.charge_texts(std::slice::from_ref(&value))?;
                match &value {
                    Value::String(text) => Ok(Value::Boolean(pattern.is_match(text))),
                    other => Err(Fault::undefined("matches", &[other])),
                }
            }
            NodeKind::List(items) => self.values(items).map(Value::from),
            NodeKind::Map(entries) => self.map(entries),
            NodeKind::Loop { range, body } => self.loop_over(range, body),
        }
    }

    fn variable(&self, index: usize) -> Evaluated<Value> {
        match self.variables.get(index) {
            Some(Some(Ok(value))) => Ok(value.clone()),
            Some(Some(Err(fault))) => Err(Fault::new(fault.message.clone())),
            _ => {
                let name = self.names.get(index).map_or("", String::as_str);
                Err(Fault::new(format!("there is nothing called `{name}` here")))
            }
        }
    }

    fn values(&mut self, nodes: &[Node]) -> Evaluated<Vec<Value>> {
        nodes.iter().map(|node| self.evaluate(node)).collect()
    }

    fn charge_texts(&mut self, values: &[Value]) -> Evaluated<()> {
        values.iter().try_for_each(|value| match value {
            Value::String(text) => self.budget.charge_text(text.len()),
            _ => Ok(()),
        })
    }

    /// A part that must be true or false for `operator`.
    fn condition(&mut self, operator: &str, node: &Node) -> Evaluated<bool> {
        match self.evaluate(node)? {
            Value::Boolean(value) => Ok(value),
            other => Err(Fault::unmet(&format!("`{operator}` needs true or false"), &other).at(node.at)),
        }
    }

    /// `||` and `&&`: a side that decides does so even where the other fails.
    fn logical(&mut self, decisive: bool, left: &Node, right: &Node) -> Evaluated<Value> {
        let symbol = if decisive { "||" } else { "&&" };
        let fault = match self.condition(symbol, left) {
            Ok(value) if value == decisive => return Ok(Value::Boolean(decisive)),
            Ok(_) => return self.condition(symbol, right).map(Value::Boolean),
            Err(fault) if fault.is_fatal() => return Err(fault),
            Err(fault) => fault,
        };
        match self.condition(symbol, right) {
            Ok(value) if value == decisive => Ok(Value::Boolean(decisive)),
            Err(second) if second.is_fatal() => Err(second),
            Ok(_) | Err(_) => Err(fault),
        }
    }

    fn map(&mut self, entries: &[(Node, Node)]) -> Evaluated<Value> {
        let mut map = BTreeMap::new();
        for (key_node, value_node) in entries {
            let key = self.evaluate(key_node)?;
            let wrong = || Fault::unmet("a key is a string, an integer or a boolean", &key).at(key_node.at);
            let key = Key::of(&key).ok_or_else(wrong)?;
            let value = self.evaluate(value_node)?;
            if map.insert(key, value).is_some() {
                return Err(Fault::new("the map has this key twice").at(key_node.at));
            }
        }
        Ok(Value::Map(Arc::new(map)))
    }

    fn loop_over(&mut self, range: &Node, body: &LoopBody) -> Evaluated<Value> {
        let range = self.evaluate(range)?;
        let items: Box<dyn Iterator<Item = Value> + '_> = match &range {
            Value::List(items) => Box::new(items.iter().cloned()),
            Value::Map(entries) => Box::new(entries.keys().map(Key::to_value)),
            other => return Err(Fault::unmet("a loop needs a list or a map", other)),
        };
        match body {
            LoopBody::Quantifier { decisive, condition } => self.quantify(items, *decisive, condition),
            LoopBody::ExistsOne { condition } => self.exists_one(items, condition),
            LoopBody::Collect { condition, transform } => {
                self.collect(items, condition.as_deref(), transform.as_deref())
            }
        }
    }

    /// `all` and `exists`: one element that decides does so even where others fail.
    fn quantify(&mut self, items: impl Iterator<Item = Value>, decisive: bool, condition: &Node) -> Evaluated<Value> {
        let mut failed = None;
        for item in items {
            match self.with_item(item, |this| this.condition(if decisive { "exists" } else { "all" }, condition)) {
                Ok(value) if value == decisive => return Ok(Value::Boolean(decisive)),
                Ok(_) => {}
                Err(fault) if fault.is_fatal() => return Err(fault),
                Err(fault) => failed = Some(fault),
            }
        }
        failed.map_or(Ok(Value::Boolean(!decisive)), Err)
    }

    fn exists_one(&mut self, items: impl Iterator<Item = Value>, condition: &Node) -> Evaluated<Value> {
        let mut count = 0_usize;
        for item in items {
            count += usize::from(self.with_item(item, |this| this.condition("exists_one", condition))?);
        }
        Ok(Value::Boolean(count == 1))
    }

    fn collect(
        &mut self,
        items: impl Iterator<Item = Value>,
        condition: Option<&Node>,
        transform: Option<&Node>,
    ) -> Evaluated<Value> {
        let mut collected = Vec::new();
        for item in items {
            let kept = self.with_item(item.clone(), |this| {
                let meets = condition.map_or(Ok(true), |condition| this.condition("filter", condition))?;
                match transform {
                    Some(transform) if meets => this.evaluate(transform).map(Some),
                    _ => Ok(meets.then_some(item)),
                }
            })?;
            collected.extend(kept);
        }
        Ok(Value::from(collected))
    }

    /// Runs `body` with the loop's variable set to `item`.
    fn with_item<T>(&mut self, item: Value, body: impl FnOnce(&mut Self) -> T) -> T {
        self.loop_variables.push(item);
        let result = body(self);
        self.loop_variables.pop();
        result
    }
}

fn select(value: &Value, key: &Key) -> Evaluated<Value> {
    let Value::Map(entries) = value else { return Err(Fault::unmet("a field needs a map", value)) };
    entries.get(key).cloned().ok_or_else(|| missing_key(key))
}

fn has(value: &Value, key: &Key) -> Evaluated<Value> {
    match value {
        Value::Map(entries) => Ok(Value::Boolean(entries.get(key).is_some_and(|found| !matches!(found, Value::Null)))),
        other => Err(Fault::unmet("`has` needs a map", other)),
    }
}

fn at_index(value: &Value, index: &Value) -> Evaluated<Value> {
    match (value, Key::of(index)) {
        (Value::Map(entries), Some(key)) => entries.get(&key).cloned().ok_or_else(|| missing_key(&key)),
        (Value::List(items), Some(Key::Integer(position))) => {
            let item = usize::try_from(position).ok().and_then(|position| items.get(position)).cloned();
            item.ok_or_else(|| Fault::new(format!("the list has {} elements, none at {position}", items.len())))
        }
        _ => Err(Fault::undefined("[]", &[value, index])),
    }
}

fn missing_key(key: &Key) -> Fault {
    let key = key.to_value().to_text().unwrap_or_default();
    Fault::new(format!("there is no `{key}` in the map; test it with has(…)"))
}
