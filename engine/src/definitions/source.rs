//! A definition as it is written, layer by layer, rather than as it reads.

use std::sync::Arc;

use engine_model::layer::{CUSTOM, Folded, Layer};
use serde_json::{Map, Value};

/// A definition as it is written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Source {
    /// What the packs say, folded; none for what the tenant defined itself.
    pub(crate) base: Option<Map<String, Value>>,
    /// What packs and tenant say, folded.
    pub(crate) effective: Map<String, Value>,
}

impl Source {
    /// An object of `layers`.
    pub(crate) fn object(layers: &[Arc<Layer>], name: &str) -> Option<Self> {
        Self::of(layers, |layer| layer.objects.get(name).or_else(|| layer.extend.get(name)))
    }

    /// An association of `layers`.
    pub(crate) fn association(layers: &[Arc<Layer>], name: &str) -> Option<Self> {
        Self::of(layers, |layer| layer.associations.get(name))
    }

    /// A pipeline of `layers`.
    pub(crate) fn pipeline(layers: &[Arc<Layer>], object: &str, name: &str) -> Option<Self> {
        Self::of(layers, |layer| {
            let is_it =
                |key: &(engine_model::Name, engine_model::Name)| key.0.as_str() == object && key.1.as_str() == name;
            layer.pipelines.iter().find(|(key, _)| is_it(key)).map(|(_, spec)| spec)
        })
    }

    fn of<'a>(layers: &'a [Arc<Layer>], pick: impl Fn(&'a Layer) -> Option<&'a Map<String, Value>>) -> Option<Self> {
        let mut base: Option<Folded> = None;
        let mut own = None;
        for (layer, spec) in layers.iter().filter_map(|layer| Some((layer, pick(layer)?))) {
            if layer.name == CUSTOM {
                own = Some(spec);
                continue;
            }
            match &mut base {
                Some(folded) => folded.add(&layer.name, spec.clone(), None),
                None => base = Some(Folded::new(&layer.name, spec.clone(), String::new())),
            }
        }
        match (base, own) {
            (None, None) => None,
            (None, Some(own)) => Some(Self { base: None, effective: own.clone() }),
            (Some(folded), None) => Some(Self { base: Some(folded.spec.clone()), effective: folded.spec }),
            (Some(mut folded), Some(own)) => {
                let base = folded.spec.clone();
                folded.add(CUSTOM, own.clone(), None);
                Some(Self { base: Some(base), effective: folded.spec })
            }
        }
    }
}

/// The map under a key of a specification, if there is one.
pub(crate) fn section<'a>(spec: &'a Map<String, Value>, key: &str) -> Option<&'a Map<String, Value>> {
    spec.get(key).and_then(Value::as_object)
}

#[cfg(test)]
mod tests {
    use engine_model::Problems;
    use serde_json::json;

    use super::*;

    fn layer(name: &str, document: Value) -> Arc<Layer> {
        let mut problems = Problems::new();
        let layer = Layer::read(name, document.as_object().expect("an object"), &mut problems);
        assert_eq!(problems, []);
        Arc::new(layer)
    }

    #[test]
    fn the_tenant_s_contribution_lies_over_the_packs() {
        let layers = [
            layer("core", json!({"objects": {"deal": {"label": "Deal"}}})),
            layer("crm", json!({"extend": {"deal": {"icon": "x"}}})),
            layer(CUSTOM, json!({"extend": {"deal": {"label": "Sale"}}, "objects": {"permit": {"label": "Permit"}}})),
        ];
        let deal = Source::object(&layers, "deal").expect("a deal");
        assert_eq!(deal.base.map(Value::from), Some(json!({"label": "Deal", "icon": "x"})));
        assert_eq!(Value::from(deal.effective), json!({"label": "Sale", "icon": "x"}));
        let permit = Source::object(&layers, "permit").expect("a permit");
        assert_eq!((permit.base, Value::from(permit.effective)), (None, json!({"label": "Permit"})));
        assert!(Source::object(&layers, "ship").is_none());
    }
}
