//! Every limit of the log, with its reason. What a user may set is among the
//! settings ([`crate::settings`]); these are not to be set.

use std::time::Duration;

// A record, a body, a request.

/// The longest service name, in bytes.
pub const SERVICE_MAX: usize = 255;
/// The longest message and the longest fields of one record, in bytes as they
/// come: some records fill a frame, none fills many.
pub const RECORD_MAX: usize = 1 << 20;
/// Fields of one record.
pub const FIELDS_MAX: usize = 256;
/// How deep a field's value may be nested: well below what a JSON reader takes.
pub const FIELDS_DEPTH_MAX: usize = 64;
/// The longest idempotency key.
pub const KEY_MAX: usize = 255;
/// Bytes of bodies that may be under way, from the first byte that is read to
/// the acknowledgement; more waits, then is refused. It bounds what ingest holds
/// in memory: a packed body and what it unpacks to, then its lines.
pub const UNDER_WAY_MAX: usize = 128 << 20;
/// Bodies that are unpacked at the same time: each decoder may have a window of
/// 8 MiB.
pub const UNPACKERS_MAX: usize = 16;

// What is on disk.

/// Bytes that are written before one sync: more only if one batch is larger.
pub const GROUP_LEN_MAX: usize = 8 << 20;
/// Keys that are remembered.
pub const KEYS_KEPT: usize = 100_000;
/// Sequences that a segment has room for: the next base after a segment whose
/// end is not known.
pub const SEGMENT_ROOM: u64 = 1 << 32;
/// The size of a block before compression. Small enough that one hit costs a
/// millisecond, large enough that compression loses little by the cut: on real
/// logs frames of 1 MiB are 2% larger than one frame over everything. In tests
/// it is a few lines, so that a few records are many blocks.
pub const BLOCK_LEN: usize = if cfg!(test) { 256 } else { 1 << 20 };
/// The longest block that is read back. Lines of the service itself have at most about
/// 8 MiB (every byte of message and fields escaped); somebody may have written a longer one.
pub const BLOCK_LEN_MAX: usize = 256 << 20;
/// Bytes of the active segment's text that share a checksum.
pub const SUMS_GROUP: usize = if cfg!(test) { 256 } else { 64 << 10 };
/// The longest line that another process may append; a longer one is cut. The
/// service's own lines are shorter.
pub const APPENDED_LINE_MAX: usize = if cfg!(test) { 1 << 16 } else { 10 << 20 };
/// Bytes that are read at a time of what another process appended. More than the
/// longest line, so that each piece holds a whole one.
pub const APPENDED_PIECE: usize = if cfg!(test) { 1 << 17 } else { 16 << 20 };
/// A directory longer than this is none: a segment has some thousand frames.
pub const DIRECTORY_MAX: usize = 256 << 20;
/// The longest message that has a template, in bytes.
pub const TEMPLATE_MAX: usize = 4_096;
/// Bytes that the kinds of one segment may take; what comes after has no
/// template, and in the end no kind. Real logs take half a MiB.
pub const KINDS_LEN_MAX: usize = 4 << 20;
/// Of these bytes, those that are left to kinds without a template, so that level
/// and service of a record are known when there is no room for further templates.
pub const SOURCES_LEN_MAX: usize = 256 << 10;
/// Kinds of one segment that are left to those without a template.
pub const SOURCES_MAX: u16 = 4_096;
/// Bytes of a segment's rollup: 15 KB for a segment of real logs that covers four
/// hours, 58 KB for one of 12 services in 6 levels that covers a day.
pub const ROLLUP_LEN_MAX: usize = 64 << 10;
/// A section that claims to be longer than this is damaged.
pub const SECTION_MAX: usize = 1 << 30;

// What is in memory.

