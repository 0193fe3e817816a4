/* What clusters on tori and on graphs share: a forest of their parts, and sums over them. */
#ifndef RBMFLOW_CLUSTERS_H
#define RBMFLOW_CLUSTERS_H

#include <stdint.h>

/* Rem's algorithm with splicing (Patwary, Blair and Manne, 2010). A parent comes before its children, so that
   a cluster's root is its first part. */
static inline void join_parts(int32_t *parent, int32_t a, int32_t b)
{
    while (parent[a] != parent[b]) {
        if (parent[a] < parent[b]) {
            const int32_t other = a;
            a = b, b = other;
        }
        const int32_t above = parent[a];
        parent[a] = parent[b];
        if (above == a)
            return;
        a = above;
    }
}

/* Each part gets its root for a parent. */
static inline void name_roots(int32_t *parent, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        parent[i] = parent[parent[i]];
}

enum { N_CLUSTER_SUMS = 4 };

/* With s sites in a cluster, of sum m: of all clusters sum s^2/n, sum s^3/n, sum m^2, sum m^4; of that of a
   random site s, s^2 and n m^2/s, which expect the same. */
struct cluster_sums {
    double size, squared_size, second, fourth;
};

static inline void add_cluster(struct cluster_sums *sums, double size, double total, double n)
{
    sums->size += size * size / n;
    sums->squared_size += size * size * size / n;
    sums->second += total * total;
    sums->fourth += total * total * total * total;
}

static inline void set_cluster_of_site(struct cluster_sums *sums, double size, double total, double n)
{
    sums->size = size;
    sums->squared_size = size * size;
    sums->second = total * total / size * n;
}

/* The last one, of all clusters, is the mean of the fourth power of sum +-m over fair signs. */
static inline void write_cluster_sums(const struct cluster_sums *sums, int single, double *out)
{
    out[0] = sums->size;
    out[1] = sums->squared_size;
    out[2] = sums->second;
    if (!single)
        out[3] = 3 * sums->second * sums->second - 2 * sums->fourth;
}

#endif
