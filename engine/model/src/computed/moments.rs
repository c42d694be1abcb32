//! Rules that read what depends on the present moment: they are asked when a record is written, by its stored values, and
//! whatever they say then may be otherwise a second later. A rule over a formula that is not stored would find no value
//! and hold whatever the record.

use indexmap::IndexMap;

use crate::expression::Expression;
use crate::object::{Constraint, ObjectDefinition};
use crate::pipeline::Pipeline;
use crate::problem::{Problem, Problems};
use crate::registry::{Pointers, Registry};

impl Registry {
    /// Tells which rules of objects and stages read what depends on the present moment; `pipelines` says where each
    /// pipeline is defined.
    pub(crate) fn check_moments(&self, pipelines: &Pointers, problems: &mut Problems) {
        for object in self.objects.values() {
            for constraint in &object.constraints {
                let Constraint::Rule(rule) = constraint else { continue };
                let at = format!("{}/constraints/{}/rule", object.pointer, place_of(object, rule.expression.source()));
                problems.extend(self.rule_over_moments(object, &rule.expression, &at));
            }
        }
        for pipeline in self.pipelines.values().flat_map(IndexMap::values) {
            let key = (pipeline.object.clone(), pipeline.name.clone());
            let (Some(object), Some(at)) = (self.objects.get(&pipeline.object), pipelines.get(&key)) else { continue };
            self.check_gate_moments(pipeline, object, at, problems);
        }
    }

    fn check_gate_moments(&self, pipeline: &Pipeline, object: &ObjectDefinition, at: &str, problems: &mut Problems) {
        for stage in pipeline.stages.values() {
            let at = format!("{at}/stages/{}", stage.name);
            for (index, rule) in stage.rules.iter().enumerate() {
                problems.extend(self.rule_over_moments(object, &rule.expression, &format!("{at}/rules/{index}/rule")));
            }
            for name in stage.requires.iter().filter(|name| self.is_of_moment(object, name)) {
                let message = format!(
                    "`{name}` depends on the present moment and is not stored, so no record could enter the stage; \
                     require what it is computed from"
                );
                problems.push(Problem::new(format!("{at}/requires"), "not_applicable", message));
            }
        }
    }

    /// What is wrong with a condition that is asked of stored values of `object`; `at` is its place.
    pub fn rule_over_moments(&self, object: &ObjectDefinition, condition: &Expression, at: &str) -> Option<Problem> {
        let name = condition.names().find(|name| self.is_of_moment(object, name))?;
        let message = format!(
            "`{name}` depends on the present moment, and a rule has no clock: it is asked when a record is written; let \
             it read what `{name}` is computed from"
        );
        Some(Problem::new(at, "not_applicable", message))
    }

    fn is_of_moment(&self, object: &ObjectDefinition, name: &str) -> bool {
        self.computed.formulas(&object.name).is_some_and(|formulas| formulas.is_live(name))
    }
}

/// Where a rule stands among the constraints as they are written.
fn place_of(object: &ObjectDefinition, source: &str) -> usize {
    let written = object.spec.get("constraints").and_then(serde_json::Value::as_array).into_iter().flatten();
    let mut sources = written.map(|constraint| constraint.get("rule").and_then(serde_json::Value::as_str));
    sources.position(|written| written == Some(source)).unwrap_or_default()
}
