//! Where new records of an object begin: in the one of its pipelines that is marked as the default.

use crate::layer::Layer;
use crate::problem::{Problem, Problems};
use crate::registry::Registry;

impl Registry {
    /// Pipelines that a layer makes the default of an object which has another one.
    ///
    /// Only of what is new this is asked: of several that are installed already the first holds.
    pub fn check_defaults(&self, layer: &Layer) -> Problems {
        let mut problems = Problems::new();
        for (object, pipelines) in &self.pipelines {
            let marked = || pipelines.values().filter(|pipeline| pipeline.is_default && !pipeline.archived);
            let is_own = |name: &str| {
                let key = layer.pipelines.iter().find(|(key, _)| key.0 == *object && key.1.as_str() == name);
                key.filter(|(_, spec)| spec.get("default").is_some_and(|default| default == true)).map(|(key, _)| key)
            };
            let Some(holds) = marked().find(|pipeline| is_own(&pipeline.name).is_none()).or_else(|| marked().next())
            else {
                continue;
            };
            for pipeline in marked().filter(|pipeline| pipeline.name != holds.name) {
                let Some(key) = is_own(&pipeline.name) else { continue };
                let whose =
                    if is_own(&holds.name).is_some() { String::new() } else { format!(" of `{}`", holds.layer) };
                let message = format!(
                    "new records of `{object}` begin in `{}`{whose} already; an object has one default, so take it off one \
                     of the two",
                    holds.name
                );
                problems.push(Problem::new(format!("{}/default", layer.pipeline_pointer(key)), "taken", message));
            }
        }
        problems
    }
}
