//! What of an expression can never have a value, found before there are records.
//!
//! Each part has a set of shapes that its value may have. Whether an operator or a function is defined for shapes is not
//! written down a second time: it is tried on samples of them. A part is a mistake only where no sample of what it may
//! hold has a value; what is not known, such as what is in a `json` property, is never a mistake, and neither is null.

use indexmap::IndexMap;

use crate::former::called;
use crate::name::{Name, did_you_mean};
use crate::problem::Problem;
use crate::property::{Property, Storage};
use crate::query::Form;

use super::Expression;
use super::budget::Budget;
use super::error::{ExpressionError, Position};
use super::fault::{Fault, FaultKind};
use super::node::{BinaryOperator, LoopBody, Node, NodeKind};
use super::number::Number;
use super::operator;
use super::scope::RECORD_FIELDS;
use super::shapes::Shapes;
use super::value::{Key, Value};

/// Most values that an operation is tried on; beyond that its result is not known.
const MAX_TRIALS: usize = 1_000;

/// A mistake in an expression, found before it is evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpressionProblem {
    /// `unknown` for a name, `invalid_expression` for everything else.
    pub code: &'static str,
    /// What is wrong and what to do about it.
    pub message: String,
    /// Where in the source.
    pub position: Position,
}

impl ExpressionProblem {
    /// The problem of the definition that has the expression at `pointer`.
    pub fn at(self, pointer: &str) -> Problem {
        let error = ExpressionError::new(self.message, self.position);
        Problem::new(pointer, self.code, error.to_string())
    }
}

/// The present moment and day, where an expression may read them.
const MOMENTS: [(&str, Shapes); 2] = [("now", Shapes::DATETIME), ("today", Shapes::DATE)];

/// The names that an expression may read, and what they may hold.
#[derive(Debug, Clone, Default)]
pub struct Types<'a> {
    definitions: Vec<&'a IndexMap<Name, Property>>,
    /// Names that stand for whole records, each with the properties of the objects that such a record may be of.
    records: Vec<(&'a str, Vec<&'a IndexMap<Name, Property>>)>,
    /// The present moment and day are there.
    has_moments: bool,
    /// Names that are there too, and may hold anything.
    open: Vec<&'a str>,
}

impl<'a> Types<'a> {
    /// The properties of an object, archived ones included.
    pub fn of(definitions: &'a IndexMap<Name, Property>) -> Self {
        Self { definitions: vec![definitions], ..Self::default() }
    }

    /// Adds a name that stands for a whole record of one of these objects, or for none.
    #[must_use]
    pub fn and_record(mut self, name: &'a str, objects: Vec<&'a IndexMap<Name, Property>>) -> Self {
        self.records.push((name, objects));
        self
    }

    /// Adds `now` and `today`, the present moment and day.
    #[must_use]
    pub fn and_moments(mut self) -> Self {
        self.has_moments = true;
        self
    }

    /// Adds names of which it is not known what they hold.
    #[must_use]
    pub fn and(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        self.open.extend(names);
        self
    }

    fn shapes(&self, name: &str) -> Option<Shapes> {
        let found = self.definitions.iter().filter_map(|definitions| called(definitions, name));
        let known = found.map(|property| of_property(property).with(Shapes::NULL)).reduce(Shapes::with);
        let record = || self.record(name).map(|_| Shapes::MAP.with(Shapes::NULL));
        let moment = || MOMENTS.iter().find(|(moment, _)| self.has_moments && *moment == name).map(|(_, shape)| *shape);
        known.or_else(record).or_else(moment).or_else(|| self.open.contains(&name).then_some(Shapes::ANY))
    }

    /// The objects of the record that a name stands for.
    fn record(&self, name: &str) -> Option<&[&'a IndexMap<Name, Property>]> {
        self.records.iter().find(|(record, _)| *record == name).map(|(_, objects)| objects.as_slice())
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        let records = self.records.iter().map(|(name, _)| *name);
        let moments = MOMENTS.iter().map(|(name, _)| *name).filter(|_| self.has_moments);
        let properties = self.definitions.iter().flat_map(|definitions| definitions.keys()).map(Name::as_str);
        properties.chain(records).chain(moments)
    }
}

