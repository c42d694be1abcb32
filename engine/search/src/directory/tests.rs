//! Files on their way from memory to disk.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use tantivy::Directory;
use tantivy::directory::TerminatingWrite;
use tantivy::directory::error::{DeleteError, OpenReadError, OpenWriteError};
use tempfile::TempDir;

use super::*;

/// Names of files of one segment.
const SEGMENT: &str = "0123456789abcdef0123456789abcdef";

struct Home {
    folder: TempDir,
    directory: WriteBehind,
    _claim: Claim,
}

impl Home {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let claim = claim_new(folder.path()).unwrap();
        let directory = WriteBehind::create(&claim).unwrap();
        Self { folder, directory, _claim: claim }
    }

    /// Names of files on disk, in order.
    fn on_disk(&self) -> Vec<String> {
        let names = fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort_unstable();
        names
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        write(&self.directory, name, bytes).unwrap();
    }

    /// A state of one segment, whose files are written as they are not there.
    fn write_state(&self, id: &str, opstamp: u64) {
        for part in ["term", "idx", "pos", "fast", "fieldnorm", "store"] {
            let name = format!("{id}.{part}");
            if !self.directory.exists(Path::new(&name)).unwrap() {
                self.write(&name, name.as_bytes());
            }
        }
        let state = format!(
            r#"{{"segments": [{{"segment_id": "{}", "max_doc": 1, "deletes": null}}], "opstamp": {opstamp}}}"#,
            dashed(id)
        );
        self.directory.atomic_write(Path::new("meta.json"), state.as_bytes()).unwrap();
    }

    fn persist(&self) -> Option<String> {
        self.directory.persist(|state| Some(format!("state {}", state.opstamp))).unwrap()
    }
}

fn dashed(id: &str) -> String {
    [&id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..]].join("-")
}

fn write(directory: &WriteBehind, name: &str, bytes: &[u8]) -> io::Result<()> {
    let mut file = directory.open_write(Path::new(name)).map_err(io::Error::other)?;
    bytes.chunks(10_000).try_for_each(|chunk| file.write_all(chunk))?;
    file.terminate()
}

fn read(directory: &WriteBehind, name: &str) -> Vec<u8> {
    directory.open_read(Path::new(name)).unwrap().read_bytes().unwrap().to_vec()
}

fn bytes(length: u64) -> Vec<u8> {
    (0..length).map(|at| (at % 251) as u8).collect()
}

#[test]
fn small_files_are_in_memory_and_large_ones_on_disk() {
    let home = Home::new();
    home.write("a.idx", &bytes(LARGE));
    assert_eq!((home.on_disk(), home.directory.memory_bytes()), (Vec::new(), LARGE));
    home.write("b.idx", &bytes(LARGE + 1));
    assert_eq!((home.on_disk(), home.directory.memory_bytes()), (vec!["b.idx".to_owned()], LARGE));
    assert_eq!(home.directory.disk_bytes(), LARGE + 1);
    assert_eq!(read(&home.directory, "a.idx"), bytes(LARGE));
    assert_eq!(read(&home.directory, "b.idx"), bytes(LARGE + 1));
    home.write("empty.idx", b"");
    assert_eq!(read(&home.directory, "empty.idx"), b"");
}

#[test]
fn when_memory_is_full_every_file_goes_to_disk() {
    let home = Home::new();
    for at in 0..HELD_AT_MOST / LARGE {
        home.write(&format!("{at}.idx"), &bytes(LARGE));
    }
    home.write("one_more.idx", b"short");
    assert_eq!((home.on_disk(), home.directory.memory_bytes()), (vec!["one_more.idx".to_owned()], HELD_AT_MOST));
    assert_eq!(read(&home.directory, "one_more.idx"), b"short");
    home.directory.delete(Path::new("0.idx")).unwrap();
    home.write("another.idx", b"short");
    assert_eq!(home.directory.memory_bytes(), HELD_AT_MOST - LARGE + 5);
}

#[test]
fn a_file_that_is_not_completed_leaves_nothing() {
    let home = Home::new();
    for length in [100, LARGE + 100] {
        let mut file = home.directory.open_write(Path::new("a.idx")).unwrap();
        file.write_all(&bytes(length)).unwrap();
        file.flush().unwrap();
        assert!(!home.directory.exists(Path::new("a.idx")).unwrap());
        assert_eq!(home.on_disk().len(), usize::from(length > LARGE));
        drop(file);
        assert_eq!((home.on_disk(), home.directory.memory_bytes()), (Vec::new(), 0));
    }
}

#[test]
fn a_file_is_written_once_and_gone_when_deleted() {
    let home = Home::new();
    home.write("a.idx", b"one");
    assert!(matches!(home.directory.open_write(Path::new("a.idx")), Err(OpenWriteError::FileAlreadyExists(_))));
    let kept = home.directory.open_read(Path::new("a.idx")).unwrap();
    home.directory.delete(Path::new("a.idx")).unwrap();
    assert!(matches!(home.directory.delete(Path::new("a.idx")), Err(DeleteError::FileDoesNotExist(_))));
    assert!(matches!(home.directory.open_read(Path::new("a.idx")), Err(OpenReadError::FileDoesNotExist(_))));
    home.write("a.idx", b"two");
    assert_eq!(kept.read_bytes().unwrap().as_slice(), b"one");
    assert_eq!(read(&home.directory, "a.idx"), b"two");
}

