//! What is left when the process ends at any moment, or somebody touches the files.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use engine_search::{Edit, Index, Pace, SearchError};
use tempfile::TempDir;

use crate::fixture::{Contents, Random, contents_of, put, reached, remove};

/// Names the folder in which a process writes until it is killed.
const FOLDER: &str = "ENGINE_SEARCH_TEST_FOLDER";

/// The log: what happens at a position, which is the same whenever it is asked for.
fn change_at(sequence: i64) -> (Edit, i64, Option<i64>) {
    let mut random = Random::new(sequence.cast_unsigned());
    let id = random.below(300) + 1;
    if random.below(5) == 0 { (remove(id), id, None) } else { (put(id, sequence), id, Some(sequence)) }
}

/// What an index must hold that reaches so far.
fn contents_at(sequence: i64) -> Contents {
    let mut contents = Contents::new();
    for at in 1..=sequence {
        match change_at(at) {
            (_, id, Some(version)) => drop(contents.insert(id, version)),
            (_, id, None) => drop(contents.remove(&id)),
        }
    }
    contents
}

fn open_or_create(folder: &Path) -> Index {
    match Index::open(folder) {
        Err(SearchError::Missing) => Index::create(folder, Pace::Steady).unwrap(),
        index => index.unwrap(),
    }
}

/// Follows the log until `is_over`; meanwhile persists on another thread, and tells what is durable.
fn follow(index: &Index, is_over: impl Fn() -> bool + Sync, tell: impl Fn(i64)) {
    thread::scope(|scope| {
        let following = scope.spawn(|| {
            let mut at = index.reached().sequence.0;
            let mut random = Random::new(at.cast_unsigned());
            while !is_over() {
                let batch = [1, 1, 3, 20, 400][random.below(5) as usize];
                index.apply((at + 1..=at + batch).map(|at| change_at(at).0).collect()).unwrap();
                at += batch;
                if random.below(3) > 0 {
                    index.commit(reached(at)).unwrap();
                }
                if random.below(20) == 0 {
                    index.commit(reached(at)).unwrap();
                    index.rest().unwrap();
                }
            }
            index.commit(reached(at)).unwrap();
        });
        while !following.is_finished() {
            index.persist().unwrap();
            tell(index.durable().0);
        }
    });
}

fn check(folder: &Path, at_least: i64) -> i64 {
    let index = open_or_create(folder);
    let sequence = index.reached().sequence.0;
    assert!(sequence >= at_least, "{sequence} is durable, and {at_least} was");
    assert_eq!(index.durable().0, sequence);
    assert_eq!(contents_of(&index), contents_at(sequence));
    sequence
}

#[test]
fn a_killed_process_leaves_what_was_durable_or_more() {
    if let Some(folder) = folder_to_write_in() {
        let index = open_or_create(&folder);
        let tell = |durable| writeln!(std::io::stdout(), "\ndurable {durable}").unwrap();
        return follow(&index, || false, tell);
    }
    let folder = TempDir::new().unwrap();
    let mut random = Random::new(1);
    let mut durable = 0;
    for _ in 0..12 {
        let (mut child, output) = start(folder.path());
        let time = Duration::from_millis(random.below(400).cast_unsigned());
        let told = read_until_killed(&mut child, output, durable, time);
        assert!(told > durable);
        durable = check(folder.path(), told);
    }
}

#[expect(clippy::disallowed_methods, reason = "a test that starts itself as another process has to tell it so")]
fn folder_to_write_in() -> Option<PathBuf> {
    env::var_os(FOLDER).map(PathBuf::from)
}

fn start(folder: &Path) -> (Child, BufReader<ChildStdout>) {
    let test = "crash::a_killed_process_leaves_what_was_durable_or_more";
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads", "1"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    (child, output)
}

/// Reads what a process tells until it has come further than `from`, and for some time after that; then kills it.
/// Returns the last position it told.
fn read_until_killed(child: &mut Child, output: BufReader<ChildStdout>, from: i64, time: Duration) -> i64 {
    let mut end = None;
    let mut last = from;
    for line in output.lines() {
        let line = line.unwrap();
        let Some(durable) = line.strip_prefix("durable ") else { continue };
        last = durable.parse().unwrap();
        if last > from && Instant::now() >= *end.get_or_insert_with(|| Instant::now() + time) {
            // What it told in the meantime is read too.
            child.kill().unwrap();
        }
    }
    assert!(!child.wait().unwrap().success());
    last
}

