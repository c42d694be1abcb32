//! Bodies of requests as they are described. Handlers read them member by member, so that everything that is wrong is
//! told at once; the end-to-end tests hold what is described here against what is taken.

#![expect(dead_code, reason = "describes bodies, which are read without it")]

mod access;
mod definitions;
mod records;
mod work;

pub(crate) use access::*;
pub(crate) use definitions::*;
pub(crate) use records::*;
pub(crate) use work::*;
