/* Threads that make one call together, each its share of every part; all wait for each other between parts.
 *
 * The caller begins them, and gives all the same `team`, zeros at first. Who waits spins, and lets others run
 * after some microseconds. What stops the team is decided once for all of its members, by the last one that
 * arrives; `left` is set from outside if a member never comes.
 */
#ifndef RBMFLOW_TEAM_H
#define RBMFLOW_TEAM_H

#include <stdint.h>

#if defined(__GNUC__) && !defined(_WIN32)
#include <sched.h>
#define TEAMS 1
#else
#define TEAMS 0 /* without these built-ins of gcc and clang a team has one member */
#endif

enum { SPINS = 2000 };

struct team {
    int64_t arrived, round, failed, stop, left;
    void *memory; /* of the first member, for all */
};

/* A member and its share. */
struct member {
    struct team *team;
    int64_t n, index;
};

static inline int64_t share_begin(const struct member *m, int64_t n)
{
    return n * m->index / m->n;
}

static inline int64_t share_end(const struct member *m, int64_t n)
{
    return n * (m->index + 1) / m->n;
}

/* Wait until all members are here; -1 if they are to stop. `failed`: this one wants it. */
static int meet(const struct member *m, int failed)
{
    struct team *t = m->team;
    if (m->n == 1)
        return failed ? -1 : 0;
#if TEAMS
    int64_t round = __atomic_load_n(&t->round, __ATOMIC_ACQUIRE);
    if (failed)
        __atomic_store_n(&t->failed, 1, __ATOMIC_RELAXED);
    if (__atomic_add_fetch(&t->arrived, 1, __ATOMIC_ACQ_REL) == m->n) {
        __atomic_store_n(&t->stop, __atomic_load_n(&t->failed, __ATOMIC_RELAXED), __ATOMIC_RELAXED);
        __atomic_store_n(&t->arrived, 0, __ATOMIC_RELAXED);
        __atomic_store_n(&t->round, round + 1, __ATOMIC_RELEASE);
    }
    for (int64_t spin = 0; __atomic_load_n(&t->round, __ATOMIC_ACQUIRE) == round; spin++) {
        if (__atomic_load_n(&t->left, __ATOMIC_RELAXED))
            return -1;
        if (spin > SPINS)
            sched_yield();
    }
    return __atomic_load_n(&t->stop, __ATOMIC_RELAXED) ? -1 : 0;
#else
    return -1;
#endif
}

#endif
