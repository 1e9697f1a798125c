/*
 * Lease, intent, effect and commit of one run with two steps, by two workers, over a primary and a replica.
 * `npm run test:sim -- --model` has Spin visit every state of it, and of each variant that a macro breaks.
 * Macros: ONCE (both effects must not be repeated; otherwise the target honors keys) and one of
 * NOFENCE, NOWAIT, NOINTENT, COUNTER, FREEKEY, NOPARK.
 */
#define STEPS 2
#define CRASHES 1
#define EXPIRIES 2

/* The primary. The token of a run is the epoch of its last claim. */
byte epoch = 0, cursor = 0;
bool held = false, pending = false, parked = false;
/* What the replica surely has. */
byte replicaEpoch = 0, replicaCursor = 0;
bool replicaHeld = false, replicaPending = false, replicaParked = false;

/* The clock of Redis, which keeps an epoch unique; failovers; the target; people. */
byte ticks = 0, life = 0;
byte applied[STEPS], attempts[STEPS], orders[STEPS];
bool keyed[STEPS];
/* An intent of this step was on the replica at some time. */
bool intended[STEPS];
byte crashes = 0, expiries = 0, failovers = 0;

inline confirm() {
  replicaEpoch = epoch; replicaCursor = cursor; replicaHeld = held; replicaPending = pending; replicaParked = parked;
  if :: (pending && cursor < STEPS) -> intended[cursor] = true :: else fi
}

#ifdef NOFENCE
#define mine (true)
#else
#define mine (my == epoch && cursor == c)
#endif

proctype Worker() {
  byte my = 0, c = 0, since = 0;
  bool resumed = false, ok = false;
again:
  do
  :: atomic {
       (!held && !parked && cursor < STEPS) ->
#ifdef COUNTER
       epoch = epoch + 1;
#else
       ticks = ticks + 1; epoch = ticks;
#endif
       my = epoch; held = true; c = cursor; resumed = pending; since = life
     };
next:
#if defined(ONCE) && !defined(NOPARK)
     if
     :: resumed ->
        atomic { if :: mine -> parked = true; held = false :: else fi; resumed = false };
        goto again
     :: else
     fi;
#endif
     /* The intent, fenced, and WAIT on the connection that wrote it. */
     atomic {
       if
       :: !(mine) -> ok = false
       :: else ->
#ifndef NOINTENT
          pending = true;
#endif
          since = life; ok = true
       fi
     };
     if :: !ok -> goto again :: else fi;
#ifndef NOWAIT
     atomic { if :: since == life -> confirm() :: else -> ok = false fi };
     if
     :: !ok -> atomic { if :: mine -> pending = resumed; held = false :: else fi }; goto again
     :: else
     fi;
#endif
     if :: crashes < CRASHES -> crashes++; goto again :: true fi;
     /* The lease is certain to last; the process may be stopped before the bytes leave. */
     if :: atomic { (held && my == epoch) -> skip } :: atomic { !(held && my == epoch) -> skip }; goto again fi;
     atomic {
       attempts[c]++;
       assert(intended[c]);
#if defined(ONCE) || defined(FREEKEY)
       applied[c]++;
#else
       if :: !keyed[c] -> applied[c]++; keyed[c] = true :: else fi;
#endif
       assert(c == 0 || attempts[0] > 0);
#ifdef ONCE
       assert(attempts[c] <= 1 + orders[c]);
#else
       assert(applied[c] <= 1);
#endif
     };
     if :: crashes < CRASHES -> crashes++; goto again :: true fi;
     atomic {
       if
       :: !(mine) -> ok = false
       :: else -> cursor = c + 1; pending = false; ok = true;
          c = cursor; resumed = false;
          if :: cursor == STEPS -> held = false :: else fi
       fi
     };
     if :: (ok && c < STEPS) -> goto next :: else -> goto again fi
  :: (cursor >= STEPS && !held) -> break
  :: (expiries >= EXPIRIES && crashes >= CRASHES && held && my != epoch) -> break
  od
}

proctype Redis() {
  do
  :: atomic { (held && expiries < EXPIRIES) -> held = false; expiries++ }
  :: atomic { confirm() }
  :: atomic {
       (failovers < 1) ->
       epoch = replicaEpoch; cursor = replicaCursor; held = replicaHeld; pending = replicaPending; parked = replicaParked;
       failovers++; life++
     }
  :: (cursor >= STEPS) -> break
  od
}

/* Looks at the target before the answer. */
proctype Person() {
  do
  :: atomic {
       (parked && cursor < STEPS) ->
       if
       :: attempts[cursor] == 0 -> orders[cursor]++; pending = false
       :: else -> cursor = cursor + 1; pending = false
       fi;
       parked = false; confirm()
     }
  :: (cursor >= STEPS) -> break
  od
}

init { atomic { run Worker(); run Worker(); run Redis(); run Person() } }