#[test]
fn only_the_state_and_the_list_of_files_are_replaced() {
    let home = Home::new();
    let directory = &home.directory;
    for name in ["meta.json", ".managed.json"] {
        assert!(matches!(directory.atomic_read(Path::new(name)), Err(OpenReadError::FileDoesNotExist(_))));
        directory.atomic_write(Path::new(name), b"one").unwrap();
        directory.atomic_write(Path::new(name), b"two").unwrap();
        assert_eq!(directory.atomic_read(Path::new(name)).unwrap(), b"two");
    }
    assert!(directory.atomic_write(Path::new("other.json"), b"one").is_err());
    assert_eq!(home.on_disk(), Vec::<String>::new());
}

#[test]
fn a_state_is_persisted_with_its_files_and_its_note() {
    let home = Home::new();
    home.write("unrelated.idx", b"not part of it");
    home.write_state(SEGMENT, 7);
    let kept = home.directory.open_read(Path::new(&format!("{SEGMENT}.idx"))).unwrap();
    assert_eq!(home.persist(), Some("state 7".to_owned()));
    let expected: Vec<_> =
        ["fast", "fieldnorm", "idx", "pos", "store", "term"].map(|part| format!("{SEGMENT}.{part}")).into();
    assert_eq!(home.on_disk(), [expected, vec!["meta.json".to_owned()]].concat());
    assert_eq!(home.directory.memory_bytes(), "not part of it".len() as u64);
    assert_eq!(kept.read_bytes().unwrap().as_slice(), format!("{SEGMENT}.idx").as_bytes());
    assert_eq!(read(&home.directory, &format!("{SEGMENT}.idx")), format!("{SEGMENT}.idx").as_bytes());
    let durable: serde_json::Value =
        serde_json::from_slice(&fs::read(home.folder.path().join("meta.json")).unwrap()).unwrap();
    assert_eq!((&durable["payload"], &durable["opstamp"]), (&"state 7".into(), &7.into()));
}

#[test]
fn what_is_deleted_stays_on_disk_as_long_as_the_durable_state_needs_it() {
    let home = Home::new();
    home.write_state(SEGMENT, 1);
    home.persist();
    let other = SEGMENT.replace('0', "a");
    home.write_state(&other, 2);
    for part in ["term", "idx", "pos", "fast", "fieldnorm", "store"] {
        home.directory.delete(Path::new(&format!("{SEGMENT}.{part}"))).unwrap();
    }
    assert!(!home.directory.exists(Path::new(&format!("{SEGMENT}.idx"))).unwrap());
    assert_eq!(home.on_disk().iter().filter(|name| name.starts_with(SEGMENT)).count(), 6);
    home.persist();
    assert_eq!(home.on_disk().iter().filter(|name| name.starts_with(SEGMENT)).count(), 0);
    assert_eq!(home.on_disk().iter().filter(|name| name.starts_with(&other)).count(), 6);
}

#[test]
fn a_closed_way_does_nothing_any_more() {
    let home = Home::new();
    home.write_state(SEGMENT, 1);
    let way = home.directory.for_writer().unwrap();
    let (mut small, mut large) =
        (way.open_write(Path::new("a.idx")).unwrap(), way.open_write(Path::new("b.idx")).unwrap());
    large.write_all(&bytes(LARGE + 1)).unwrap();
    small.write_all(b"small").unwrap();
    way.close();
    assert!(way.atomic_write(Path::new("meta.json"), b"{}").is_err());
    assert!(way.open_write(Path::new("c.idx")).is_err());
    assert!(matches!(way.delete(Path::new(&format!("{SEGMENT}.idx"))), Err(DeleteError::FileDoesNotExist(_))));
    assert!(large.write_all(&bytes(LARGE)).is_err());
    assert!(small.terminate().is_err());
    drop(large);
    assert_eq!(home.on_disk(), Vec::<String>::new());
    assert!(home.directory.exists(Path::new(&format!("{SEGMENT}.idx"))).unwrap());
    assert!(!home.directory.exists(Path::new("a.idx")).unwrap());
}

#[test]
fn a_new_writer_finds_the_last_state_and_nothing_else() {
    let home = Home::new();
    home.write_state(SEGMENT, 1);
    home.write("left_over.idx", &bytes(LARGE + 1));
    home.write("small_left_over.idx", b"small");
    home.directory.for_writer().unwrap();
    assert_eq!(home.on_disk(), Vec::<String>::new());
    let listed = home.directory.atomic_read(Path::new(MANAGED)).unwrap();
    let mut listed: Vec<PathBuf> = serde_json::from_slice(&listed).unwrap();
    listed.sort_unstable();
    let parts =
        ["fast", "fieldnorm", "idx", "pos", "store", "term"].map(|part| PathBuf::from(format!("{SEGMENT}.{part}")));
    assert_eq!(listed, [parts.into(), vec![PathBuf::from("meta.json")]].concat());
    assert_eq!(
        home.directory.memory_bytes(),
        listed.iter().take(6).map(|name| name.as_os_str().len() as u64).sum::<u64>()
    );
}

#[test]
fn opening_sweeps_what_an_index_left_and_nothing_else() {
    let home = Home::new();
    home.write_state(SEGMENT, 1);
    home.persist();
    let Home { folder, directory, _claim: claim } = home;
    drop(directory);
    let orphan = format!("{}.idx", SEGMENT.replace('0', "b"));
    for name in [orphan.as_str(), "meta.json.new", "notes.txt", "0123.idx"] {
        fs::write(folder.path().join(name), b"left").unwrap();
    }
    // The files have no checksums, of which only the library knows.
    let opened = WriteBehind::open(&claim, |_| Ok(()));
    assert!(matches!(opened, Err(SearchError::Damaged(_))));
    assert!(!folder.path().join(orphan).exists() && !folder.path().join("meta.json.new").exists());
    assert!(folder.path().join("notes.txt").exists() && folder.path().join("0123.idx").exists());
}
