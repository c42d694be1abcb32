//! What a record that somebody is about to make would duplicate.

use engine_model::access::Action;
use engine_model::duplicate::host_within;
use engine_model::problem::push_segment;
use engine_model::property::normalize;
use engine_model::{Problem, Problems, Properties};
use serde_json::value::to_raw_value;

use super::find::{Duplicate, Sight, Sought};
use crate::definitions::catalog::shortened;
use crate::error::{Error, Result};
use crate::records::{PropertiesInput, Target, View};
use crate::session::{Session, with_current};

/// Most records that a check answers.
const AT_MOST: usize = 50;

/// A record that may be a duplicate.
#[derive(Debug, Clone, Default)]
pub struct DuplicateCheck {
    /// As many of its values as are known; `domain` takes addresses of pages and people, too.
    pub properties: PropertiesInput,
    /// Id or uid of the record, where it is there already.
    pub record: Option<String>,
}

impl Session {
    /// The records that the caller may see and that resemble this one, the surest first. `malformed` is what was wrong
    /// with the form of what was sent.
    pub async fn duplicate_check(
        &mut self,
        object: &str,
        check: &DuplicateCheck,
        malformed: Problems,
    ) -> Result<Vec<Duplicate>> {
        self.wait_for_position().await?;
        let (properties, problems) = with_current!(self, self.read_checked(object, check))?;
        let problems: Problems = malformed.into_iter().chain(problems).collect();
        if !problems.is_empty() {
            return Err(Error::invalid(problems));
        }
        let id = match &check.record {
            Some(id) => Some(self.record_found(object, &Target::id(id.clone()), &View::default()).await?.record.id.0),
            None => None,
        };
        let view = self.view_of_now().await?;
        let object = self.catalog.object(object)?;
        let sought = [Sought { properties: &properties, id }];
        let alike = self.alike(&view, object, &sought, |_| true, Sight::Caller).await?;
        alike.iter().flatten().take(AT_MOST).map(|alike| self.tell_duplicate(object, alike)).collect()
    }

    fn read_checked(&self, object: &str, check: &DuplicateCheck) -> Result<(Properties, Problems)> {
        let object = self.catalog.object(object)?;
        self.caller.check_any(Action::Read, &object.name)?;
        let (registry, mut problems) = (&self.catalog.effective.registry, Problems::new());
        let mut properties = Properties::new();
        for (name, raw) in &check.properties.0 {
            let at = push_segment("/properties", name);
            let property = object.property_called(name).filter(|found| self.caller.reads(registry, object, found));
            let Some(property) = property else {
                let hint = object.property_hint(name, |found| self.caller.reads(registry, object, found));
                let message = format!("`{}` is no property of `{}`{hint}", shortened(name), object.name);
                problems.push(Problem::new(at, "unknown_property", message));
                continue;
            };
            // Whoever looks for a company has the address of somebody who works there.
            let text = serde_json::from_str::<String>(raw.get()).ok().filter(|_| property.kind.name() == "domain");
            let host = text.as_deref().and_then(host_within);
            let raw = match host {
                Some(None) => continue,
                Some(Some(host)) => &to_raw_value(host).map_err(Error::internal)?,
                None => raw,
            };
            match normalize(property.kind.as_ref(), raw, &self.catalog.locale) {
                Ok(value) => drop(value.map(|value| properties.insert(property.name.to_string(), value))),
                Err(faults) => problems.extend(
                    faults
                        .into_iter()
                        .map(|fault| Problem::new(format!("{at}{}", fault.pointer), fault.code, fault.message)),
                ),
            }
        }
        Ok((properties, problems))
    }
}
