//! Operations that are planned and can be written.

use std::sync::Arc;

use engine_model::Properties;

use super::operation::Effect;
use super::plan::{Body, Plan};
use crate::duplicates::Duplicate;

/// An operation that can be written.
pub(super) struct Ready {
    pub(super) index: usize,
    pub(super) plan: Plan,
    /// What the record that it makes resembles, where a rule warns of that.
    pub(super) duplicates: Vec<Duplicate>,
}

impl Ready {
    /// Step, object and assignment rule of a record that waits for its turn.
    pub(super) fn waits_for(&self) -> Option<(usize, String, i64)> {
        match &self.plan.body {
            Body::Record(draft) => Some((self.index, draft.after.object.clone(), draft.waits_for?)),
            Body::Purge(_) | Body::Merge(_) | Body::Unmerge(_) | Body::Unlink(_) | Body::Links => None,
        }
    }

    /// Object and values of the record that it makes.
    pub(super) fn made(&self) -> Option<(&str, &Arc<Properties>)> {
        match &self.plan.body {
            Body::Record(draft) if draft.before.is_none() && self.plan.effect == Effect::Created => {
                Some((&draft.after.object, &draft.after.properties))
            }
            _ => None,
        }
    }
}
