//! What is left where several must allow something, held against a plain reading of each.

use std::collections::HashSet;

use indexmap::IndexMap;
use proptest::prelude::*;

use super::*;
use crate::{TeamId, UserId};

const ME: UserId = UserId(1);
const MATE: UserId = UserId(2);
const OTHER: UserId = UserId(3);
const OUR_TEAM: TeamId = TeamId(1);
const THEIR_TEAM: TeamId = TeamId(2);

fn rights(role: &str) -> Rights {
    Role::built_in(role).expect("built in").rights
}

fn place(owner: Option<UserId>, team: Option<TeamId>) -> Place {
    let (mates, teams) = (HashSet::from([MATE]), [OUR_TEAM]);
    Viewer { user: ME, mates: &mates, teams: &teams }.place(owner, team)
}

fn reach() -> impl Strategy<Value = Reach> {
    prop::sample::select(Reach::NAMED.map(|(_, reach)| reach).to_vec())
}

fn grants() -> impl Strategy<Value = Grants> {
    (any::<bool>(), reach(), reach(), reach()).prop_map(|(create, read, update, archive)| Grants {
        create,
        read,
        update,
        archive,
    })
}

fn property_rights() -> impl Strategy<Value = PropertyRights> {
    let sights = [Sight::Never, Sight::OfPlain, Sight::OfAll, Sight::Granted].to_vec();
    (prop::sample::select(sights), any::<bool>()).prop_map(|(read, write)| PropertyRights { read, write })
}

fn any_rights() -> impl Strategy<Value = Rights> {
    let objects = prop::collection::btree_map(prop::sample::select(vec!["a", "b", "c"]), grants(), 0..3);
    let properties = prop::collection::btree_map(prop::sample::select(vec!["a.x", "b.x"]), property_rights(), 0..2);
    (any::<bool>(), any::<bool>(), objects, grants(), properties, property_rights()).prop_map(
        |(owner, admin, objects, default, properties, plain)| Rights {
            owner,
            admin,
            objects: objects.into_iter().map(|(name, grants)| (name.to_owned(), grants)).collect(),
            default,
            properties: properties.into_iter().map(|(path, rights)| (path.to_owned(), rights)).collect(),
            sight: plain.read,
        },
    )
}

fn scopes() -> impl Strategy<Value = Vec<String>> {
    let known = ["read", "write", "admin", "a:read", "a:write", "b:read", "c:write"];
    prop::collection::vec(prop::sample::select(known.map(str::to_owned).to_vec()), 0..3)
}

/// Every record that there can be, by owner and team.
fn records() -> Vec<(Option<UserId>, Option<TeamId>)> {
    let owners = [None, Some(ME), Some(MATE), Some(OTHER)];
    let teams = [None, Some(OUR_TEAM), Some(THEIR_TEAM)];
    owners.into_iter().flat_map(|owner| teams.map(|team| (owner, team))).collect()
}

/// What the words of a reach say, without looking at how it is kept.
fn covers(name: &str, (owner, team): (Option<UserId>, Option<TeamId>)) -> bool {
    match name {
        "all" => true,
        "none" => false,
        "own" => owner == Some(ME),
        "own_or_unclaimed" => owner == Some(ME) || owner.is_none(),
        "team" => owner == Some(ME) || owner == Some(MATE) || team == Some(OUR_TEAM),
        other => panic!("no reach is called {other}"),
    }
}

#[test]
fn each_reach_covers_what_its_name_says() {
    for (name, reach) in Reach::NAMED {
        for record in records() {
            assert_eq!(reach.covers(place(record.0, record.1)), covers(name, record), "{name} {record:?}");
        }
        assert_eq!(reach.name(), Some(name));
    }
}

#[test]
fn what_two_reaches_have_in_common_is_exact() {
    for (one, first) in Reach::NAMED {
        for (other, second) in Reach::NAMED {
            for record in records() {
                let expected = covers(one, record) && covers(other, record);
                assert_eq!(first.meet(second).covers(place(record.0, record.1)), expected, "{one} {other} {record:?}");
            }
        }
    }
}

#[test]
fn members_read_all_and_write_what_they_own_or_nobody_does() {
    let member = rights("member");
    assert_eq!(member.grants("deal").reach(Action::Read), Reach::ALL);
    assert_eq!(member.grants("deal").reach(Action::Update), Reach::OWN_OR_UNCLAIMED);
    assert_eq!((member.admin, member.sight), (false, Sight::OfPlain));
    assert_eq!(rights("viewer").grants("deal").reach(Action::Create), Reach::NONE);
    assert_eq!(Role::built_in("root"), None);
}

#[test]
fn built_in_roles_are_stronger_from_right_to_left() {
    for (at, stronger) in BUILT_IN.iter().enumerate() {
        for weaker in &BUILT_IN[at..] {
            let (stronger, weaker) = (rights(stronger), rights(weaker));
            assert_eq!(weaker.excess_over(&stronger), None);
            assert_eq!(stronger.meet(&weaker), weaker);
        }
    }
    let told = rights("owner").excess_over(&rights("admin")).map(|excess| excess.to_string());
    assert_eq!(told.as_deref(), Some("to make and change users with the role `owner`"));
    let told = rights("member").excess_over(&rights("viewer")).map(|excess| excess.to_string());
    assert_eq!(told.as_deref(), Some("to create records of any object"));
}

