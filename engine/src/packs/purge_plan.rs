//! What purging a pack would do: what uninstalling it would, and whatever of it is archived already.

use std::collections::BTreeMap;

use engine_model::registry::Registry;
use engine_model::{Name, Problems};
use serde_json::Value;

use super::apply::{Applied, Consent, check_destructive, out_of_date};
use super::difference::{Action, Effect, Step, Subject};
use super::plan::Wanted;
use super::purge::Doomed;
use super::target::Agreed;
use crate::definitions::show::Showing;
use crate::error::Result;
use crate::records::Written;
use crate::session::Session;

impl Session {
    /// The steps, and what views, reports, workflows and roles would name that is not there.
    pub(super) async fn foresee_purge(&mut self, name: &str) -> Result<(Vec<Step>, Problems)> {
        let (doomed, is_installed) = self.doomed_if_free(name).await?;
        let (mut steps, mut warnings) = (Vec::new(), Problems::new());
        if is_installed {
            let agreed = Agreed { accept: &BTreeMap::new(), migrations: &BTreeMap::new(), for_many: false };
            let foreseen = self.foresee(&Wanted::Gone(name.to_owned()), agreed).await?;
            (steps, warnings) = (foreseen.steps, foreseen.proposal.warnings.clone());
        }
        for step in steps.iter_mut().filter(|step| step.effect == Some(Effect::Hidden)) {
            step.effect = Some(Effect::Erased);
        }
        let archived = archived(&doomed, &Showing::of(&self.catalog), &self.catalog.effective.registry);
        let is_new = |step: &Step| !steps.iter().any(|known| known.subject == step.subject);
        let archived: Vec<Step> = archived.into_iter().filter(is_new).collect();
        steps.extend(archived);
        Ok((steps, warnings))
    }

    /// Purges a pack if the definitions are those that this was planned for.
    pub(super) async fn purge_as_planned(
        &mut self,
        name: &str,
        planned: i64,
        consent: &Consent,
    ) -> Result<Written<Applied>> {
        self.refresh().await?;
        if self.catalog.version != planned {
            return Err(out_of_date());
        }
        if !consent.allows_destructive {
            check_destructive(&self.foresee_purge(name).await?.0)?;
        }
        self.pack_purge(name).await
    }
}

/// What is archived already, records and values of which are not seen any more.
fn archived(doomed: &Doomed, showing: &Showing<'_>, registry: &Registry) -> Vec<Step> {
    let name = |text: &String| Name::new(text).ok();
    let mut steps = Vec::new();
    for object in doomed.objects.iter().filter_map(name) {
        if let Some(found) = registry.objects.get(&object) {
            steps.push(erased("object", object.to_string(), showing.object(found), Subject::Object(object)));
        }
    }
    for (object, properties) in &doomed.properties {
        let Some(object) = name(object) else { continue };
        let Some(found) = registry.objects.get(&object) else { continue };
        for property in properties.iter().filter_map(name) {
            let before = found.properties.get(&property).map(|found| showing.property(found)).unwrap_or_default();
            let subject = Subject::Property(object.clone(), property.clone());
            steps.push(erased("property", format!("{object}.{property}"), before, subject));
        }
    }
    for association in doomed.associations.iter().filter_map(name) {
        let found = registry.associations.get(&association);
        let before = found.map(|found| showing.association(found)).unwrap_or_default();
        steps.push(erased("association", association.to_string(), before, Subject::Association(association)));
    }
    steps
}

fn erased(kind: &'static str, name: String, before: Value, subject: Subject) -> Step {
    Step {
        action: Action::Remove,
        kind,
        name,
        before,
        after: Value::Null,
        destructive: true,
        records: None,
        samples: Vec::new(),
        effect: Some(Effect::Erased),
        uses: Vec::new(),
        subject,
    }
}
