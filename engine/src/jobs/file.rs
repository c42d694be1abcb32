//! The file that a job makes, in the hands of its worker.

use engine_store::job_file;

use super::work::Work;
use crate::error::Result;

impl Work {
    /// Takes away what an earlier run has left.
    pub(crate) async fn restart_file(&self) -> Result<()> {
        Ok(job_file::restart(self.engine.store(), self.tenant, self.id, self.held).await?)
    }

    /// Keeps the next part, counted from 0; false where the job is not this worker's any more.
    pub(crate) async fn add_to_file(&self, part: i64, content: Vec<u8>) -> Result<bool> {
        Ok(job_file::add(self.engine.store(), self.tenant, self.id, self.held, part, content).await?)
    }
}