#[test]
fn scopes_let_through_what_any_of_them_does() {
    let through = |scopes: &[&str]| {
        let scopes: Vec<String> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        rights("owner").meet(&rights_of_scopes(&scopes))
    };
    let may = |scopes: &[&str], action, object| through(scopes).grants(object).reach(action) == Reach::ALL;
    assert!(may(&[], Action::Archive, "deal") && through(&[]).owner);
    assert!(may(&["deal:read"], Action::Read, "deal") && !may(&["deal:read"], Action::Update, "deal"));
    assert!(!may(&["deal:read"], Action::Read, "contact"));
    assert!(
        may(&["read", "deal:write"], Action::Create, "deal")
            && !may(&["read", "deal:write"], Action::Create, "contact")
    );
    assert!(may(&["write"], Action::Read, "deal") && !through(&["write"]).admin && through(&["admin"]).admin);
}

#[test]
fn a_decision_says_which_part_refuses() {
    let party = |source, name: &str, rights: Rights| Party { source, name: name.to_owned(), rights };
    let own = Grants { create: true, read: Reach::ALL, update: Reach::OWN, archive: Reach::NONE };
    let sales = Rights { default: own, ..rights("member") };
    let parties = [
        party(Source::TokenRole, "sales", sales),
        party(Source::UserRole, "member", rights("member")),
        party(Source::Scopes, "deal:read", rights_of_scopes(&["deal:read".to_owned()])),
    ];
    let told = |action, object: &str, place| refusal(&parties, action, object, Some(place));
    assert_eq!(
        told(Action::Update, "deal", place(None, None)),
        "the role `sales` allows to update only own `deal` records"
    );
    assert_eq!(
        told(Action::Archive, "deal", place(Some(ME), None)),
        "the role `sales` does not allow to archive `deal` records"
    );
    assert_eq!(told(Action::Update, "deal", place(Some(ME), None)), "the token's scopes do not allow to update `deal`");
}

proptest! {
    #[test]
    fn meeting_has_the_laws_of_a_lattice(a in any_rights(), b in any_rights(), c in any_rights()) {
        prop_assert_eq!(a.meet(&a), a.clone());
        prop_assert_eq!(a.meet(&b), b.meet(&a));
        prop_assert_eq!(a.meet(&b).meet(&c), a.meet(&b.meet(&c)));
        prop_assert_eq!(a.meet(&Rights::everything()), a.clone());
        let met = a.meet(&b);
        prop_assert_eq!(met.excess_over(&a), None);
        prop_assert_eq!(met.excess_over(&b), None);
    }

    /// Something is allowed exactly where each part allows it by itself.
    #[test]
    fn what_several_allow_is_what_each_does(role in any_rights(), user in any_rights(), scopes in scopes()) {
        let parts = [role, user, rights_of_scopes(&scopes)];
        let met = parts.iter().fold(Rights::everything(), |met, part| met.meet(part));
        prop_assert_eq!(met.admin, parts.iter().all(|part| part.admin));
        for action in Action::ALL {
            for (owner, team) in records() {
                for object in ["a", "b", "c", "d"] {
                    let place = place(owner, team);
                    let each = parts.iter().all(|part| part.allows(action, object, place));
                    prop_assert_eq!(met.allows(action, object, place), each);
                }
            }
        }
        for path in ["a.x", "b.x", "c.x"] {
            let least = parts.iter().map(|part| part.on(path).read).min();
            prop_assert_eq!(Some(met.on(path).read), least);
            prop_assert_eq!(met.on(path).write, parts.iter().all(|part| part.on(path).write));
        }
    }

    /// Where something may be done that the other may not, it is told; and only there.
    #[test]
    fn excess_is_what_one_may_and_the_other_may_not(a in any_rights(), b in any_rights()) {
        let differs = |object: &str| {
            let beyond = |action| !a.grants(object).reach(action).is_within(b.grants(object).reach(action));
            Action::ALL.into_iter().any(beyond)
        };
        let more_of_records = ["a", "b", "c", "d"].into_iter().any(differs);
        if more_of_records || (a.admin && !b.admin) || (a.owner && !b.owner) {
            prop_assert!(a.excess_over(&b).is_some());
        }
        prop_assert_eq!(a.excess_over(&a), None);
        prop_assert_eq!(Rights { properties: b.properties.clone(), ..Rights::none() }.excess_over(&b), None);
    }
}

#[test]
fn nothing_and_everything_are_the_ends() {
    assert_eq!(Rights::everything().meet(&Rights::none()), Rights::none());
    assert!(Rights::everything().reads_everything() && !Rights::none().reads_everything());
    let objects = IndexMap::from([("deal".to_owned(), Grants::NONE)]);
    assert!(!Rights { objects, ..Rights::everything() }.reads_everything());
    assert!(rights("admin").reads_everything() && !rights("member").reads_everything());
}
