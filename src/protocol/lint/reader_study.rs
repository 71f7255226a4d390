//! What a reviewer asks of a reader study before anybody reads: the washout between two reads of a case, and
//! how many readers stand for all.

use super::Look;
use crate::diagnostic::Code;
use crate::protocol::reader_study::FEW_READERS;

/// Days after which a reader is taken not to remember a case.
const WASHOUT: u64 = 28;

impl Look<'_> {
    pub(super) fn reader_study(&mut self) {
        let Some(source) = &self.protocol.reader_study else { return };
        if let Some(order) = source.order.filter(|order| order.needs_washout()) {
            let hint = format!(
                "readers remember cases: declare washout_days = {WASHOUT} or more, or why less will do"
            );
            let order = order.name();
            match source.washout_days {
                None => self.asks(
                    Code::WashoutShort,
                    "reader_study.order",
                    format!("readers see a case twice (`{order}`), and no washout between is declared"),
                    hint,
                ),
                Some(days) if days < WASHOUT => self.asks(
                    Code::WashoutShort,
                    "reader_study.washout_days",
                    format!("readers see a case twice (`{order}`), and {days} days lie between"),
                    hint,
                ),
                Some(_) => {}
            }
        }
        if let Some(planned) = source.planned.as_ref().filter(|planned| planned.readers < FEW_READERS) {
            self.asks(
                Code::ReadersFew,
                "reader_study.planned.readers",
                format!("{} readers are to stand for a population of readers", planned.readers),
                "plan five readers or more, or say why so few are enough",
            );
        }
    }
}
