//! Numbers of new records, for their `auto_number` properties.

use std::collections::HashMap;
use std::sync::Arc;

use engine_model::Properties;
use engine_model::property::Property;
use engine_store::counter;

use super::computed::{About, compute};
use super::plan::Body;
use super::ready::Ready;
use crate::definitions::catalog::Catalog;
use crate::error::Result;
use crate::session::Session;

impl Session {
    /// Gives new records their numbers, with one statement a property. Taken last, so that a mistake in the input costs
    /// none.
    pub(super) async fn assign_numbers(&self, ready: &mut [Ready]) -> Result<()> {
        let mut wanted: HashMap<String, i64> = HashMap::new();
        for ready in &*ready {
            for (counter, _) in numbered(&self.catalog, &ready.plan.body) {
                *wanted.entry(counter).or_default() += 1;
            }
        }
        let mut next: HashMap<String, i64> = HashMap::with_capacity(wanted.len());
        for (name, count) in wanted {
            let last = counter::take(self.engine.store(), self.tenant(), &name, count).await?;
            next.insert(name, last - count + 1);
        }
        for ready in ready {
            let numbered = numbered(&self.catalog, &ready.plan.body);
            let Body::Record(draft) = &mut ready.plan.body else { continue };
            for (counter, property) in &numbered {
                if let (Some(numbers), Some(number)) = (property.kind.auto_number(), next.get_mut(counter)) {
                    Arc::make_mut(&mut draft.after.properties)
                        .insert(property.name.to_string(), numbers.format(*number).into());
                    *number += 1;
                }
            }
            if let (false, Some(object)) =
                (numbered.is_empty(), self.catalog.effective.registry.objects.get(&*draft.after.object))
            {
                let properties = Properties::clone(&draft.after.properties);
                let about = About::from(&draft.after);
                let properties = compute(&self.catalog, object, properties, draft.after.created_at, &about);
                draft.after.properties = Arc::new(properties);
                draft.after.display_name = object.display.render(&draft.after.properties);
            }
        }
        Ok(())
    }
}

/// Properties of a new record that take a number, each with the name of its counter.
fn numbered<'a>(catalog: &'a Catalog, body: &Body) -> Vec<(String, &'a Property)> {
    let Body::Record(draft) = body else { return Vec::new() };
    let object = catalog.effective.registry.objects.get(&*draft.after.object).filter(|_| draft.before.is_none());
    let properties = object.into_iter().flat_map(|object| object.properties.values().map(move |one| (object, one)));
    let numbered = properties.filter(|(_, property)| !property.archived && property.kind.auto_number().is_some());
    numbered.map(|(object, property)| (format!("{}.{}", object.name, property.name), property)).collect()
}
