//! A file that came in with a request.

use std::path::{Path, PathBuf};

use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

use crate::error::{ApiError, ApiResult};

/// A file on disk; removed when this is dropped, unless it was [kept](Self::keep_as).
#[derive(Debug)]
pub struct UploadedFile {
    file: Removed,
    bytes: u64,
}

impl UploadedFile {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.file.0
    }

    /// Its size.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Moves it to its own place in the same file system, where it stays.
    pub async fn keep_as(self, path: &Path) -> std::io::Result<()> {
        tokio::fs::rename(self.path(), path).await
    }
}

/// Removes what is left from uploads that the process before did not finish.
pub(crate) fn clean(folder: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "part") {
            std::fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// A path that is nobody's when this is dropped.
#[derive(Debug)]
struct Removed(PathBuf);

impl Drop for Removed {
    fn drop(&mut self) {
        // A file that was kept is no longer there; one that cannot be removed is removed at the next start.
        drop(std::fs::remove_file(&self.0));
    }
}

/// Writes a file of at most so many bytes.
pub(super) struct FileWriter {
    path: Removed,
    file: File,
    bytes: u64,
    most: u64,
}

impl FileWriter {
    pub(super) async fn create(folder: &Path, most: u64) -> ApiResult<Self> {
        let path = folder.join(format!("{}.part", Uuid::now_v7()));
        let file = File::create_new(&path).await.map_err(no_room)?;
        Ok(Self { path: Removed(path), file, bytes: 0, most })
    }

    pub(super) async fn write(&mut self, chunk: &[u8]) -> ApiResult<()> {
        self.bytes += chunk.len() as u64;
        if self.bytes > self.most {
            return Err(ApiError::too_large(format!("a file of at most {} bytes is taken", self.most)));
        }
        self.file.write_all(chunk).await.map_err(no_room)
    }

    /// The file, whole and safe against a loss of power.
    pub(super) async fn finish(mut self) -> ApiResult<UploadedFile> {
        self.file.flush().await.map_err(no_room)?;
        self.file.sync_all().await.map_err(no_room)?;
        Ok(UploadedFile { file: self.path, bytes: self.bytes })
    }
}

fn no_room(source: std::io::Error) -> ApiError {
    let mut error = engine::Error::new(engine::ErrorCode::Unavailable, "the file cannot be stored right now");
    error.source = Some(Box::new(source));
    error.into()
}
