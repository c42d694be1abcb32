//! What screens and automation make of objects: views, reports, dashboards, workflows, activities, scores and roles, as
//! packs define them.
//!
//! Each has a file that reads it and says what it names. Names are looked up apart from reading, by
//! [`Registry::check_behaviors`](crate::registry::Registry::check_behaviors): a pack with a view of a property that does
//! not exist is refused, while a tenant may archive a property that a view of a pack shows, and the rest of it goes on.

mod activity;
mod dashboard;
mod fold;
mod names;
mod report;
mod role;
mod score;
mod view;
mod workflow;

#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

pub use activity::ActivityType;
pub use dashboard::{Dashboard, Item};
pub(crate) use names::Names;
pub use report::{Period, Report};
pub use role::{PropertyGrants, ReadRole, RoleDefinition};
pub use score::{Assessments, BY, Criteria, REVIEWS, Score};
pub use view::{SHARINGS, View};
pub use workflow::{Effect, Trigger, Workflow};

use crate::layer::{CUSTOM, Folded};
use crate::name::Name;
use crate::problem::{Problems, push_segment};
use crate::spec::SpecReader;

/// A section of a pack that defines behaviors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Section {
    /// How records are shown.
    Views,
    /// Tables that are computed of records.
    Reports,
    /// Reports and views on one screen.
    Dashboards,
    /// What is done when something changes.
    Workflows,
    /// What may be recorded as having happened to a record.
    Activities,
    /// How well records do by criteria.
    Scores,
    /// Who may do what.
    Roles,
}

impl Section {
    /// All of them, in the order in which packs have them.
    pub const ALL: [Self; 7] =
        [Self::Views, Self::Reports, Self::Dashboards, Self::Workflows, Self::Activities, Self::Scores, Self::Roles];

    /// The key of a pack's document.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Views => "views",
            Self::Reports => "reports",
            Self::Dashboards => "dashboards",
            Self::Workflows => "workflows",
            Self::Activities => "activities",
            Self::Scores => "scores",
            Self::Roles => "roles",
        }
    }

    /// What one of them is called.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Views => "view",
            Self::Reports => "report",
            Self::Dashboards => "dashboard",
            Self::Workflows => "workflow",
            Self::Activities => "activity",
            Self::Scores => "score",
            Self::Roles => "role",
        }
    }

    /// A key of this section as a name; `Err` says what is wrong with it.
    pub fn name(self, key: &str) -> Result<Name, String> {
        match self {
            Self::Activities => Name::event(key)
                .map_err(|error| format!("{error}; here several may be joined by dots, as in `email.sent`")),
            Self::Views | Self::Reports | Self::Dashboards | Self::Workflows | Self::Scores | Self::Roles => {
                Name::new(key).map_err(|error| error.to_string())
            }
        }
    }

    /// Where one of them stands in a pack's document.
    pub fn pointer(self, name: &str) -> String {
        push_segment(&format!("/{}", self.as_str()), name)
    }
}

/// A view, a report, a dashboard, a workflow, a type of activity, a score or a role.
#[derive(Debug, Clone)]
pub struct Behavior {
    /// What it is.
    pub section: Section,
    /// Internal name, unique in its section.
    pub name: Name,
    /// What people read.
    pub label: String,
    /// Layer that declared it.
    pub layer: String,
    /// What it says.
    pub content: Content,
    /// The specification as written, folded over all layers.
    pub spec: Map<String, Value>,
    /// Where the topmost layer that says something of it does so.
    pub(crate) pointer: String,
}

/// What a behavior says.
#[derive(Debug, Clone)]
pub enum Content {
    /// How records are shown.
    View(View),
    /// A table that is computed of records.
    Report(Report),
    /// Reports and views on one screen.
    Dashboard(Dashboard),
    /// What is done when something changes.
    Workflow(Workflow),
    /// What may be recorded as having happened to a record.
    Activity(ActivityType),
    /// How well records do by criteria.
    Score(Score),
    /// Who may do what.
    Role(RoleDefinition),
}

