//! What a changed association asks of stored links that the old one did not.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use engine_model::association::{AssociationDefinition, Target};
use engine_model::problem::push_segment;
use engine_model::property::{Locale, Property};
use engine_model::{Name, Problem, Properties};
use engine_store::Reader;
use engine_store::association::{Direction, crowded};
use engine_store::survey::{self, LinkEnds};
use jsonschema::Validator;

use super::PAGE;
use super::check::{Demand, Finding, of_properties, records};
use crate::error::{Error, Result};

/// Everything asked of the links of one association.
#[derive(Debug)]
pub(crate) struct LinkGuard {
    kind: Name,
    checks: Vec<LinkCheck>,
    crowds: Vec<Crowd>,
}

/// Something asked of every link; what is in the way is told by the records where links start.
#[derive(Debug)]
struct LinkCheck {
    pointer: String,
    demand: LinkDemand,
    finding: Finding,
}

#[derive(Debug)]
enum LinkDemand {
    /// It starts and leads where the association does.
    Ends { from: Name, to: Target },
    /// Its label is one of these.
    Labelled(HashSet<String>),
    /// Its own properties are as asked.
    Carries(Demand),
}

/// No record has more than one link at this end.
#[derive(Debug)]
struct Crowd {
    pointer: String,
    end: Direction,
    finding: Finding,
}

impl LinkGuard {
    /// What leads from one definition to the other; `None` where no link can be in the way.
    pub(crate) fn between(
        before: &AssociationDefinition,
        after: &AssociationDefinition,
        locale: &Locale,
        schema: impl Fn(&Property) -> Option<Arc<Validator>>,
    ) -> Option<Self> {
        let at = push_segment("/associations", &after.name);
        let mut checks = Vec::new();
        let mut ask = |key: &str, demand| {
            checks.push(LinkCheck { pointer: format!("{at}/{key}"), demand, finding: Finding::default() });
        };
        let from_moves = before.from != after.from;
        if from_moves || narrows(&before.to, &after.to) {
            let key = if from_moves { "from" } else { "to" };
            ask(key, LinkDemand::Ends { from: after.from.clone(), to: after.to.clone() });
        }
        let loses_label = before.labels.keys().any(|label| !after.labels.contains_key(label));
        if !after.labels.is_empty() && (before.labels.is_empty() || loses_label) {
            ask("labels", LinkDemand::Labelled(after.labels.keys().map(Name::to_string).collect()));
        }
        for check in of_properties(&before.properties, &after.properties, &at, locale, schema) {
            let (pointer, demand) = (check.pointer, LinkDemand::Carries(check.demand));
            checks.push(LinkCheck { pointer, demand, finding: Finding::default() });
        }
        let (old, new) = (before.cardinality, after.cardinality);
        let ends = [
            (Direction::Out, new.limits_from() && !old.limits_from()),
            (Direction::In, new.limits_to() && !old.limits_to()),
        ];
        let crowd = |end| Crowd { pointer: format!("{at}/cardinality"), end, finding: Finding::default() };
        let crowds: Vec<_> = ends.into_iter().filter(|(_, narrows)| *narrows).map(|(end, _)| crowd(end)).collect();
        let is_idle = checks.is_empty() && crowds.is_empty();
        (!is_idle).then(|| Self { kind: after.name.clone(), checks, crowds })
    }

    /// Looks at every link once.
    pub(crate) async fn scan(&mut self, reader: &mut Reader) -> Result<()> {
        for crowd in &mut self.crowds {
            crowd.finding.count = survey::count_crowded(reader, &self.kind, crowd.end).await?;
            if crowd.finding.count > 0 {
                let first = crowded(reader, &self.kind, crowd.end, 10).await?;
                crowd.finding.samples = first.into_iter().map(|end| end.id.to_string()).collect();
            }
        }
        let mut after = (0, 0);
        while !self.checks.is_empty() {
            let links = survey::links(reader, &self.kind, after, PAGE).await?;
            self.look(&links)?;
            match links.last().filter(|_| is_full(&links)) {
                Some(last) => after = (last.from_id, last.to_id),
                None => break,
            }
        }
        Ok(())
    }

    /// Looks at the links of records that have been linked meanwhile.
    pub(crate) async fn look_again(&mut self, reader: &mut Reader, from: &BTreeSet<i64>) -> Result<()> {
        let from: Vec<i64> = from.iter().copied().collect();
        let mut after = (0, 0);
        loop {
            let links = survey::links_from(reader, &self.kind, from.clone(), after, PAGE).await?;
            self.look(&links)?;
            self.look_for_crowds(reader, &links).await?;
            match links.last().filter(|_| is_full(&links)) {
                Some(last) => after = (last.from_id, last.to_id),
                None => return Ok(()),
            }
        }
    }

    async fn look_for_crowds(&mut self, reader: &mut Reader, links: &[LinkEnds]) -> Result<()> {
        for crowd in &mut self.crowds {
            let end = |link: &LinkEnds| match crowd.end {
                Direction::Out => link.from_id,
                Direction::In => link.to_id,
            };
            let ends: BTreeSet<i64> = links.iter().map(end).collect();
            let ends = ends.into_iter().collect();
            for crowded in survey::crowded_among(reader, &self.kind, crowd.end, ends).await? {
                crowd.finding.add(crowded.id);
            }
        }
        Ok(())
    }

    fn look(&mut self, links: &[LinkEnds]) -> Result<()> {
        for link in links {
            let properties: Properties = serde_json::from_str(&link.properties).map_err(Error::internal)?;
            for check in &mut self.checks {
                if !check.demand.is_met(link, &properties) {
                    check.finding.add(link.from_id);
                }
            }
        }
        Ok(())
    }

    pub(crate) fn problems(&self) -> impl Iterator<Item = Problem> {
        let checks = self.checks.iter().filter_map(|check| {
            let message = check.demand.message(check.finding.count);
            check.finding.problem(&check.pointer, message)
        });
        checks.chain(self.crowds.iter().filter_map(|crowd| {
            let end = if crowd.end == Direction::Out { "from" } else { "to" };
            let subject = records(crowd.finding.count);
            let message = format!("{subject} at the `{end}` side with more than one link; take links away first");
            crowd.finding.problem(&crowd.pointer, message)
        }))
    }
}

fn is_full(links: &[LinkEnds]) -> bool {
    i64::try_from(links.len()).is_ok_and(|length| length >= PAGE)
}

fn narrows(old: &Target, new: &Target) -> bool {
    match (old, new) {
        (_, Target::Any) => false,
        (Target::Any, Target::Objects(_)) => true,
        (Target::Objects(old), Target::Objects(new)) => old.iter().any(|object| !new.contains(object)),
    }
}

impl LinkDemand {
    fn is_met(&self, link: &LinkEnds, properties: &Properties) -> bool {
        match self {
            Self::Ends { from, to } => from.as_str() == link.from_object && to.accepts(&link.to_object),
            Self::Labelled(labels) => link.label.as_ref().is_none_or(|label| labels.contains(label)),
            Self::Carries(demand) => demand.is_met_by_values(properties),
        }
    }

    fn message(&self, count: i64) -> String {
        let subject = if count == 1 { "1 link".to_owned() } else { format!("{count} links") };
        match self {
            Self::Ends { .. } => format!("{subject} between other objects; take them away first"),
            Self::Labelled(_) => format!("{subject} with a label that would be gone; give them another first"),
            Self::Carries(demand) => demand.message(&subject),
        }
    }
}
