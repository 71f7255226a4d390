//! The options that name a study.

use std::path::PathBuf;

use clap::Args;

use crate::diagnostic::Result;
use crate::workflow::study::Study;

/// Which study, and where its files lie.
#[derive(Clone, Debug, Args)]
pub struct StudyArgs {
    /// Study folder: it holds protocol.toml and, usually, device.toml.
    #[arg(value_name = "STUDY")]
    pub folder: PathBuf,
    /// Folder that the protocol's paths are relative to [default: the study folder].
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Folder for everything that is written: model/, evidence/, reports/, ledger [default: the study
    /// folder].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

impl StudyArgs {
    /// Reads and validates the study's protocol.
    ///
    /// # Errors
    /// Everything that is wrong in it.
    pub fn open(&self) -> Result<Study> {
        Study::open(&self.folder, self.data.as_deref(), self.out.as_deref())
    }
}