/// What a property holds where it has a value.
fn of_property(property: &Property) -> Shapes {
    match property.kind.storage() {
        Storage::Text | Storage::LongText | Storage::Option => Shapes::STRING,
        Storage::TextList => Shapes::LIST,
        Storage::Scaled(_) if property.kind.form() == Form::Integer => Shapes::INTEGER,
        Storage::Scaled(_) => Shapes::DECIMAL,
        Storage::Boolean => Shapes::BOOLEAN,
        Storage::Date => Shapes::DATE,
        Storage::Datetime => Shapes::DATETIME,
        Storage::Opaque => Shapes::ANY,
    }
}

/// Everything that is wrong with an expression whatever values the names of `types` have.
pub fn check(expression: &Expression, types: &Types<'_>) -> Vec<ExpressionProblem> {
    Checker::new(expression, types).run().1
}

/// [`check`] for what must be true or false, such as a rule.
pub fn check_condition(expression: &Expression, types: &Types<'_>) -> Vec<ExpressionProblem> {
    let (shapes, mut problems) = Checker::new(expression, types).run();
    if problems.is_empty() && !shapes.may_be(Shapes::BOOLEAN) {
        let message = format!("a condition must be true or false, and this is {}", shapes.in_words());
        problems.push(ExpressionProblem {
            code: "invalid_expression",
            message,
            position: Position::at(expression.source(), 0),
        });
    }
    problems
}

/// [`check`] for what must be true or false, or a number.
pub(crate) fn check_points(expression: &Expression, types: &Types<'_>) -> Vec<ExpressionProblem> {
    let (shapes, mut problems) = Checker::new(expression, types).run();
    let is_points = shapes.may_be(Shapes::BOOLEAN.with(Shapes::INTEGER).with(Shapes::DECIMAL));
    if problems.is_empty() && (shapes.is_null() || !is_points) {
        let message =
            format!("a criterion gives true, false or a number from 0 to 100, and this is {}", shapes.in_words());
        let position = Position::at(expression.source(), 0);
        problems.push(ExpressionProblem { code: "invalid_expression", message, position });
    }
    problems
}

/// [`check`] for a formula whose result is stored in this way.
pub fn check_formula(
    expression: &Expression,
    types: &Types<'_>,
    result: Storage,
    form: Form,
) -> Vec<ExpressionProblem> {
    check_result(expression, types, "the formula", result, form)
}

/// [`check`] for what gives a value that is stored in this way; `subject` is what the expression is to people.
pub(crate) fn check_result(
    expression: &Expression,
    types: &Types<'_>,
    subject: &str,
    result: Storage,
    form: Form,
) -> Vec<ExpressionProblem> {
    let (shapes, mut problems) = Checker::new(expression, types).run();
    let numbers = Shapes::INTEGER.with(Shapes::DECIMAL);
    let moments = Shapes::DATE.with(Shapes::DATETIME);
    // In JSON decimals and moments are texts, so a text may be one.
    let (wanted, taken) = match result {
        Storage::Boolean => ("a boolean", Shapes::BOOLEAN),
        Storage::Scaled(_) if form == Form::Integer => ("an integer", numbers),
        Storage::Scaled(_) => ("a number", numbers.with(Shapes::STRING)),
        Storage::Date => ("a date", moments.with(Shapes::STRING)),
        Storage::Datetime => ("a datetime", moments.with(Shapes::STRING)),
        Storage::Text | Storage::LongText => ("a text", Shapes::ANY.without(Shapes::LIST.with(Shapes::MAP))),
        Storage::Option | Storage::TextList | Storage::Opaque => ("a value", Shapes::ANY),
    };
    if problems.is_empty() && !shapes.may_be(taken) {
        let message = format!("{subject} gives {}, and its result is {wanted}", shapes.in_words());
        problems.push(ExpressionProblem {
            code: "invalid_expression",
            message,
            position: Position::at(expression.source(), 0),
        });
    }
    problems
}

struct Checker<'a> {
    expression: &'a Expression,
    types: &'a Types<'a>,
    problems: Vec<ExpressionProblem>,
}

impl<'a> Checker<'a> {
    fn new(expression: &'a Expression, types: &'a Types<'a>) -> Self {
        Self { expression, types, problems: Vec::new() }
    }

