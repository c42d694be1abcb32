//! Files that are overwritten under an open index.

use std::fs::{self, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;

use engine_model::RecordId;
use engine_search::{Index, Pace, SearchError};

use crate::fixture::{contents_of, put, reached};

/// Overwrites a file in place from a place on.
fn overwrite(path: &Path, at: usize, bytes: &[u8]) {
    let mut file = OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(at as u64)).unwrap();
    file.write_all(bytes).unwrap();
}

#[test]
fn files_that_are_overwritten_are_told_and_never_make_a_reader_panic() {
    let folder = tempfile::tempdir().unwrap();
    let index = Index::create(folder.path(), Pace::Steady).unwrap();
    index.apply((1..=3_000).map(|id| put(id, 1)).collect()).unwrap();
    index.commit(reached(1)).unwrap();
    index.persist().unwrap();
    index.check_files().unwrap();
    index.rest().unwrap();
    drop(index);
    let index = Index::open(folder.path()).unwrap();
    index.check_files().unwrap();
    let whole = contents_of(&index);
    let mut damaged = 0;
    for entry in fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        // What is smaller is in memory.
        if bytes.len() <= 4_096 {
            continue;
        }
        let middle = bytes.len() / 4..bytes.len() / 4 * 3;
        overwrite(&path, middle.start, &vec![0xff; middle.len()]);
        let name = path.file_name().unwrap().to_str().unwrap();
        match index.check_files() {
            Err(SearchError::Damaged(reason)) => assert!(reason.contains(name), "{reason}"),
            other => panic!("{name}: {other:?}"),
        }
        assert!(index.view().check_files().is_err());
        let read = index.view().each_entry(&(RecordId(1)..=RecordId(i64::MAX)), |_| {});
        assert!(matches!(read, Ok(()) | Err(SearchError::Damaged(_))), "{name}: {read:?}");
        overwrite(&path, middle.start, &bytes[middle]);
        index.check_files().unwrap();
        damaged += 1;
    }
    assert!(damaged > 2, "{damaged}");
    assert_eq!(contents_of(&index), whole);
}
