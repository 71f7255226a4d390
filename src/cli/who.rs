//! The options that say who acts.

use clap::Args;

use super::Context;
use super::context::variable;
use crate::diagnostic::{Code, Error, Result};
use crate::evidence::ledger::Who;
use crate::workflow::outside::Outside;

/// Who acts, for the commands that write to a study's ledger.
#[derive(Clone, Debug, Default, Args)]
pub struct WhoArgs {
    /// Who acts, for the ledger [env: SEQUESTER_BY; default: not recorded].
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// In which role [env: SEQUESTER_ROLE; default: not recorded].
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,
}

impl WhoArgs {
    /// What a step of a study gets, with who acts. The login of the machine is nobody's name.
    ///
    /// # Errors
    /// [`Error::Usage`] for a name or role that is empty, holds a control character or is no text.
    pub fn outside(&self, context: Context) -> Result<Outside<'static>> {
        let said = |option: &Option<String>, name: &str| match option {
            Some(text) => Ok(Some(text.clone())),
            None => variable(name, Code::WhoInvalid),
        };
        let (by, role) = (said(&self.by, "SEQUESTER_BY")?, said(&self.role, "SEQUESTER_ROLE")?);
        let who = Who::new(by.as_deref(), role.as_deref()).map_err(Error::usage)?;
        Ok(Outside { who, ..context.outside() })
    }
}
