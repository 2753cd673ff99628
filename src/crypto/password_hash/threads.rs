//! The threads, their queue, and who is let into it.

use std::collections::VecDeque;
use std::panic;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::thread;
use std::thread::JoinHandle;
use std::time::Duration;

use argon2::Params;

use crate::metrics::Metrics;

use super::HashingConfig;
use super::HashingError;
use super::HashingStartError;
use super::algorithm;
use super::algorithm::Memory;
use super::priority;
use super::slot::HashingSlot;

/// What a pass over one KiB is taken to cost before a job has been measured; about right for a server of today.
const ESTIMATED_NS_PER_KIB: u64 = 500;

pub(super) type Job = Box<dyn FnOnce(&mut Memory) + Send>;

/// The door to the hashing threads. Clones share them; the last one dropped stops them.
#[derive(Clone)]
pub struct HashingThreads {
    threads: Arc<Threads>,
}

impl HashingThreads {
    /// Starts the threads.
    ///
    /// # Errors
    /// Parameters out of bounds, no threads, or none to be had from the system.
    pub fn start(config: &HashingConfig, metrics: Metrics) -> Result<Self, HashingStartError> {
        let HashingConfig { memory_kib, passes, lanes, threads, queue, deadline } = *config;
        let params = algorithm::bounded(memory_kib, passes, lanes).map_err(|reason| HashingStartError::Parameters {
            memory_kib,
            passes,
            lanes,
            reason,
        })?;
        if threads == 0 || queue == 0 {
            return Err(HashingStartError::NoThreads);
        }
        let first_estimate_ns = ESTIMATED_NS_PER_KIB * u64::from(params.m_cost()) * u64::from(params.t_cost());
        let shared = Arc::new(Shared {
            params,
            threads,
            queue_limit: queue,
            deadline,
            queue: Mutex::default(),
            work_or_stop: Condvar::new(),
            slots_given: AtomicUsize::new(0),
            refused: AtomicU64::new(0),
            metrics,
            mean_cost_ns: AtomicU64::new(first_estimate_ns),
        });
        // Built before the threads are: if one cannot be started, dropping this stops the others.
        let mut started = Threads { shared: Arc::clone(&shared), handles: Vec::with_capacity(threads) };
        for number in 0..threads {
            let shared = Arc::clone(&shared);
            let builder = thread::Builder::new().name(format!("hashing-{number}"));
            started.handles.push(builder.spawn(move || work(&shared))?);
        }
        Ok(Self { threads: Arc::new(started) })
    }

    /// Reserves the work of one hash, or refuses at once if it would have to wait too long.
    ///
    /// # Errors
    /// [`HashingError::Overloaded`].
    pub fn reserve(&self) -> Result<HashingSlot, HashingError> {
        let shared = &self.threads.shared;
        let given = shared.slots_given.fetch_add(1, Ordering::AcqRel);
        let slot = HashingSlot::of(shared);
        let wait = shared.expected_wait(given);
        if given < shared.queue_limit && wait <= shared.deadline {
            return Ok(slot);
        }
        shared.refused.fetch_add(1, Ordering::Relaxed);
        Err(HashingError::Overloaded { retry_after_secs: wait.as_millis().div_ceil(1000).clamp(1, 60) as u64 })
    }

    /// How many slots are given and not yet served, for the metric `hash_queue_depth`.
    pub fn queue_depth(&self) -> usize {
        self.threads.shared.slots_given.load(Ordering::Relaxed)
    }

    /// How many reservations were refused, for the metric `hash_refused_total`.
    pub fn refused_total(&self) -> u64 {
        self.threads.shared.refused.load(Ordering::Relaxed)
    }
}

/// Owns the threads: they stop with it. Jobs hold `Shared` only.
struct Threads {
    shared: Arc<Shared>,
    handles: Vec<JoinHandle<()>>,
}

impl Drop for Threads {
    fn drop(&mut self) {
        drop(self.shared.stop());
        for handle in self.handles.drain(..) {
            // A thread catches the panics of its jobs; there is nothing left to do about any other.
            let _ = handle.join();
        }
    }
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    stopped: bool,
}

pub(super) struct Shared {
    pub(super) params: Params,
    threads: usize,
    queue_limit: usize,
    deadline: Duration,
    queue: Mutex<Queue>,
    work_or_stop: Condvar,
    pub(super) slots_given: AtomicUsize,
    refused: AtomicU64,
    pub(super) metrics: Metrics,
    /// Moving mean of what a job took, in nanoseconds; an estimate until the first.
    mean_cost_ns: AtomicU64,
}

impl Shared {
    /// How long a job waits that finds so many slots given before it.
    fn expected_wait(&self, given: usize) -> Duration {
        let ahead = given.saturating_sub(self.threads - 1) as u64;
        Duration::from_nanos(self.mean_cost_ns.load(Ordering::Relaxed).saturating_mul(ahead) / self.threads as u64)
    }

    /// Moves the mean by an eighth of the difference. Two threads at once may lose one of two measurements.
    pub(super) fn record_cost(&self, cost: Duration) {
        let cost = u64::try_from(cost.as_nanos()).unwrap_or(u64::MAX);
        let mean = self.mean_cost_ns.load(Ordering::Relaxed);
        self.mean_cost_ns.store(mean - mean / 8 + cost / 8, Ordering::Relaxed);
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Nothing panics while holding it, and a queue is consistent after each of its operations anyway.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A job that comes after the stop is dropped, which its caller sees as lost.
    pub(super) fn push(&self, job: Job) {
        let mut queue = self.queue();
        if !queue.stopped {
            queue.jobs.push_back(job);
            drop(queue);
            self.work_or_stop.notify_one();
        }
    }

    /// The next job, or `None` when it is time to end.
    fn next(&self) -> Option<Job> {
        let mut queue = self
            .work_or_stop
            .wait_while(self.queue(), |queue| queue.jobs.is_empty() && !queue.stopped)
            .unwrap_or_else(PoisonError::into_inner);
        if queue.stopped { None } else { queue.jobs.pop_front() }
    }

    /// Ends the threads after the job they are at; hands over what nobody will do.
    fn stop(&self) -> VecDeque<Job> {
        let mut queue = self.queue();
        queue.stopped = true;
        let unserved = std::mem::take(&mut queue.jobs);
        drop(queue);
        self.work_or_stop.notify_all();
        unserved
    }
}

/// The life of one thread.
fn work(shared: &Shared) {
    if let Err(error) = priority::lower() {
        tracing::debug!(%error, "the hashing threads keep the priority of the others");
    }
    let mut memory = None;
    while let Some(job) = shared.next() {
        // Taken with the first job, so that an idle service is small; kept from then on.
        let memory = memory.get_or_insert_with(|| Memory::new(&shared.params));
        if panic::catch_unwind(AssertUnwindSafe(|| job(memory))).is_err() {
            tracing::error!("a hashing job panicked");
        }
    }
}
