//! What computed properties are made of: an order in which each comes after its parts, and the circles that have none.

use std::collections::HashMap;

use super::ComputedName;

/// Computed properties with the computed properties that each reads.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) parts: Vec<(ComputedName, Vec<ComputedName>)>,
}

/// An order, and what has none.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sorted {
    /// Each after its parts.
    pub(super) order: Vec<ComputedName>,
    /// Circles: each property is made of the next, and the last of the first.
    pub(super) circles: Vec<Vec<ComputedName>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// On the way from where the walk began.
    Open,
    Done,
    /// In a circle, or made of one.
    Broken,
}

impl Graph {
    /// Sorts them; what is made of a circle is neither in the order nor named as one.
    pub(super) fn sort(&self) -> Sorted {
        let parts: HashMap<&ComputedName, &[ComputedName]> =
            self.parts.iter().map(|(name, parts)| (name, parts.as_slice())).collect();
        let mut walk = Walk { parts, marks: HashMap::new(), path: Vec::new(), sorted: Sorted::default() };
        for (name, _) in &self.parts {
            walk.visit(name);
        }
        walk.sorted
    }
}

struct Walk<'a> {
    parts: HashMap<&'a ComputedName, &'a [ComputedName]>,
    marks: HashMap<&'a ComputedName, Mark>,
    path: Vec<&'a ComputedName>,
    sorted: Sorted,
}

/// Properties made of each other in a row; a longer row would have to be written on purpose.
const MOST_DEPTH: usize = 200;

impl<'a> Walk<'a> {
    fn visit(&mut self, name: &'a ComputedName) -> Mark {
        match self.marks.get(name) {
            Some(Mark::Open) => {
                let from = self.path.iter().position(|open| *open == name).unwrap_or_default();
                self.sorted.circles.push(self.path[from..].iter().map(|open| (*open).clone()).collect());
                return Mark::Broken;
            }
            Some(mark) => return *mark,
            None if self.path.len() >= MOST_DEPTH => {
                self.sorted.circles.push(vec![name.clone()]);
                return Mark::Broken;
            }
            None => {}
        }
        self.marks.insert(name, Mark::Open);
        self.path.push(name);
        let parts = self.parts.get(name).copied().unwrap_or_default();
        let is_broken = parts.iter().fold(false, |broken, part| (self.visit(part) == Mark::Broken) | broken);
        self.path.pop();
        let mark = if is_broken { Mark::Broken } else { Mark::Done };
        self.marks.insert(name, mark);
        if mark == Mark::Done {
            self.sorted.order.push(name.clone());
        }
        mark
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Name;

    fn name(text: &str) -> ComputedName {
        (Name::new("o").expect("a name"), Name::new(text).expect("a name"))
    }

    fn sorted(parts: &[(&str, &[&str])]) -> (Vec<String>, Vec<Vec<String>>) {
        let parts = parts.iter().map(|(from, to)| (name(from), to.iter().map(|to| name(to)).collect())).collect();
        let sorted = Graph { parts }.sort();
        let texts = |names: Vec<ComputedName>| names.into_iter().map(|(_, name)| name.to_string()).collect();
        (texts(sorted.order), sorted.circles.into_iter().map(texts).collect())
    }

    #[test]
    fn parts_come_first() {
        let (order, circles) = sorted(&[("a", &["b", "c"]), ("b", &["c"]), ("c", &[])]);
        assert_eq!((order, circles), (vec!["c".to_owned(), "b".to_owned(), "a".to_owned()], Vec::new()));
    }

    #[test]
    fn a_circle_is_named_and_takes_along_what_is_made_of_it() {
        let (order, circles) = sorted(&[("x", &["a"]), ("a", &["b"]), ("b", &["a"]), ("c", &[]), ("d", &["d"])]);
        assert_eq!(order, ["c"]);
        assert_eq!(circles, [vec!["a".to_owned(), "b".to_owned()], vec!["d".to_owned()]]);
    }
}