/// Bytes of the newest lines that are held in memory.
pub const RECENT_LEN_MAX: usize = 4 << 20;
/// Bytes of older lines that are held in memory, those that were read last:
/// blocks for so many followers that replay from different places.
pub const READ_LEN_MAX: usize = 16 << 20;
/// Bytes of what was written for tails last, shared by all that send the same.
pub const PIECES_LEN_MAX: usize = 16 << 20;
/// How many blocks are read for followers at the same time.
pub const READING_MAX: usize = 4;
/// Bytes of directories and indexes in memory: a segment of 64 MiB of real logs
/// takes less than one MiB.
pub const CACHE_LEN_MAX: usize = 64 << 20;
/// Bytes of rollups that stay in memory; those of further segments are read when
/// they are needed.
pub const ROLLUPS_LEN_MAX: usize = 32 << 20;
/// Segments that are open, each with two files.
pub const CACHE_OPEN_MAX: usize = if cfg!(test) { 8 } else { 256 };
/// So many damaged places are told apart.
pub const DAMAGE_NOTED_MAX: usize = 10_000;
/// Blocks that are looked through at the same time: few at first, for the
/// newest records are often enough.
pub const WAVE_MAX: usize = 16;
/// Bytes of found records that may wait for others to come before them. Only
/// times in great disorder need as much; then the answer is partial.
pub const WAITING_MAX: usize = 64 << 20;

// A query and its answer.

/// The longest query, in characters.
pub const QUERY_MAX: usize = 4_096;
/// Patterns in one query.
pub const PATTERNS_MAX: usize = 64;
/// How deep parentheses may be nested.
pub const QUERY_DEPTH_MAX: usize = 32;
/// What a compiled pattern may take, in bytes: a query cannot make the daemon grow.
pub const REGEX_SIZE_MAX: usize = 512 << 10;
/// Records, or groups, of an answer that names no limit.
pub const LIMIT_DEFAULT: usize = 100;
/// Records, or groups, of one answer that is made as a whole.
pub const WHOLE_MAX: usize = 10_000;
/// Bytes of such an answer: a page ends early there.
pub const WHOLE_LEN_MAX: usize = 16 << 20;
/// Records of one streamed answer.
pub const STREAMED_MAX: usize = 1_000_000;
/// Bytes that are sent at a time.
pub const CHUNK: usize = 64 << 10;
/// A page up to this is sent as a whole, with its length.
pub const PAGE_CHUNK: usize = 512 << 10;
/// What a search reserves for its answer: what is written, and what is sent and
/// not yet taken.
pub const OUTPUT_LEN: usize = 1 << 20;
/// For how long a client may leave an answer unread before its search gives up
/// its slot, until the client reads on.
pub const LAG_MAX: Duration = Duration::from_millis(500);
/// Searches that wait for their readers without a slot. One more keeps its slot,
/// for [`UNREAD_MAX`].
pub const PAUSED_MAX: usize = 128;
/// For how long such a client may leave an answer unread before it is broken off.
pub const UNREAD_MAX: Duration = Duration::from_secs(10);
/// The part of the memory of searches that answers may hold while they are read.
pub const ANSWERS_PART: usize = 4;
/// A line longer than this is reserved with what it is unescaped and formatted to.
pub const LARGE_RECORD: usize = 64 << 10;
/// Neighbours on one side.
pub const NEIGHBOURS_MAX: usize = 1_000;
/// The longest step.
pub const STEP_MAX: Duration = Duration::from_secs(3_650 * 86_400);
/// Different sets of labels, and points of time series, that one answer counts;
/// what is beyond is in the total alone, and the answer is partial.
pub const POINTS_MAX: usize = 100_000;
/// Bytes of all labels that one answer counts by.
pub const LABELS_LEN_MAX: usize = 16 << 20;
/// A reader that follows live and stays further behind than so many records,
/// for longer than [`BEHIND_TIME_MAX`], is put forward to the end and told how
/// many it missed: whoever follows wants to see now. A reader that replays is
/// never put forward before it has caught up.
pub const BEHIND_MAX: u64 = 100_000;
/// The time in which a reader may catch up with a burst.
pub const BEHIND_TIME_MAX: Duration = Duration::from_secs(5);
