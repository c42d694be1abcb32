//! Which records a grant covers.

use std::collections::HashSet;
use std::fmt;

use crate::{TeamId, UserId};

/// Which records a grant covers: a set of places, by which what several grants cover in common is exact.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Reach(u8);

/// Who owns a record, seen from whoever asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// Whoever asks.
    Oneself,
    /// Somebody in one of their teams.
    Mate,
    /// Nobody.
    Nobody,
    /// Somebody else.
    Other,
}

impl Holder {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Oneself, Self::Mate, Self::Nobody, Self::Other];

    fn bit(self) -> u8 {
        match self {
            Self::Oneself => 0b0000_0001,
            Self::Mate => 0b0000_0100,
            Self::Nobody => 0b0001_0000,
            Self::Other => 0b0100_0000,
        }
    }
}

/// Of which teams a reach covers the records that somebody owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Teams {
    /// Of none: it covers no such record.
    None,
    /// Of the teams of whoever asks.
    Own,
    /// Of other teams, or of none.
    Others,
    /// Of any, or of none.
    Any,
}

/// Where a record stands, seen from whoever asks: who owns it, and whether it belongs to one of their teams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Who owns it.
    pub holder: Holder,
    /// It belongs to one of the teams of whoever asks.
    pub is_of_own_team: bool,
}

impl Place {
    fn bit(self) -> u8 {
        self.holder.bit() << u8::from(self.is_of_own_team)
    }
}

/// Whoever asks, and whom they are in teams with.
#[derive(Debug, Clone, Copy)]
pub struct Viewer<'a> {
    /// Whoever asks.
    pub user: UserId,
    /// Users in one of their teams.
    pub mates: &'a HashSet<UserId>,
    /// Their teams.
    pub teams: &'a [TeamId],
}

impl Viewer<'_> {
    /// Where a record with this owner and of this team stands.
    pub fn place(&self, owner: Option<UserId>, team: Option<TeamId>) -> Place {
        let holder = match owner {
            None => Holder::Nobody,
            Some(owner) if owner == self.user => Holder::Oneself,
            Some(owner) if self.mates.contains(&owner) => Holder::Mate,
            Some(_) => Holder::Other,
        };
        Place { holder, is_of_own_team: team.is_some_and(|team| self.teams.contains(&team)) }
    }
}

impl Reach {
    /// None at all.
    pub const NONE: Self = Self(0);
    /// Those that whoever asks owns.
    pub const OWN: Self = Self(0b0000_0011);
    /// Those and what nobody owns.
    pub const OWN_OR_UNCLAIMED: Self = Self(0b0011_0011);
    /// Those owned by whoever asks or by somebody in one of their teams, and those that belong to one of their teams.
    pub const TEAM: Self = Self(0b1010_1111);
    /// Every one.
    pub const ALL: Self = Self(0b1111_1111);

    /// Those that have a name, widest first.
    pub const NAMED: [(&'static str, Self); 5] = [
        ("all", Self::ALL),
        ("team", Self::TEAM),
        ("own", Self::OWN),
        ("own_or_unclaimed", Self::OWN_OR_UNCLAIMED),
        ("none", Self::NONE),
    ];

    /// The name, where it has one; what two grants have in common may have none.
    pub fn name(self) -> Option<&'static str> {
        Self::NAMED.into_iter().find(|(_, reach)| *reach == self).map(|(name, _)| name)
    }

    /// What both cover.
    #[must_use]
    pub fn meet(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What either covers.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether it covers nothing that `other` does not.
    pub fn is_within(self, other: Self) -> bool {
        self.meet(other) == self
    }

    /// A number for it, to be kept.
    pub fn bits(self) -> u8 {
        self.0
    }

    /// The reach of that number.
    pub fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// Whether it covers a record at this place.
    pub fn covers(self, place: Place) -> bool {
        self.0 & place.bit() != 0
    }

    /// Of which teams it covers the records that `holder` owns.
    pub fn teams_of(self, holder: Holder) -> Teams {
        let covers = |is_of_own_team| self.covers(Place { holder, is_of_own_team });
        match (covers(true), covers(false)) {
            (true, true) => Teams::Any,
            (true, false) => Teams::Own,
            (false, true) => Teams::Others,
            (false, false) => Teams::None,
        }
    }

    /// Which records it covers, as part of a sentence: `only own or unclaimed`.
    pub fn words(self) -> &'static str {
        match self {
            Self::NONE => "no",
            Self::OWN => "only own",
            Self::OWN_OR_UNCLAIMED => "only own or unclaimed",
            Self::TEAM => "only the team's",
            Self::ALL => "all",
            _ => "only some",
        }
    }
}

impl fmt::Debug for Reach {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => formatter.write_str(name),
            None => write!(formatter, "{:08b}", self.0),
        }
    }
}
