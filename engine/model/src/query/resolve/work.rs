//! How much work it may be to resolve the filters of one query.

use std::cell::Cell;

use serde_json::value::RawValue;

use super::ResolveContext;

/// Steps of one query. A condition is one, and so are a few bytes of its values; those at the other end of an
/// association are resolved for each object that may stand there, which multiplies.
const STEPS: usize = 1_000_000;

/// Bytes of a value that count as one step.
const BYTES_PER_STEP: usize = 8;

/// What filters are resolved by, and the steps that are left.
pub(super) struct Work<'a> {
    pub(super) context: &'a ResolveContext<'a>,
    left: Cell<Option<usize>>,
}

impl<'a> Work<'a> {
    pub(super) fn new(context: &'a ResolveContext<'a>) -> Self {
        Self { context, left: Cell::new(Some(STEPS)) }
    }

    /// Takes the steps of reading a condition with its value; `None` where there are not as many left, and from then on.
    pub(super) fn charge_condition(&self, value: Option<&RawValue>) -> Option<()> {
        self.charge(1 + value.map_or(0, |value| value.get().len() / BYTES_PER_STEP))
    }

    /// Takes so many steps; `None` where there are not as many left, and from then on.
    pub(super) fn charge(&self, steps: usize) -> Option<()> {
        self.left.set(self.left.get().and_then(|left| left.checked_sub(steps)));
        self.left.get().map(drop)
    }

    /// Something was left out because there were no steps left.
    pub(super) fn is_exhausted(&self) -> bool {
        self.left.get().is_none()
    }
}
