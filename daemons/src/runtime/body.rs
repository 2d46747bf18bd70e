//! Request bodies: read within a deadline and within a memory budget.
//!
//! A body is charged to a [`BodyBudget`] as its bytes arrive, so a client that
//! announces much and sends little holds little. When the budget is spent, a body
//! waits for [`WAIT_MAX`] in the order of arrival, then it is refused. While any
//! body waits, those that arrive slower than [`RATE_MIN`] are refused, so slow
//! clients cannot keep the budget from the others.

use super::error::ApiError;
use axum::body::{Body, HttpBody as _};
use axum::extract::Request;
use axum::http::StatusCode;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes in one unit of a budget.
const UNIT: usize = 1 << 10;
/// How long one body may wait for room in all.
pub const WAIT_MAX: Duration = Duration::from_secs(5);
/// The period over which the rate of a body is measured.
const RATE_PERIOD: Duration = Duration::from_secs(1);
/// Bytes that must arrive in one period while other bodies wait.
const RATE_MIN: usize = 64 << 10;
/// A body that holds no more than this may be slow.
const SLOW_LEN_MAX: usize = 4 << 10;
/// Bytes that are allocated at once for a body of announced length.
const ALLOCATED_MAX: usize = 1 << 20;

/// The time in which a body must be complete; set on every request by the gate.
#[derive(Debug, Clone, Copy)]
pub struct BodyDeadline(pub Duration);

/// The memory that the bodies of one daemon may take at the same time.
#[derive(Debug)]
pub struct BodyBudget {
    units: Arc<Semaphore>,
    units_max: usize,
    waiting: AtomicUsize,
}

/// What one body holds of a budget; given back when it is dropped.
#[derive(Debug)]
pub struct Reservation {
    budget: Arc<BodyBudget>,
    permit: Option<OwnedSemaphorePermit>,
    waited: Duration,
}

impl BodyBudget {
    /// A budget of this many bytes.
    pub fn new(bytes_max: usize) -> Arc<Self> {
        let units_max = bytes_max / UNIT;
        let units = Arc::new(Semaphore::new(units_max));
        Arc::new(Self { units, units_max, waiting: AtomicUsize::new(0) })
    }

    /// A reservation of nothing yet.
    pub fn reserve(self: &Arc<Self>) -> Reservation {
        Reservation { budget: Arc::clone(self), permit: None, waited: Duration::ZERO }
    }

    fn is_contended(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }
}

/// Counts one body that waits.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Reservation {
    /// The bytes that are held.
    pub fn len(&self) -> usize {
        self.units() * UNIT
    }

    fn units(&self) -> usize {
        self.permit.as_ref().map_or(0, OwnedSemaphorePermit::num_permits)
    }

    /// Holds room for `len` bytes, or the whole budget if that is less.
    ///
    /// # Errors
    /// 503 when there is no room in time.
    pub async fn grow(&mut self, len: usize) -> Result<(), ApiError> {
        let missing = len.div_ceil(UNIT).min(self.budget.units_max).saturating_sub(self.units());
        if missing == 0 {
            return Ok(());
        }
        let missing = u32::try_from(missing).unwrap_or(u32::MAX);
        let units = Arc::clone(&self.budget.units);
        let permit = match Arc::clone(&units).try_acquire_many_owned(missing) {
            Ok(permit) => permit,
            Err(_) => {
                let _waiting = Waiting::new(&self.budget.waiting);
                let began = Instant::now();
                let left = WAIT_MAX.saturating_sub(self.waited);
                let acquired = tokio::time::timeout(left, units.acquire_many_owned(missing)).await;
                self.waited += began.elapsed();
                acquired.ok().and_then(Result::ok).ok_or_else(|| {
                    ApiError::unavailable("too many request bodies are under way; send this one again", 1)
                })?
            }
        };
        match &mut self.permit {
            Some(held) => held.merge(permit),
            None => self.permit = Some(permit),
        }
        Ok(())
    }

    /// Gives back what is more than `len` bytes.
    pub fn shrink(&mut self, len: usize) {
        let surplus = self.units().saturating_sub(len.div_ceil(UNIT));
        drop(self.permit.as_mut().and_then(|permit| permit.split(surplus)));
    }
}

/// Reads a whole body of at most `max` bytes; `room` grows with it.
///
/// # Errors
/// When it is larger, breaks off, takes too long, or finds no room.
pub async fn read(request: Request, max: usize, room: &mut Reservation) -> Result<Bytes, ApiError> {
    let deadline = request.extensions().get::<BodyDeadline>().map_or(Duration::from_secs(30), |d| d.0);
    tokio::time::timeout(deadline, collect(request.into_body(), max, room)).await.unwrap_or_else(|_| {
        Err(ApiError::new(
            StatusCode::REQUEST_TIMEOUT,
            format!("the body was not complete within {} seconds", deadline.as_secs_f32()),
        ))
    })
}

