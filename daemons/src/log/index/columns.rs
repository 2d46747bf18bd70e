//! What is known of each record of a block, in columns.

use super::file::{pack, unpack};
use crate::log::codec::{Reader, put_signed, put_varint};
use std::io;

/// What is known of each record of a block.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns {
    /// The kinds.
    pub kinds: Vec<u16>,
    /// When, in whole seconds since 1970, rounded down.
    pub seconds: Vec<i64>,
}

/// The columns of a block as the file holds them.
pub fn pack_columns(columns: &Columns) -> io::Result<Vec<u8>> {
    let mut out = Vec::with_capacity(columns.kinds.len() * 4);
    out.extend(columns.kinds.iter().map(|kind| *kind as u8));
    out.extend(columns.kinds.iter().map(|kind| (kind >> 8) as u8));
    let mut before = 0;
    for second in &columns.seconds {
        put_signed(&mut out, second - before);
        before = *second;
    }
    let mut packed = Vec::new();
    put_varint(&mut packed, columns.kinds.len() as u64);
    packed.extend_from_slice(&pack(&out)?);
    Ok(packed)
}

/// Reads what [`pack_columns`] wrote.
pub fn unpack_columns(packed: &[u8]) -> Option<Columns> {
    let mut reader = Reader(packed);
    let records = reader.size()?;
    columns_from_bytes(records, &unpack(reader.0)?)
}

/// The columns of so many records.
pub fn columns_from_bytes(records: usize, bytes: &[u8]) -> Option<Columns> {
    let mut reader = Reader(bytes);
    let (low, high) = (reader.take(records)?, reader.take(records)?);
    let kinds = low.iter().zip(high).map(|(low, high)| u16::from_le_bytes([*low, *high])).collect();
    let mut seconds = Vec::with_capacity(records);
    let mut second = 0_i64;
    for _ in 0..records {
        second = second.wrapping_add(reader.signed()?);
        seconds.push(second);
    }
    Some(Columns { kinds, seconds })
}
