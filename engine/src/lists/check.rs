//! A list is right: what it says, whom it is shared with, and what it asks.

use std::collections::{BTreeMap, BTreeSet};

use engine_model::access::Action;
use engine_model::behavior::SHARINGS;
use engine_model::query::ast::FilterText;
use engine_model::{Name, Problem, Problems};
use engine_store::Reader;
use engine_store::list::{self, ListRow};

use super::input::ListInput;
use super::named::{MAX_DEPTH, text_of};
use crate::error::{Error, Result};
use crate::session::Session;

/// Characters of a name, and of a description.
const NAME: usize = 255;
const DESCRIPTION: usize = 2_000;

/// Lists that are read at a time.
const AT_A_TIME: i64 = 500;

impl Session {
    /// The row that says what is written, and what it asks where that is sent; every mistake in it at once.
    pub(super) async fn checked_list(
        &self,
        reader: &mut Reader,
        mut row: ListRow,
        input: ListInput,
        malformed: Problems,
    ) -> Result<(ListRow, Option<FilterText>)> {
        let (is_new, mut problems) = (row.id == 0, malformed);
        let is_malformed = |problems: &Problems, at: &str| problems.iter().any(|problem| problem.pointer == at);
        let ListInput { object, name, description, filter, sharing, team } = input;
        // Of what does not read, nothing more is told than that.
        let [takes_object, takes_name, takes_filter] =
            ["/object", "/name", "/filter"].map(|at| !is_new && !is_malformed(&problems, at));
        let object_sent = object.is_some();
        match object.flatten() {
            Some(object) if is_new => match self.catalog.object(&object) {
                Ok(found) => match self.caller.check_any(Action::Read, &found.name) {
                    Ok(()) => row.object = object,
                    Err(error) => return Err(error),
                },
                Err(error) => problems.push(Problem::new("/object", "unknown", error.detail)),
            },
            Some(object) if object != row.object => {
                let message = format!("list {} is one of `{}` records and stays so; make another", row.id, row.object);
                problems.push(Problem::new("/object", "immutable", message));
            }
            None if is_new && !is_malformed(&problems, "/object") => {
                problems.push(Problem::new("/object", "required", "`object` is required"));
            }
            None if takes_object && object_sent => {
                let message =
                    format!("list {} is one of `{}` records and stays so; leave `object` out", row.id, row.object);
                problems.push(Problem::new("/object", "required", message));
            }
            Some(_) | None => {}
        }
        check_name(name.filter(|name| name.is_some() || is_new || takes_name), &mut row, &mut problems);
        match description {
            Some(Some(text)) if text.chars().count() > DESCRIPTION => {
                let message = format!("a description has at most {DESCRIPTION} characters");
                problems.push(Problem::new("/description", "too_long", message));
            }
            Some(text) => row.description = text.filter(|text| !text.trim().is_empty()),
            None => {}
        }
        self.check_sharing(reader, &mut row, sharing, team, &mut problems).await?;
        let text = match filter {
            Some(Some(sent)) if is_new || row.filter.is_some() => {
                self.check_filter(&row.object, &sent.text, &mut problems).await?;
                row.filter = Some(sent.written.get().to_owned());
                Some(sent.text)
            }
            Some(Some(_)) => {
                let message = "the members of this list are put by hand; make another list for a filter";
                problems.push(Problem::new("/filter", "not_applicable", message));
                None
            }
            Some(None) if takes_filter => {
                let message = match &row.filter {
                    Some(_) => "a list whose members meet a filter keeps one; make another list for members by hand",
                    None => "the members of this list are put by hand, so there is no filter; leave `filter` out",
                };
                problems.push(Problem::new("/filter", "required", message));
                None
            }
            Some(None) | None => None,
        };
        match problems.is_empty() {
            true => Ok((row, text)),
            false => Err(Error::invalid(problems)),
        }
    }

