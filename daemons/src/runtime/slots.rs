//! Slots for expensive requests, shared out fairly among clients.
//!
//! A request that finds no slot waits a little. A slot that becomes free goes to
//! the waiting client that holds the fewest, so that one client with many
//! requests delays the others by no more than one of its own.

use super::peer::ClientId;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// For how long a request waits for a slot.
const WAIT_MAX: Duration = Duration::from_millis(if cfg!(test) { 50 } else { 2_000 });
/// Requests that wait, for each slot.
const WAITING_PER_SLOT: usize = 8;

/// The slots.
#[derive(Debug)]
pub struct Slots {
    max: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    taken: usize,
    /// The slots of each client that holds any.
    by_client: HashMap<ClientId, usize>,
    /// In the order of their arrival.
    waiting: VecDeque<(ClientId, oneshot::Sender<Slot>)>,
}

/// A slot, given back when it is dropped.
#[derive(Debug)]
pub struct Slot {
    slots: Arc<Slots>,
    client: ClientId,
}

impl Slots {
    /// So many slots.
    pub fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { max, state: Mutex::default() })
    }

    /// A slot for this client; none when too many wait, or none became free in time.
    pub async fn acquire(self: &Arc<Self>, client: ClientId) -> Option<Slot> {
        let granted = {
            let mut state = self.lock();
            if state.waiting.is_empty() && state.can_grant(client, self.max) {
                return Some(self.take(&mut state, client));
            }
            if state.waiting.len() >= self.max.saturating_mul(WAITING_PER_SLOT) {
                state.waiting.retain(|(_, waiting)| !waiting.is_closed());
                if state.waiting.len() >= self.max.saturating_mul(WAITING_PER_SLOT) {
                    return None;
                }
            }
            let (grant, granted) = oneshot::channel();
            state.waiting.push_back((client, grant));
            granted
        };
        self.grant();
        tokio::time::timeout(WAIT_MAX, granted).await.ok()?.ok()
    }

    /// Gives free slots to those who wait.
    fn grant(self: &Arc<Self>) {
        loop {
            let mut state = self.lock();
            let Some(at) = state.next(self.max) else { return };
            let Some((client, grant)) = state.waiting.remove(at) else { return };
            let slot = self.take(&mut state, client);
            drop(state);
            // Who does not wait any more drops the slot, which gives it to the next.
            if let Err(slot) = grant.send(slot) {
                slot.give_back();
            }
        }
    }

    fn take(self: &Arc<Self>, state: &mut State, client: ClientId) -> Slot {
        state.taken += 1;
        *state.by_client.entry(client).or_default() += 1;
        Slot { slots: Arc::clone(self), client }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn held(&self, client: ClientId) -> usize {
        self.by_client.get(&client).copied().unwrap_or(0)
    }

    /// Whether a client may have another slot: one address at most half of them, rounded up.
    fn can_grant(&self, client: ClientId, max: usize) -> bool {
        self.taken < max && self.held(client) < max.div_ceil(2)
    }

    /// The place of the request that gets the next free slot.
    fn next(&self, max: usize) -> Option<usize> {
        let waiting = self.waiting.iter().enumerate();
        let eligible = waiting.filter(|(_, (client, _))| self.can_grant(*client, max));
        eligible.min_by_key(|(at, (client, _))| (self.held(*client), *at)).map(|(at, _)| at)
    }
}

impl Slot {
    fn give_back(self) {
        drop(self);
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut state = self.slots.lock();
        state.taken -= 1;
        let held = state.by_client.get_mut(&self.client).map(|held| {
            *held -= 1;
            *held
        });
        if held == Some(0) {
            state.by_client.remove(&self.client);
        }
        drop(state);
        self.slots.grant();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn address(last: u8) -> ClientId {
        ClientId::Address(Ipv4Addr::new(10, 0, 0, last).into())
    }

    #[tokio::test]
    async fn a_slot_goes_to_the_waiting_client_that_holds_the_fewest() {
        let slots = Slots::new(4);
        let greedy = [slots.acquire(address(1)).await.unwrap(), slots.acquire(address(1)).await.unwrap()];
        assert!(slots.acquire(address(1)).await.is_none(), "one address has half of the slots at most");
        let others = [slots.acquire(address(2)).await.unwrap(), slots.acquire(address(3)).await.unwrap()];
        let (first, second) = (slots.acquire(address(1)), slots.acquire(address(4)));
        let ((), first, second) = tokio::join!(
            async {
                tokio::task::yield_now().await;
                drop(greedy);
                drop(others);
            },
            first,
            second
        );
        assert!(first.is_some() && second.is_some());
        drop((first, second));
        let state = slots.lock();
        assert_eq!((state.taken, state.by_client.len()), (0, 0));
    }

    #[tokio::test]
    async fn who_gives_up_waiting_leaves_the_slot_to_the_next() {
        let slots = Slots::new(1);
        let held = slots.acquire(address(1)).await.unwrap();
        assert!(slots.acquire(address(2)).await.is_none());
        let next = slots.acquire(address(3));
        let (slot, ()) = tokio::join!(next, async { drop(held) });
        assert!(slot.is_some());
    }

    #[tokio::test]
    async fn no_more_wait_than_there_is_room_for() {
        let slots = Slots::new(1);
        let _held = slots.acquire(address(1)).await.unwrap();
        let all = futures_util::future::join_all((0..20).map(|n| slots.acquire(address(n)))).await;
        assert!(all.iter().all(Option::is_none));
        assert!(slots.lock().waiting.len() <= WAITING_PER_SLOT);
    }
}