/// Copies each piece, so that the connection reads the next one into the same
/// memory; a body of one piece is not copied.
async fn collect(mut body: Body, max: usize, room: &mut Reservation) -> Result<Bytes, ApiError> {
    let too_large =
        || ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is larger than {max} bytes"));
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > max {
        return Err(too_large());
    }
    let mut whole = Vec::new();
    let mut rate = Rate::start();
    loop {
        let Ok(frame) = tokio::time::timeout(RATE_PERIOD, body.frame()).await else {
            rate.check(0, room)?;
            continue;
        };
        let Some(frame) = frame else { return Ok(whole.into()) };
        let frame = frame.map_err(|error| ApiError::malformed(format!("the body broke off: {error}")))?;
        let Ok(piece) = frame.into_data() else { continue };
        let len = whole.len() + piece.len();
        if len > max {
            return Err(too_large());
        }
        rate.check(piece.len(), room)?;
        let waited = room.waited;
        room.grow(len).await?;
        if room.waited > waited {
            // A body that waited for room was not slow.
            rate = Rate::start();
        }
        if whole.is_empty() {
            if body.is_end_stream() {
                return Ok(piece);
            }
            whole.reserve_exact(announced.clamp(piece.len(), ALLOCATED_MAX.max(piece.len())));
        }
        whole.extend_from_slice(&piece);
    }
}

/// How fast a body arrives.
struct Rate {
    since: Instant,
    bytes: usize,
}

impl Rate {
    fn start() -> Self {
        Self { since: Instant::now(), bytes: 0 }
    }

    /// Counts what arrived.
    fn check(&mut self, bytes: usize, room: &Reservation) -> Result<(), ApiError> {
        self.bytes += bytes;
        if self.since.elapsed() < RATE_PERIOD {
            return Ok(());
        }
        if self.bytes < RATE_MIN && room.len() > SLOW_LEN_MAX && room.budget.is_contended() {
            let detail = "the body arrives too slowly while others wait for room; send it again";
            return Err(ApiError::unavailable(detail, 1));
        }
        *self = Self::start();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{StreamExt as _, stream};
    use std::convert::Infallible;

    fn pieces(count: usize, len: usize) -> impl futures_util::Stream<Item = Result<Bytes, Infallible>> {
        stream::iter(std::iter::repeat_n(Ok(Bytes::from(vec![b'x'; len])), count))
    }

    fn request(body: Body) -> Request {
        let mut request = Request::new(body);
        request.extensions_mut().insert(BodyDeadline(Duration::from_secs(60)));
        request
    }

    #[tokio::test]
    async fn a_body_holds_what_has_arrived_and_no_more() {
        let budget = BodyBudget::new(64 * UNIT);
        let mut room = budget.reserve();
        let body = pieces(3, UNIT).chain(stream::pending());
        let reading = read(request(Body::from_stream(body)), 64 * UNIT, &mut room);
        assert!(tokio::time::timeout(Duration::from_millis(50), reading).await.is_err());
        assert_eq!(room.len(), 3 * UNIT);
        drop(room);
        assert_eq!(budget.units.available_permits(), 64);
    }

    #[tokio::test]
    async fn a_body_waits_for_room_and_is_refused_when_none_comes() {
        let budget = BodyBudget::new(4 * UNIT);
        let mut first = budget.reserve();
        first.grow(4 * UNIT).await.unwrap();
        let mut second = budget.reserve();
        tokio::join!(
            async {
                second.grow(2 * UNIT).await.unwrap();
            },
            async {
                tokio::task::yield_now().await;
                assert!(budget.is_contended());
                first.shrink(2 * UNIT);
            }
        );
        assert!(!budget.is_contended());
        first.waited = WAIT_MAX;
        assert!(first.grow(4 * UNIT).await.is_err(), "its wait is over");
        assert_eq!(first.len(), 2 * UNIT);
        second.shrink(0);
        assert!(first.grow(1 << 30).await.is_ok(), "no body is larger than the whole budget");
    }

    #[tokio::test]
    async fn a_slow_body_gives_way_to_one_that_waits() {
        let budget = BodyBudget::new(8 * UNIT);
        let (mut slow, mut fast) = (budget.reserve(), budget.reserve());
        let stalled = Body::from_stream(pieces(8, UNIT).chain(stream::pending()));
        let whole = Body::from_stream(pieces(8, UNIT));
        let (stalled, whole) = tokio::join!(
            async {
                let answer = read(request(stalled), 64 * UNIT, &mut slow).await;
                drop(slow);
                answer
            },
            read(request(whole), 64 * UNIT, &mut fast)
        );
        assert!(stalled.is_err());
        assert_eq!(whole.unwrap().len(), 8 * UNIT);
    }
}
