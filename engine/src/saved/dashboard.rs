//! What a dashboard shows, in one call.

use engine_model::behavior::{Content, Dashboard, Section};

use super::item::{Known, SavedItem};
use super::{ReportData, ViewPage, ViewRecords};
use crate::error::{Error, ErrorCode, Result};
use crate::session::Session;

/// Records of a view on a dashboard.
const RECORDS: usize = 20;

/// One item of a dashboard.
#[derive(Debug)]
pub struct DashboardPart {
    /// What it is of.
    pub section: Section,
    /// The id or name of that.
    pub of: String,
    /// What it comes to; or why there is nothing, which is nobody else's loss.
    pub shown: Result<Shown>,
}

/// What an item of a dashboard comes to.
#[derive(Debug)]
pub enum Shown {
    /// A report.
    Report(Box<ReportData>),
    /// The first records of a view.
    View(Box<ViewRecords>),
}

impl Session {
    /// Everything that a dashboard shows to the caller.
    pub async fn dashboard_data(&mut self, id: &str) -> Result<(SavedItem, Vec<DashboardPart>)> {
        self.refresh().await?;
        let Known { item, behavior, .. } = self.saved_known(Section::Dashboards, id).await?;
        let Some(Content::Dashboard(Dashboard { items, .. })) = behavior.map(|behavior| behavior.content) else {
            return Err(Error::invalid(item.warnings));
        };
        let mut parts = Vec::with_capacity(items.len());
        for part in items {
            let shown = match part.section {
                Section::Views => {
                    let page = ViewPage { limit: RECORDS, ..ViewPage::default() };
                    self.view_records(&part.of, &page).await.map(|found| Shown::View(Box::new(found)))
                }
                _ => self.report_data(&part.of, None).await.map(|found| Shown::Report(Box::new(found))),
            };
            match shown {
                Err(error) if matches!(error.code, ErrorCode::Internal | ErrorCode::Unavailable) => return Err(error),
                shown => parts.push(DashboardPart { section: part.section, of: part.of, shown }),
            }
        }
        Ok((item, parts))
    }
}