    fn run(mut self) -> (Shapes, Vec<ExpressionProblem>) {
        let shapes = self.shapes(&self.expression.inner.root);
        (shapes, self.problems)
    }

    /// What a part may be; anything where there is a mistake in it.
    fn shapes(&mut self, node: &Node) -> Shapes {
        match &node.kind {
            NodeKind::Literal(value) => Shapes::of(value),
            NodeKind::Variable(index) => self.variable(node, *index),
            // What is in a list is not known.
            NodeKind::LoopVariable(_) => Shapes::ANY,
            NodeKind::Field { of, key } => {
                self.needs(of, Shapes::MAP, "a field needs a map");
                self.field(of, key)
            }
            NodeKind::HasField { of, key } => {
                self.needs(of, Shapes::MAP, "`has` needs a map");
                self.field(of, key);
                Shapes::BOOLEAN
            }
            NodeKind::Index { of, index } => {
                self.needs(of, Shapes::LIST.with(Shapes::MAP), "`[]` needs a list or a map");
                self.shapes(index);
                Shapes::ANY
            }
            NodeKind::Not(of) => {
                self.needs(of, Shapes::BOOLEAN, "`!` needs true or false");
                Shapes::BOOLEAN
            }
            NodeKind::Negate(of) => {
                let shapes = self.shapes(of);
                self.tried(node, &[shapes], |values| match values {
                    [value] => Number::of(value).map_or_else(|| Err(Fault::undefined("-", &[value])), Number::negate),
                    _ => Ok(Value::Null),
                })
            }
            NodeKind::Logical { decisive, left, right } => {
                let need = if *decisive { "`||` needs true or false" } else { "`&&` needs true or false" };
                self.needs(left, Shapes::BOOLEAN, need);
                self.needs(right, Shapes::BOOLEAN, need);
                Shapes::BOOLEAN
            }
            NodeKind::Conditional { condition, then, otherwise } => {
                self.needs(condition, Shapes::BOOLEAN, "`?` needs true or false");
                self.shapes(then).with(self.shapes(otherwise))
            }
            NodeKind::Binary { operator, left, right } => self.binary(node, *operator, left, right),
            NodeKind::Call { function, arguments } => {
                let shapes: Vec<Shapes> = arguments.iter().map(|argument| self.shapes(argument)).collect();
                self.tried(node, &shapes, |values| function.call(values))
            }
            NodeKind::Matches { text, .. } => {
                self.needs(text, Shapes::STRING, "`matches` needs a string");
                Shapes::BOOLEAN
            }
            NodeKind::List(items) => {
                for item in items {
                    self.shapes(item);
                }
                Shapes::LIST
            }
            NodeKind::Map(entries) => {
                for (key, value) in entries {
                    let keys = Shapes::STRING.with(Shapes::INTEGER).with(Shapes::DECIMAL).with(Shapes::BOOLEAN);
                    self.needs(key, keys, "a key is a string, an integer or a boolean");
                    self.shapes(value);
                }
                Shapes::MAP
            }
            NodeKind::Loop { range, body } => {
                self.needs(range, Shapes::LIST.with(Shapes::MAP), "a loop needs a list or a map");
                self.body(body)
            }
        }
    }

    fn variable(&mut self, node: &Node, index: usize) -> Shapes {
        let name = self.expression.inner.names.get(index).map_or("", String::as_str);
        if let Some(shapes) = self.types.shapes(name) {
            return shapes;
        }
        let hint = did_you_mean(name, self.types.names());
        let message = match self.types.definitions.is_empty() {
            true => format!("there is nothing called `{name}` here{hint}"),
            false => format!("`{name}` is no property of this object{hint}"),
        };
        // Told once, however often it is read.
        let is_told = self.problems.iter().any(|problem| problem.message == message);
        if !is_told {
            self.problem(node.at, "unknown", message);
        }
        Shapes::ANY
    }