impl Behavior {
    /// Reads a folded specification; `None` where it cannot stand.
    pub(crate) fn read(section: Section, name: Name, folded: &Folded, problems: &mut Problems) -> Option<Self> {
        let before = problems.len();
        Self::read_as_far(section, name, folded, problems).filter(|_| problems.len() == before)
    }

    /// The same, with what can be understood in spite of what is wrong.
    fn read_as_far(section: Section, name: Name, folded: &Folded, problems: &mut Problems) -> Option<Self> {
        let mut reader = SpecReader::of_map(&folded.spec, &folded.pointer, problems);
        let label = reader.string("label").map_or_else(|| name.to_label(), str::to_owned);
        let content = match section {
            Section::Views => View::read(&mut reader).map(Content::View),
            Section::Reports => Report::read(&mut reader).map(Content::Report),
            Section::Dashboards => Dashboard::read(&mut reader).map(Content::Dashboard),
            Section::Workflows => Workflow::read(&mut reader).map(Content::Workflow),
            Section::Activities => ActivityType::read(&folded.layer, &mut reader).map(Content::Activity),
            Section::Scores => Score::read(&mut reader).map(Content::Score),
            Section::Roles => RoleDefinition::read(&name, &mut reader).map(Content::Role),
        };
        reader.finish();
        let content = content?;
        let (layer, spec, pointer) = (folded.layer.clone(), folded.spec.clone(), folded.pointer.clone());
        Some(Self { section, name, label, layer, content, spec, pointer })
    }

    /// What a user of a tenant has saved, read as what a pack defines is; it has no name but its label.
    pub fn of_user(section: Section, spec: &Map<String, Value>, problems: &mut Problems) -> Option<Self> {
        let before = problems.len();
        Self::as_far_of_user(section, spec, problems).filter(|_| problems.len() == before)
    }

    /// The same, with what can be understood in spite of what is wrong, so that what it names can be looked up as well.
    pub fn as_far_of_user(section: Section, spec: &Map<String, Value>, problems: &mut Problems) -> Option<Self> {
        let name = Name::new(section.kind()).ok()?;
        if spec.get("label").is_none_or(Value::is_null) {
            SpecReader::of_map(spec, "", problems).missing("label");
        }
        Self::read_as_far(section, name, &Folded::new(CUSTOM, spec.clone(), String::new()), problems)
    }

    /// Who it is for: `private`, `team` or `everyone`; everyone where that is not said of its kind.
    pub fn sharing(&self) -> &'static str {
        match &self.content {
            Content::View(view) => view.sharing,
            Content::Report(report) => report.sharing,
            Content::Dashboard(dashboard) => dashboard.sharing,
            Content::Workflow(_) | Content::Activity(_) | Content::Score(_) | Content::Role(_) => "everyone",
        }
    }

    /// The object that it is about, if that is one.
    pub fn object(&self) -> Option<&str> {
        match &self.content {
            Content::View(view) => Some(&view.object),
            Content::Report(report) => Some(&report.object),
            Content::Dashboard(_)
            | Content::Workflow(_)
            | Content::Activity(_)
            | Content::Score(_)
            | Content::Role(_) => None,
        }
    }

    /// The score that it is.
    pub fn score(&self) -> Option<&Score> {
        match &self.content {
            Content::Score(score) => Some(score),
            Content::View(_)
            | Content::Report(_)
            | Content::Dashboard(_)
            | Content::Workflow(_)
            | Content::Activity(_)
            | Content::Role(_) => None,
        }
    }

    fn look_up(&self, names: &mut Names<'_>) {
        match &self.content {
            Content::View(view) => view.look_up(names),
            Content::Report(report) => report.look_up(names),
            Content::Dashboard(dashboard) => dashboard.look_up(names),
            Content::Workflow(workflow) => workflow.look_up(names),
            Content::Activity(activity) => activity.look_up(names),
            Content::Score(score) => score.look_up(names),
            Content::Role(role) => role.look_up(names),
        }
    }
}
