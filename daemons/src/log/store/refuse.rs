//! What the writer does when the disk says no.

use super::AppendError;
use super::fault::Fault;
use super::writer::Writer;
use crate::log::disk::SyncSite;

/// The space that must be there before records are taken again.
const PROBE_LEN: usize = 1 << 16;

impl Writer {
    /// A write found no space: everything is put back as it was. The lines go
    /// before their keys: lines whose key is gone would be stored again.
    pub(super) fn undo(&mut self, keys_before: Option<u64>, fault: Fault) -> Fault {
        let Fault::Full = fault else { return fault };
        let file = self.active.file();
        let undone =
            file.set_len(self.len).and_then(|()| file.sync_all(SyncSite::ActiveUndo)).and_then(|()| {
                match keys_before {
                    Some(len) => self.keys.take_back(len),
                    None => self.keys.trim(),
                }
            });
        undone.map_or_else(Fault::Broken, |()| Fault::Full)
    }

    /// Records are refused, until there is space again or for good.
    pub(super) fn fail(&mut self, fault: Fault) -> AppendError {
        match fault {
            Fault::Full => {
                if !std::mem::replace(&mut self.refusing, true) {
                    tracing::error!("no space left for the log: records are refused until there is");
                }
                self.shared.health.fail("store", "no space left for the log");
                AppendError::Full
            }
            Fault::Later(error) => {
                if !std::mem::replace(&mut self.refusing, true) {
                    tracing::error!("the log cannot be written now: {error}");
                }
                self.shared.health.fail("store", format!("the log cannot be written now: {error}"));
                AppendError::Later(error.to_string())
            }
            Fault::Broken(error) => {
                let why = error.to_string();
                self.shared.health.fail_for_good("store", format!("the disk failed: {why}"));
                self.broken = Some(why.clone());
                AppendError::Broken(why)
            }
        }
    }

    /// While records are refused: whether there is space again. Zeros are written
    /// beyond the acknowledged length and cut off again; what a crash leaves of
    /// them is no record, and is cut off by recovery.
    pub(super) fn try_again(&mut self) {
        match self.make_ready() {
            Ok(()) => {}
            Err(fault @ Fault::Broken(_)) => return drop(self.fail(fault)),
            Err(_) => return,
        }
        let file = self.active.file();
        // Whoever appends meanwhile is not written over, and not cut off.
        let is_ours = |len: u64| file.metadata().is_ok_and(|there| there.len == len);
        if !is_ours(self.len) {
            return;
        }
        let written = file.write_all_at(&[0; PROBE_LEN], self.len);
        match file.set_len(self.len) {
            Ok(()) if written.is_ok() => self.resume(),
            Ok(()) => {}
            Err(error) => drop(self.fail(Fault::Broken(error))),
        }
    }

    /// Records are taken again.
    pub(super) fn resume(&mut self) {
        if std::mem::take(&mut self.refusing) {
            tracing::info!("the log can be written again");
            self.shared.health.pass("store");
        }
    }
}