#[test]
fn a_copy_of_the_folder_holds_what_was_durable_or_more() {
    let folder = TempDir::new().unwrap();
    let index = Index::create(folder.path(), Pace::Steady).unwrap();
    index.persist().unwrap();
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| follow(&index, || is_over.load(Ordering::SeqCst), |_| {}));
        for _ in 0..15 {
            let durable = index.durable().0;
            let copy = copy_of(folder.path());
            check(copy.path(), durable);
        }
        is_over.store(true, Ordering::SeqCst);
    });
    index.rest().unwrap();
    index.persist().unwrap();
    let last = index.reached().sequence.0;
    assert_eq!(contents_of(&index), contents_at(last));
    drop(index);
    assert_eq!(check(folder.path(), last), last);
}

/// A copy of a folder that changes meanwhile, as it was at some moment: the file that names the others comes first, and
/// those that it names stay as long as it does.
fn copy_of(folder: &Path) -> TempDir {
    loop {
        let copy = TempDir::new().unwrap();
        let state = fs::read(folder.join("meta.json")).unwrap();
        for entry in fs::read_dir(folder).unwrap() {
            let name = entry.unwrap().file_name();
            // Files that nothing names come and go.
            fs::copy(folder.join(&name), copy.path().join(&name)).map(drop).unwrap_or_default();
        }
        if fs::read(folder.join("meta.json")).unwrap() == state {
            fs::write(copy.path().join("meta.json"), state).unwrap();
            return copy;
        }
    }
}

/// A folder with an index of two segments and deletes, and the names of its files.
fn folder_to_damage() -> (TempDir, Vec<PathBuf>) {
    let folder = TempDir::new().unwrap();
    let index = Index::create(folder.path(), Pace::Steady).unwrap();
    index.apply((1..=400).map(|id| put(id, 1)).collect()).unwrap();
    index.commit(reached(1)).unwrap();
    index.apply((300..=500).map(|id| put(id, 2)).collect()).unwrap();
    index.commit(reached(2)).unwrap();
    index.persist().unwrap();
    let names = fs::read_dir(folder.path()).unwrap().map(|entry| PathBuf::from(entry.unwrap().file_name())).collect();
    (folder, names)
}

#[test]
fn a_missing_file_is_damage() {
    let (folder, names) = folder_to_damage();
    assert_eq!(names.len(), 2 * 6 + 2, "{names:?}");
    for name in names {
        let copy = copy_of(folder.path());
        fs::remove_file(copy.path().join(&name)).unwrap();
        let opened = Index::open(copy.path());
        if name == Path::new("meta.json") {
            assert!(matches!(opened, Err(SearchError::Missing)), "{name:?}: {opened:?}");
        } else {
            assert!(matches!(opened, Err(SearchError::Damaged(_))), "{name:?}: {opened:?}");
        }
    }
}

#[test]
fn a_truncated_file_is_damage() {
    let (folder, names) = folder_to_damage();
    for name in names {
        let length = fs::metadata(folder.path().join(&name)).unwrap().len();
        for kept in [0, 1, length / 2, length - 9, length - 2] {
            let copy = copy_of(folder.path());
            fs::File::options().write(true).open(copy.path().join(&name)).unwrap().set_len(kept).unwrap();
            let opened = Index::open(copy.path());
            assert!(matches!(opened, Err(SearchError::Damaged(_))), "{kept} bytes of {name:?}: {opened:?}");
        }
    }
}

#[test]
fn a_small_file_with_another_byte_is_damage() {
    let (folder, names) = folder_to_damage();
    for name in names.iter().filter(|name| *name != Path::new("meta.json")) {
        let mut bytes = fs::read(folder.path().join(name)).unwrap();
        assert!(bytes.len() < 64 << 10);
        for at in [0, bytes.len() / 3, bytes.len() / 2] {
            let copy = copy_of(folder.path());
            bytes[at] ^= 4;
            fs::write(copy.path().join(name), &bytes).unwrap();
            bytes[at] ^= 4;
            let opened = Index::open(copy.path());
            assert!(
                matches!(opened, Err(SearchError::Damaged(_) | SearchError::Outdated { .. })),
                "{name:?}: {opened:?}"
            );
        }
    }
}

#[test]
fn another_form_is_outdated_before_anything_is_read() {
    let (folder, names) = folder_to_damage();
    let state = fs::read_to_string(folder.path().join("meta.json")).unwrap();
    for name in names.iter().filter(|name| *name != Path::new("meta.json")) {
        fs::remove_file(folder.path().join(name)).unwrap();
    }
    assert!(state.contains(r#"{\"format\":"#), "{state}");
    let other = state.replacen(r#"{\"format\":"#, r#"{\"format\":7"#, 1);
    fs::write(folder.path().join("meta.json"), other).unwrap();
    let opened = Index::open(folder.path());
    assert!(matches!(&opened, Err(SearchError::Outdated { found }) if found.starts_with('7')), "{opened:?}");
    let none = state.replacen("payload", "preload", 1);
    fs::write(folder.path().join("meta.json"), none).unwrap();
    assert!(matches!(Index::open(folder.path()), Err(SearchError::Outdated { .. })));
}