    async fn check_sharing(
        &self,
        reader: &mut Reader,
        row: &mut ListRow,
        sharing: Option<Option<String>>,
        team: Option<Option<serde_json::Value>>,
        problems: &mut Problems,
    ) -> Result<()> {
        match sharing.map(|sharing| sharing.unwrap_or_else(|| "everyone".to_owned())) {
            Some(sharing) if sharing == "shared" => "everyone".clone_into(&mut row.sharing),
            Some(sharing) if SHARINGS.contains(&sharing.as_str()) => row.sharing = sharing,
            Some(_) => {
                let message = "`sharing` is one of `private`, `team` and `everyone`";
                problems.push(Problem::new("/sharing", "invalid", message));
                // Whether there is such a team can be told all the same.
                if let Some(team) = team.flatten() {
                    self.read_team(reader, Some(team), true, row.team_id, problems).await?;
                }
                return Ok(());
            }
            None => {}
        }
        let is_shared = row.sharing == "team";
        let had = row.team_id.filter(|_| is_shared);
        let given = match team {
            Some(given) => given,
            None => had.map(|team| team.to_string().into()),
        };
        row.team_id = self.read_team(reader, given, is_shared, had, problems).await?.map(|team| team.0);
        Ok(())
    }

    async fn check_filter(&self, object: &str, text: &FilterText, problems: &mut Problems) -> Result<()> {
        let Ok(object) = Name::new(object) else { return Ok(()) };
        if self.catalog.object(&object).is_err() {
            return Ok(());
        }
        let named = match self.lists_named(Some(text)).await {
            Ok(named) => named,
            Err(error) if !error.problems.is_empty() => {
                problems.extend(error.problems);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        problems.extend(self.resolved_for_caller(&object, text, &named).err().unwrap_or_default());
        Ok(())
    }

    /// Which lists name which; `with` stands for what a list is about to ask.
    pub(super) async fn naming(&self, reader: &mut Reader, with: Option<(i64, &FilterText)>) -> Result<Naming> {
        let (mut below, mut after) = (BTreeMap::new(), 0);
        loop {
            let rows = list::dynamic(reader, after, AT_A_TIME).await?;
            let is_last = i64::try_from(rows.len()).is_ok_and(|count| count < AT_A_TIME);
            after = rows.last().map_or(after, |row| row.id);
            for row in rows {
                let filter = row.filter.unwrap_or_default();
                if filter.contains("\"list\"") {
                    below.insert(row.id, (row.name, ids(&text_of(&filter)?)));
                }
            }
            if is_last {
                break;
            }
        }
        if let Some((id, text)) = with {
            below.insert(id, (String::new(), ids(text)));
        }
        Ok(Naming { below })
    }
}

fn ids(text: &FilterText) -> BTreeSet<i64> {
    text.lists().into_iter().filter_map(|id| id.parse().ok()).collect()
}

fn check_name(name: Option<Option<String>>, row: &mut ListRow, problems: &mut Problems) {
    let is_needed = row.id == 0 || name.is_some();
    let Some(name) = name.flatten().or(is_needed.then(String::new)) else { return };
    let name = name.trim();
    if name.is_empty() {
        if !problems.iter().any(|problem| problem.pointer == "/name") {
            problems.push(Problem::new("/name", "required", "`name` is required"));
        }
    } else if name.chars().count() > NAME {
        problems.push(Problem::new("/name", "too_long", format!("a name has at most {NAME} characters")));
    } else {
        name.clone_into(&mut row.name);
    }
}

/// Which lists name which.
#[derive(Debug)]
pub(super) struct Naming {
    /// What lists are called, and which they name.
    below: BTreeMap<i64, (String, BTreeSet<i64>)>,
}

impl Naming {
    /// The lists that name this one, with what they are called.
    pub(super) fn directly_above(&self, id: i64) -> Vec<(i64, &str)> {
        let above = self.below.iter().filter(|(_, (_, below))| below.contains(&id));
        above.map(|(id, (name, _))| (*id, name.as_str())).collect()
    }

    /// All lists that ask about this one in the end.
    pub(super) fn above(&self, id: i64) -> BTreeSet<i64> {
        let (mut found, mut next) = (BTreeSet::new(), vec![id]);
        while let Some(at) = next.pop() {
            next.extend(self.directly_above(at).into_iter().map(|(id, _)| id).filter(|id| found.insert(*id)));
        }
        found
    }

    /// Refuses a list that would ask about itself, or would have lists stand too deep below each other.
    pub(super) fn check(&self, id: i64) -> Result<()> {
        if let Some(way) = self.circle(id) {
            let way = way.iter().map(ToString::to_string).collect::<Vec<_>>().join(" → ");
            let message = format!("a list cannot ask about itself: {way}");
            return Err(Error::invalid_at("/filter", "circular", message));
        }
        let deep = self.depth(id, |at| self.below_of(at))
            + self.depth(id, |at| self.directly_above(at).into_iter().map(|(id, _)| id).collect());
        if deep > MAX_DEPTH {
            let message = format!("lists that name each other stand at most {MAX_DEPTH} deep; this would be {deep}");
            return Err(Error::invalid_at("/filter", "too_deep", message));
        }
        Ok(())
    }

    fn below_of(&self, id: i64) -> Vec<i64> {
        self.below.get(&id).into_iter().flat_map(|(_, below)| below).copied().collect()
    }

    /// The way from a list to itself.
    fn circle(&self, id: i64) -> Option<Vec<i64>> {
        let (mut from, mut next) = (BTreeMap::new(), vec![id]);
        while let Some(at) = next.pop() {
            for below in self.below_of(at) {
                if below == id {
                    let mut way = vec![id, at];
                    while let Some(before) = way.last().and_then(|last| from.get(last)).copied() {
                        way.push(before);
                    }
                    if at == id {
                        way = vec![id, id];
                    }
                    way.reverse();
                    return Some(way);
                }
                if let std::collections::btree_map::Entry::Vacant(entry) = from.entry(below) {
                    entry.insert(at);
                    next.push(below);
                }
            }
        }
        None
    }

    /// How many lists stand one behind the other that way; there are no circles.
    fn depth(&self, id: i64, step: impl Fn(i64) -> Vec<i64>) -> usize {
        let (mut at, mut depth) = (BTreeSet::from([id]), 0);
        loop {
            at = at.into_iter().flat_map(&step).collect();
            if at.is_empty() || depth > MAX_DEPTH {
                return depth;
            }
            depth += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naming(edges: &[(i64, &[i64])]) -> Naming {
        let below = edges.iter().map(|(id, below)| (*id, (format!("List {id}"), below.iter().copied().collect())));
        Naming { below: below.collect() }
    }

    #[test]
    fn circles_are_named_from_their_beginning_to_their_end() {
        let message = |edges: &[(i64, &[i64])], id| naming(edges).check(id).expect_err("refused").detail;
        assert_eq!(message(&[(1, &[1])], 1), "a list cannot ask about itself: 1 → 1");
        assert_eq!(message(&[(1, &[2]), (2, &[7, 3]), (3, &[1])], 1), "a list cannot ask about itself: 1 → 2 → 3 → 1");
        assert!(naming(&[(1, &[2, 3]), (2, &[3]), (3, &[4])]).check(1).is_ok());
    }

    #[test]
    fn depth_counts_what_stands_above_and_below() {
        let chain: Vec<(i64, Vec<i64>)> = (1..=9).map(|id| (id, vec![id + 1])).collect();
        let chain: Vec<(i64, &[i64])> = chain.iter().map(|(id, below)| (*id, below.as_slice())).collect();
        let refused = naming(&chain).check(5).expect_err("refused").detail;
        assert_eq!(refused, "lists that name each other stand at most 8 deep; this would be 9");
        assert!(naming(&chain[1..]).check(5).is_ok());
        assert_eq!(naming(&chain).above(3), BTreeSet::from([1, 2]));
        assert_eq!(naming(&chain).directly_above(3), [(2, "List 2")]);
    }
}
