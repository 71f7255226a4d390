//! Exit codes: what they mean, and how a command that could do its work ended.

/// What every help page of the program says.
pub const EXIT_CODES: &str = "Exit codes:
  0    done; for run and validate: every primary endpoint is met
  1    could not be done: the input is not as it must be, or a file operation failed
  2    the command line is wrong
  10   done, and a primary endpoint is not met or not evaluable; a DICOM file is not accepted (dicom check),
       sets of cases are not separate (dataset leakage), a stated fact does not hold (dataset describe),
       two protocols do not mean the same (protocol diff), a month of a device in use has an alarm (monitor),
       or a test of this installation failed (qualify)
  20   the evidence is not intact
  21   nothing is contradicted, and something that was required is not shown (verify --require)
  30   a protocol or model lock is violated
  130  interrupted; the same command picks up where it stopped";

/// How a command that could do its work ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Exit code 0.
    Done,
    /// Exit code 10: the work is done, and an acceptance criterion is not met.
    CriterionNotMet,
    /// Exit code 21: nothing is contradicted, and something that was required is not shown.
    NotShown,
    /// Exit code 1: a part could not be done and has been reported with the rest.
    NotAllCouldBeDone,
}

impl Outcome {
    /// The exit code.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::CriterionNotMet => 10,
            Self::NotShown => 21,
            Self::NotAllCouldBeDone => 1,
        }
    }
}
