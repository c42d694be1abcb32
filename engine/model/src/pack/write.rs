//! A pack's document as the text of one file.

use serde_json::{Map, Value};

use super::yaml;
use crate::layer::Layer;

/// What stands before the sections of the layer.
const HEAD: [&str; 4] = ["pack", "version", "label", "requires"];

/// A pack's document as one YAML file, which [`Pack::read`](super::Pack::read) makes the same document of. Sections stand
/// in the order of the format, all else in its own; the same document always gives the same text.
pub fn write(document: &Map<String, Value>) -> String {
    let sections: Vec<&str> = HEAD.into_iter().chain(Layer::SECTIONS).collect();
    let known = sections.iter().filter_map(|section| document.get_key_value(*section));
    let others = document.iter().filter(|(section, _)| !sections.contains(&section.as_str()));
    let ordered: Map<String, Value> = known.chain(others).map(|(key, value)| (key.clone(), value.clone())).collect();
    yaml::write(&ordered)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::pack::Pack;
    use crate::problem::Problems;

    fn read(text: &str) -> Pack {
        Pack::read(&[("pack.yaml".to_owned(), text.to_owned())]).expect(text)
    }

    fn name() -> impl Strategy<Value = String> {
        "[a-d]{1,2}"
    }

    /// What is said of an object, an association or a pipeline; it need not mean anything.
    fn spec() -> impl Strategy<Value = Map<String, Value>> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[-a-z0-9 .:#\"'\n{},]{0,9}".prop_map(Value::from),
        ];
        let value = leaf.prop_recursive(4, 30, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-z0-9]{0,4}", inner, 0..4)
                    .prop_map(|map| map.into_iter().collect::<Map<_, _>>().into()),
            ]
        });
        prop::collection::btree_map(prop_oneof!["label", "archived", "properties", "stages"], value, 0..4)
            .prop_map(|map| map.into_iter().collect())
    }

    fn layer() -> impl Strategy<Value = Layer> {
        let named = || prop::collection::btree_map(name(), spec(), 0..4);
        let pipelines = prop::collection::btree_map((name(), name()), (spec(), any::<bool>()), 0..6);
        (named(), named(), named(), pipelines).prop_map(|(objects, extend, associations, pipelines)| {
            let mut layer = Layer { name: "own".to_owned(), ..Layer::default() };
            let name = |text: &str| crate::name::Name::new(text).expect("a name");
            layer.objects = objects.into_iter().map(|(key, spec)| (name(&key), spec)).collect();
            layer.extend = extend.into_iter().map(|(key, spec)| (name(&key), spec)).collect();
            layer.associations = associations.into_iter().map(|(key, spec)| (name(&key), spec)).collect();
            for ((object, pipeline), (spec, is_change)) in pipelines {
                let key = (name(&object), name(&pipeline));
                if is_change {
                    layer.changed.pipelines.insert(key.clone());
                }
                layer.pipelines.insert(key, spec);
            }
            layer
        })
    }

    proptest! {
        #[test]
        fn a_layer_leaves_as_a_pack_and_comes_back(layer in layer()) {
            let mut document = Map::new();
            document.extend(layer.document());
            document.extend(json!({"version": "1.0.0", "pack": "own"}).as_object().expect("an object").clone());
            let text = write(&document);
            let pack = read(&text);
            // The order of sections is that of the format.
            prop_assert_eq!(Value::Object(pack.document.clone()), Value::Object(document));
            prop_assert_eq!(write(&pack.document), text);
            prop_assert_eq!(Value::Object(pack.layer.document()), Value::Object(layer.document()));
            prop_assert_eq!(&pack.layer.changed.pipelines, &layer.changed.pipelines);
            prop_assert!(pack.layer.pipelines.keys().eq(layer.pipelines.keys()));
        }
    }

    #[test]
    fn pipelines_of_one_name_stand_under_keys_of_their_own() {
        let document = json!({"pipelines": {
            "sales": {"object": "deal", "stages": {"a": {}}},
            "site_sales": {"object": "site", "name": "sales", "extend": true, "stages": {"b": {}}},
        }});
        let mut problems = Problems::new();
        let layer = Layer::read("own", document.as_object().expect("an object"), &mut problems);
        assert_eq!(problems, []);
        let keys: Vec<String> = layer.pipelines.keys().map(|(object, name)| format!("{object}.{name}")).collect();
        assert_eq!(keys, ["deal.sales", "site.sales"]);
        assert_eq!(Value::Object(layer.document()), document);
        let unkept = Layer { keys: Default::default(), ..layer };
        assert_eq!(Value::Object(unkept.document()), document);
    }

    #[test]
    fn the_shipped_packs_are_the_same_when_written_and_read() {
        for name in ["core", "crm", "construction", "healthcare"] {
            let pack = crate::pack::tests::shipped::pack(name);
            let text = write(&pack.document);
            let again = read(&text);
            assert_eq!(again.document, pack.document, "{name}");
            // Stores keep the document to be read instead of the files.
            let mut problems = Problems::new();
            let layer = Layer::read(name, &pack.document, &mut problems);
            assert_eq!(problems, [], "{name}");
            assert_eq!(format!("{layer:?}"), format!("{:?}", pack.layer), "{name}");
            assert_eq!(write(&again.document), text, "{name}");
        }
    }
}