    /// What a field may be: of a record whose objects are known, one of them has it.
    fn field(&mut self, of: &Node, key: &Key) -> Shapes {
        let (NodeKind::Variable(index), Key::String(key)) = (&of.kind, key) else { return Shapes::ANY };
        let name = self.expression.inner.names.get(*index).map_or("", String::as_str);
        let Some(objects) = self.types.record(name) else { return Shapes::ANY };
        let found = objects.iter().filter_map(|object| called(object, key));
        if let Some(shapes) = found.map(of_property).reduce(Shapes::with) {
            return shapes.with(Shapes::NULL);
        }
        if RECORD_FIELDS.contains(&&**key) {
            let is_moment = key.ends_with("_at");
            return if is_moment { Shapes::DATETIME } else { Shapes::STRING }.with(Shapes::NULL);
        }
        let known = objects.iter().flat_map(|object| object.keys()).map(Name::as_str).chain(RECORD_FIELDS);
        let message = format!("`{name}` has no property `{key}`{}", did_you_mean(key, known));
        self.problem(of.at, "unknown", message);
        Shapes::ANY
    }

    fn binary(&mut self, node: &Node, operator: BinaryOperator, left: &Node, right: &Node) -> Shapes {
        let shapes = [self.shapes(left), self.shapes(right)];
        let result = self.tried(node, &shapes, |values| match values {
            [left, right] => operator::apply(operator, left, right, &mut Budget::new()),
            _ => Ok(Value::Null),
        });
        match operator {
            BinaryOperator::Add
            | BinaryOperator::Subtract
            | BinaryOperator::Multiply
            | BinaryOperator::Divide
            | BinaryOperator::Remainder => result,
            BinaryOperator::Equal
            | BinaryOperator::NotEqual
            | BinaryOperator::Less
            | BinaryOperator::LessOrEqual
            | BinaryOperator::Greater
            | BinaryOperator::GreaterOrEqual
            | BinaryOperator::In => Shapes::BOOLEAN,
        }
    }

    fn body(&mut self, body: &LoopBody) -> Shapes {
        const NEED: &str = "a loop's condition must be true or false";
        match body {
            LoopBody::Quantifier { condition, .. } | LoopBody::ExistsOne { condition } => {
                self.needs(condition, Shapes::BOOLEAN, NEED);
                Shapes::BOOLEAN
            }
            LoopBody::Collect { condition, transform } => {
                if let Some(condition) = condition {
                    self.needs(condition, Shapes::BOOLEAN, NEED);
                }
                if let Some(transform) = transform {
                    self.shapes(transform);
                }
                Shapes::LIST
            }
        }
    }

    /// A part that must be able to be one of `wanted`.
    fn needs(&mut self, node: &Node, wanted: Shapes, need: &str) {
        let shapes = self.shapes(node);
        if !shapes.may_be(wanted) {
            self.problem(node.at, "invalid_expression", format!("{need}, not {}", shapes.in_words()));
        }
    }

    /// What an operation gives for values of these shapes, by what it gives for samples.
    fn tried(&mut self, node: &Node, shapes: &[Shapes], run: impl Fn(&[Value]) -> Result<Value, Fault>) -> Shapes {
        // Null is a missing value and no mistake; what may be anything may be what is needed.
        if shapes.iter().any(|shapes| shapes.is_null() || shapes.is_any()) {
            return Shapes::ANY;
        }
        let samples: Vec<Vec<Value>> = shapes.iter().map(|shapes| shapes.samples()).collect();
        let trials: usize = samples.iter().map(Vec::len).product();
        if trials > MAX_TRIALS {
            return Shapes::ANY;
        }
        let (mut result, mut first, mut is_open) = (Shapes::NONE, None, false);
        for trial in 0..trials {
            let mut rest = trial;
            let values: Vec<Value> = samples
                .iter()
                .filter_map(|samples| {
                    let chosen = samples.get(rest % samples.len().max(1)).cloned();
                    rest /= samples.len().max(1);
                    chosen
                })
                .collect();
            match run(&values) {
                Ok(value) => result = result.with(Shapes::of(&value)),
                Err(fault) if fault.kind == FaultKind::Undefined => first = first.or(Some(fault)),
                // It hangs on the value: another one may do.
                Err(_) => is_open = true,
            }
        }
        match (result == Shapes::NONE, first) {
            (false, _) => result,
            (true, Some(fault)) if !is_open => {
                self.problem(node.at, "invalid_expression", fault.message);
                Shapes::ANY
            }
            (true, _) => Shapes::ANY,
        }
    }

    fn problem(&mut self, at: u32, code: &'static str, message: String) {
        let position = Position::at(self.expression.source(), at as usize);
        self.problems.push(ExpressionProblem { code, message, position });
    }
}
