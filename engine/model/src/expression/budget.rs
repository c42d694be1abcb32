//! How much work one evaluation may be.

use super::fault::Fault;
use super::value::Value;

/// Steps of one evaluation: each part of the expression evaluated is one. A usual rule takes ten, one over a list of a
/// hundred elements a thousand, and all of them take some 20 ms.
const STEPS: u32 = 250_000;

/// Bytes of text that count as one step when they are copied or searched.
const BYTES_PER_STEP: usize = 32;

/// Steps that several evaluations may take together, each no more than one may.
#[derive(Debug)]
pub struct Allowance {
    left: u32,
}

impl Allowance {
    /// As many steps.
    pub fn of(steps: u32) -> Self {
        Self { left: steps }
    }

    /// No step is left, so that an evaluation which took too many may have failed for what others took.
    pub fn is_spent(&self) -> bool {
        self.left == 0
    }
}

/// Steps left.
#[derive(Debug)]
pub(super) struct Budget {
    left: u32,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self { left: STEPS }
    }

    /// What one evaluation may take of an allowance.
    pub(super) fn within(allowance: &Allowance) -> Self {
        Self { left: allowance.left.min(STEPS) }
    }

    /// Takes what an evaluation took that began with [`Budget::within`] from its allowance.
    pub(super) fn settle(&self, allowance: &mut Allowance) {
        let taken = allowance.left.min(STEPS) - self.left;
        allowance.left -= taken;
    }

    /// Takes `steps`, or says that there are not as many left.
    pub(super) fn charge(&mut self, steps: usize) -> Result<(), Fault> {
        let left = u32::try_from(steps).ok().and_then(|steps| self.left.checked_sub(steps));
        self.left = left.unwrap_or(0);
        left.map(drop).ok_or_else(Fault::exhausted)
    }

    /// Takes the steps of going through `bytes` of text.
    pub(super) fn charge_text(&mut self, bytes: usize) -> Result<(), Fault> {
        self.charge(Self::steps_of_text(bytes))
    }

    /// The steps of going through `bytes` of text.
    pub(super) fn steps_of_text(bytes: usize) -> usize {
        bytes / BYTES_PER_STEP
    }

    /// Takes a step for each part of a value.
    ///
    /// Parts are shared in memory, so a small value can be a huge one written out.
    pub(super) fn charge_whole(&mut self, value: &Value) -> Result<(), Fault> {
        self.charge(1)?;
        match value {
            Value::List(items) => items.iter().try_for_each(|item| self.charge_whole(item)),
            Value::Map(entries) => entries.values().try_for_each(|item| self.charge_whole(item)),
            _ => Ok(()),
        }
    }
}
