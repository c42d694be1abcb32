//! Settings of what is kept and where.

use std::convert::Infallible;
use std::path::PathBuf;
use std::str::FromStr;

use super::quantity::ByteSize;
use super::reader::SettingReader;
use super::secret::DatabaseUrl;

/// Where data is kept.
#[derive(Debug, Clone)]
pub struct StorageConfig {
    /// Folder of the embedded store, the search indexes and files.
    pub data_dir: PathBuf,
    /// Folders with packs, next to those built in.
    pub packs_dirs: Vec<PathBuf>,
    /// The database; a file in the data folder where none was named.
    pub database_url: DatabaseUrl,
    /// The same database as the role that owns the schema.
    pub migration_url: Option<DatabaseUrl>,
    /// Connections to PostgreSQL.
    pub connections: usize,
    /// Readers of the embedded store.
    pub readers: usize,
    /// Largest file of an export, in bytes.
    pub max_export_bytes: u64,
}

impl StorageConfig {
    pub(super) fn read(reader: &mut SettingReader) -> Option<Self> {
        let data_dir = reader.required::<PathBuf>("data_dir");
        let packs_dirs = reader.optional::<Folders>("packs_dir").map_or_else(Vec::new, |folders| folders.0);
        let database_url = reader.optional("database_url");
        let migration_url = reader.optional("migration_url");
        let connections = reader.count("database_connections");
        let readers = reader.count("database_readers");
        let max_export_bytes = reader.required("max_export_bytes").map(|ByteSize(bytes)| bytes);
        let data_dir = data_dir?;
        Some(Self {
            database_url: database_url.unwrap_or_else(|| embedded(&data_dir)),
            data_dir,
            packs_dirs,
            migration_url,
            connections: connections?,
            readers: readers?,
            max_export_bytes: max_export_bytes?,
        })
    }
}

fn embedded(data_dir: &std::path::Path) -> DatabaseUrl {
    DatabaseUrl::of(format!("sqlite:{}", data_dir.join("trellis.db").display()))
}

/// Several folders in one text, as in `PATH`.
struct Folders(Vec<PathBuf>);

impl FromStr for Folders {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(std::env::split_paths(text).filter(|path| !path.as_os_str().is_empty()).collect()))
    }
}
