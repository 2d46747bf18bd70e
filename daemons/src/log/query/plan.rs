//! Stub.
use super::Filter;
use crate::log::words::Runs;
use shared::wire::log::Level;
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    No,
    Maybe,
    Yes,
}
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kind<'a> {
    pub level: Level,
    pub service: &'a [u8],
    pub template: Option<&'a [u8]>,
}
pub enum Needs {
    Anything,
    Nothing,
    Word(u64),
    All(Vec<Needs>),
    Any(Vec<Needs>),
}
pub struct Literal;
impl Literal {
    pub fn find_iter<'h>(&'h self, _block: &'h [u8]) -> impl Iterator<Item = usize> + 'h {
        std::iter::empty()
    }
}
impl Filter {
    pub fn verdict(&self, _kind: &Kind<'_>, _runs: &Runs) -> Verdict {
        Verdict::Maybe
    }
    pub fn needs(&self) -> Needs {
        Needs::Anything
    }
    pub fn literal(&self) -> Option<&Literal> {
        None
    }
}
