//! Use cases through sessions, on the embedded store.

mod assignment;
mod definitions;
mod expiry;
mod exports;
mod followers;
mod import;
mod index;
mod lists;
mod metadata_random;
mod packs;
mod pipelines;
mod support;
mod tenants_pack;
mod upgrades;
