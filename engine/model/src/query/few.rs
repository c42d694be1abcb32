//! What looking for duplicates asks: a few records that meet conditions.

use std::fmt::{Debug, Formatter};
use std::sync::Arc;

use super::typed::{Field, Filter};
use crate::TenantId;
use crate::name::Name;

/// Asks for a few records of an object, archived ones left out.
#[derive(Debug, Clone)]
pub struct Few {
    /// Whose records they are.
    pub tenant: TenantId,
    /// Their object.
    pub object: Name,
    /// What they answer; one question is enough.
    pub questions: Vec<Question>,
    /// Most that the steps of one question may leave; where even the last leaves more, those with the lowest ids count.
    pub most: usize,
}

impl Few {
    /// Every field that the answer depends on; some more than once.
    pub fn fields(&self) -> Vec<&Field> {
        let steps = self.questions.iter().flat_map(|question| &question.steps).flat_map(Filter::fields);
        let texts = self.questions.iter().flat_map(|question| &question.texts).flat_map(|text| &text.fields);
        steps.chain(texts).collect()
    }
}

/// One way of looking for them.
#[derive(Debug, Clone)]
pub struct Question {
    /// Conditions, the widest first. The next one narrows those that the ones before have left, and is asked only where
    /// these are too many; where they are far too many, it is left out if there is another one, which implies it.
    pub steps: Vec<Filter>,
    /// What is left must pass each of these, too.
    pub texts: Vec<TextTest>,
}

/// That one of some fields holds a text which passes. Texts that are too long to stand in the index pass.
#[derive(Clone)]
pub struct TextTest {
    /// Fields that hold texts.
    pub fields: Vec<Field>,
    /// Decides about a folded text.
    pub passes: Arc<dyn Fn(&str) -> bool + Send + Sync>,
}

impl Debug for TextTest {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("TextTest").field("fields", &self.fields).finish_non_exhaustive()
    }
}
