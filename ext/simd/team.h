/* Threads that make one call together, each its share of every part; all wait for each other between parts.
 *
 * The caller begins them, and gives all the same `team`, zeros at first. Who waits spins, and lets others run
 * after some microseconds. What stops the team is decided once for all of its members, by the last one that
 * arrives; `left` is set from outside if a member never comes. Where there are more members than processors
 * waiting is most of the time: the first one, which looks at Ctrl-C, counts it as work.
 */
#ifndef RBMFLOW_TEAM_H
#define RBMFLOW_TEAM_H

#include <stdint.h>

#if defined(__GNUC__) && !defined(_WIN32)
#include <sched.h>
#include <time.h>
#define TEAMS 1
#else
#define TEAMS 0 /* without these built-ins of gcc and clang a team has one member */
#endif

enum { SPINS = 2000 };

struct team {
    int64_t arrived, round, failed, stop, left;
    void *memory; /* of the first member, for all */
    int64_t *done; /* what the first member has done since it looked at Ctrl-C, in nanoseconds, or none */
};

/* A member and its share. */
struct member {
    struct team *team;
    int64_t n, index;
};

/* The one that makes a call as `index` of n; without teams the first is alone, and the others do nothing. */
static inline struct member member_of(struct team *team, int64_t n, int64_t index)
{
    struct member m = {team, TEAMS ? n : 1, index};
    return m;
}

static inline int64_t share_begin(const struct member *m, int64_t n)
{
    return n * m->index / m->n;
}

static inline int64_t share_end(const struct member *m, int64_t n)
{
    return n * (m->index + 1) / m->n;
}

#if TEAMS
static int64_t nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
#endif

/* Wait until all members are here; -1 if they are to stop. `failed`: this one wants it. */
static int meet(const struct member *m, int failed)
{
    if (m->n == 1)
        return failed ? -1 : 0;
#if TEAMS
    struct team *t = m->team;
    int64_t round = __atomic_load_n(&t->round, __ATOMIC_ACQUIRE);
    if (failed)
        __atomic_store_n(&t->failed, 1, __ATOMIC_RELAXED);
    if (__atomic_add_fetch(&t->arrived, 1, __ATOMIC_ACQ_REL) == m->n) {
        __atomic_store_n(&t->stop, __atomic_load_n(&t->failed, __ATOMIC_RELAXED), __ATOMIC_RELAXED);
        __atomic_store_n(&t->arrived, 0, __ATOMIC_RELAXED);
        __atomic_store_n(&t->round, round + 1, __ATOMIC_RELEASE);
    }
    int64_t begun = 0;
    for (int64_t spin = 0; __atomic_load_n(&t->round, __ATOMIC_ACQUIRE) == round; spin++) {
        if (__atomic_load_n(&t->left, __ATOMIC_RELAXED))
            return -1;
        if (spin < SPINS)
            continue;
        if (!m->index && !begun)
            begun = nanoseconds();
        sched_yield();
    }
    if (begun && t->done)
        *t->done += nanoseconds() - begun;
    return __atomic_load_n(&t->stop, __ATOMIC_RELAXED) ? -1 : 0;
#else
    return -1;
#endif
}

#endif
