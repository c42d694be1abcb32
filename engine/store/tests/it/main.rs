//! The store on both databases: every suite function runs on SQLite and on PostgreSQL.
//!
//! A suite is a file of functions that take a [`fixture::Home`] and a list of their names in `on_both!`, which makes a
//! test of each for either store.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::type_complexity,
    reason = "tests fail by panicking, race tasks of their own, and look at the databases from outside"
)]

mod build;
mod fixture;
mod raw;

mod access;
mod assignment;
mod cancel;
mod claim;
mod commit;
mod counters;
mod definitions;
mod duplicates;
mod indexing;
mod job;
mod job_file;
mod lists;
mod log;
mod migrate;
mod outage;
mod plans;
mod rls;
mod role;
mod saved;
mod sensitive;
mod survey;
mod tenants;
mod timeline;
mod transfer;
mod visits;

/// Makes two tests of each function, one for each store.
///
/// The plain form runs on one thread, so that what waits for a lane waits in the order in which it was sent;
/// `threads` gives tasks several.
macro_rules! on_both {
    (threads; $($name:ident),* $(,)?) => {
        on_both!(@ (flavor = "multi_thread", worker_threads = 4) $($name)*);
    };
    ($($name:ident),* $(,)?) => {
        on_both!(@ (flavor = "current_thread") $($name)*);
    };
    (@ $flavor:tt $($name:ident)*) => {
        $(on_both!(@one $flavor $name);)*
    };
    (@one ($($flavor:tt)*) $name:ident) => {
        mod $name {
            #[tokio::test($($flavor)*)]
            async fn sqlite() {
                super::$name($crate::fixture::Home::sqlite().await).await;
            }

            #[tokio::test($($flavor)*)]
            async fn postgres() {
                super::$name($crate::fixture::Home::postgres().await).await;
            }
        }
    };
}
pub(crate) use on_both;
