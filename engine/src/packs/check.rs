//! Checking a pack where no tenant is known: on top of what it requires, as far as that is at hand.

use engine_model::pack::{LocatedProblem, Pack};

use super::fragments;
use super::requirements::{layers_below, tell_owner, unmet_among};

/// Every mistake of a pack that stands in these files; `known` are the packs that it may build on.
pub fn check(files: &[(String, String)], known: &[Pack]) -> Vec<LocatedProblem> {
    let (mut unmet, mut fragments, mut read) = (Vec::new(), Vec::new(), None);
    let below = |pack: &Pack| {
        unmet = unmet_among(pack, known).into_iter().map(|problem| pack.located(problem)).collect();
        fragments = fragments::mistakes(pack);
        read = Some(pack.clone());
        layers_below(pack, known)
    };
    let mut found = Pack::read_and_check(files, below).err().unwrap_or_default();
    if let Some(pack) = &read {
        found.iter_mut().for_each(|problem| tell_owner(pack, problem, known));
    }
    // What is missing explains what is unknown, so it goes first.
    unmet.into_iter().chain(found).chain(fragments).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packs::shipped;

    fn told(text: &str, with: &[&str]) -> Vec<String> {
        let file = |text: &str| vec![("pack.yaml".to_owned(), text.to_owned())];
        let shipped = shipped::packs().filter_map(|(_, files)| Pack::read(&files).ok());
        let known: Vec<Pack> = shipped.chain(with.iter().filter_map(|text| Pack::read(&file(text)).ok())).collect();
        check(&file(text), &known).iter().map(|problem| format!("{} {problem}", problem.code)).collect()
    }

    #[test]
    fn what_is_required_is_at_hand() {
        let requires = |requires: &str| told(&format!("pack: own\nversion: 1.0.0\nrequires: {{{requires}}}\n"), &[]);
        assert_eq!(requires("core: ^1.0"), [""; 0]);
        assert_eq!(
            requires("corre: ^1.0"),
            [
                "missing_pack pack.yaml:3:19: `corre` is neither built in nor given by `--with FOLDER`; did you mean `core`?"
            ]
        );
        assert_eq!(
            requires("zebra: ^1.0"),
            ["missing_pack pack.yaml:3:19: `zebra` is not built in; say where it is with `--with FOLDER`"]
        );
        let older = requires("core: ^99.0");
        assert!(
            older.len() == 1 && older[0].starts_with("pack_version pack.yaml:3:18: `core` is here in "),
            "{older:?}"
        );
        assert!(older[0].ends_with("but ^99.0 is required"), "{older:?}");
        assert_eq!(requires("own: ^1.0"), ["cyclic pack.yaml:3:17: a pack does not require itself; leave it out"]);
    }

    #[test]
    fn packs_that_require_each_other_are_told_by_the_way_round() {
        let (one, other) =
            ("pack: c1\nversion: 1.0.0\nrequires: {c2: ^1}\n", "pack: c2\nversion: 1.0.0\nrequires: {c1: ^1}\n");
        assert_eq!(
            told(one, &[other]),
            ["cyclic pack.yaml:3:16: `c2` requires `c1` itself (c2 → c1); one of the two has to go without"]
        );
    }

    #[test]
    fn whoever_has_an_object_is_to_be_required() {
        let text = "pack: own\nversion: 1.0.0\nobjects: {site: {properties: {name: {type: string}}}}\nextend: {deal: {label: Job}}\n\
                    associations: {a: {from: site, to: contact}}\n";
        let found = told(text, &[]);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(
            found[0].starts_with("unknown pack.yaml:4:10: there is no object `deal`; `crm` has it: add `crm: ^"),
            "{found:?}"
        );
        assert!(
            found[1].starts_with("unknown pack.yaml:5:36: there is no object `contact`; `core` has it:"),
            "{found:?}"
        );
    }

    #[test]
    fn a_schema_that_is_none_is_told_at_its_place() {
        let text = "pack: own\nversion: 1.0.0\nschemas:\n  odd: {type: 5}\nobjects:\n  site:\n    properties:\n      name: {type: string}\n      \
                    a: {type: json, schema: nope}\n      b: {type: json, schema: {type: 5}}\n      c: {type: json, schema: {$ref: \
                    \"http://example.org/x\"}}\n      d: {type: json, schema: {type: object}}\n";
        let found = told(text, &[]);
        let places: Vec<_> = found.iter().map(|found| found.split(": ").next().unwrap_or_default()).collect();
        assert_eq!(
            places,
            ["unknown pack.yaml:9:31", "invalid pack.yaml:4:3", "invalid pack.yaml:10:23", "invalid pack.yaml:11:23"],
            "{found:#?}"
        );
        assert!(found.iter().all(|found| !found.contains('\n')), "{found:#?}");
    }
}
