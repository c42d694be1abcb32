//! Rules: what must be true, and what people are told where it is not. Objects have them, and stages.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::expression::{Expression, Types, check_condition};
use crate::former::renamed;
use crate::name::Name;
use crate::problem::Problems;
use crate::property::Property;
use crate::spec::SpecReader;

/// What is said of a moment in a rule: what is stored stays right whenever one looks.
pub(crate) const NO_CLOCK: [(&str, &str); 2] = [
    ("now", "a rule has no clock: `now` is for formulas, and what was right when it was written stays right"),
    ("today", "a rule has no clock: `today` is for formulas, and what was right when it was written stays right"),
];

/// A CEL expression that must be true.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The expression over the record's properties.
    pub expression: Arc<Expression>,
    /// What the user is told.
    pub message: String,
    /// The property that the message points at; none for the whole record.
    pub at: Option<Name>,
}

impl Rule {
    /// Reads `{rule, message?, at?}`, where there is a `rule`. `unless_said` is what people are told without a message.
    pub(crate) fn read(reader: &mut SpecReader<'_>, unless_said: &str) -> Option<Self> {
        let message = reader.string("message").unwrap_or(unless_said).to_owned();
        let at = reader.name("at");
        let source = reader.string("rule")?;
        match Expression::compile(source) {
            Ok(expression) => Some(Self { expression: Arc::new(expression), message, at }),
            Err(error) => {
                reader.problem("rule", "invalid_expression", error.to_string());
                None
            }
        }
    }

    /// Speaks of properties by the names that they have now.
    pub(crate) fn rename(&mut self, properties: &IndexMap<Name, Property>) {
        if self.expression.names().any(|name| renamed(properties, name).is_some()) {
            self.expression = Arc::new(self.expression.renamed(|name| renamed(properties, name).cloned()));
        }
        if let Some(now) = self.at.as_ref().and_then(|name| renamed(properties, name)) {
            self.at = Some(now.clone());
        }
    }

    /// Whether it speaks of a property.
    pub fn names(&self, property: &str) -> bool {
        self.expression.names().any(|name| name == property)
            || self.at.as_ref().is_some_and(|name| name.as_str() == property)
    }

    /// What of it can never be true or false, whatever the record; `pointer` is its own.
    pub(crate) fn check(&self, types: &Types<'_>, pointer: &str) -> Problems {
        let at = format!("{pointer}/rule");
        let mut problems: Problems =
            check_condition(&self.expression, types).into_iter().map(|problem| problem.at(&at)).collect();
        for problem in problems.iter_mut().filter(|problem| problem.code == "unknown") {
            let moment = NO_CLOCK.iter().find(|(moment, _)| problem.message.starts_with(&format!("`{moment}` is no ")));
            if let Some((_, message)) = moment {
                (*message).clone_into(&mut problem.message);
            }
        }
        problems
    }
}
