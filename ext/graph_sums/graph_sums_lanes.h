/* Body of graph_sums.h for one SIMD level: the includer sets WIDTH, TARGET and LEVEL. */
#include "simd/lanes.h"
#include "simd/logistic_lanes.h"

#define vec LEVEL(doubles)

FN vec LEVEL(graph_load)(const double *from)
{
    vec x;
    memcpy(&x, from, sizeof x);
    return x;
}

FN vec LEVEL(graph_select)(LEVEL(words64) mask, vec yes, vec no)
{
    return VALUE64((BITS64(yes) & mask) | (BITS64(no) & ~mask));
}

/* Least and greatest value: extremes[0..1] the least, [2..3] the greatest, each coarse and fine. */
TARGET static void LEVEL(graph_extremes)(struct form_doubles *coarse, struct form_doubles *fine,
                                         uint64_t first, uint64_t last, double *extremes)
{
    const vec zero = {0};
    vec least[2], greatest[2];
    for (int limb = 0; limb < 2; limb++)
        least[limb] = zero + extremes[limb], greatest[limb] = zero + extremes[2 + limb];
    for (uint64_t high = first; high < last; high++) {
        go_to_doubles(coarse, high);
        go_to_doubles(fine, high);
        for (int64_t m = 0; m < BLOCK; m++) {
            double base = coarse->middle[m], more = fine->middle[m];
            for (int64_t l = 0; l < BLOCK; l += WIDTH) {
                vec x = LEVEL(graph_load)(coarse->low + l) + LEVEL(graph_load)(coarse->cross[m] + l) + base;
                vec y = LEVEL(graph_load)(fine->low + l) + LEVEL(graph_load)(fine->cross[m] + l) + more;
                LEVEL(words64) below = MASK64((x - least[0]) + (y - least[1]) < 0.0);
                LEVEL(words64) above = MASK64((x - greatest[0]) + (y - greatest[1]) > 0.0);
                least[0] = LEVEL(graph_select)(below, x, least[0]);
                least[1] = LEVEL(graph_select)(below, y, least[1]);
                greatest[0] = LEVEL(graph_select)(above, x, greatest[0]);
                greatest[1] = LEVEL(graph_select)(above, y, greatest[1]);
            }
        }
    }
    double lanes[4][WIDTH];
    memcpy(lanes, least, sizeof least);
    memcpy(lanes + 2, greatest, sizeof greatest);
    for (int lane = 0; lane < WIDTH; lane++) {
        if ((lanes[0][lane] - extremes[0]) + (lanes[1][lane] - extremes[1]) < 0.0)
            extremes[0] = lanes[0][lane], extremes[1] = lanes[1][lane];
        if ((lanes[2][lane] - extremes[2]) + (lanes[3][lane] - extremes[3]) > 0.0)
            extremes[2] = lanes[2][lane], extremes[3] = lanes[3][lane];
    }
}

/* exp(-2 size), and 0 from size = 350 on: a multiple of the scale is then far beyond what sums can feel. */
FN vec LEVEL(graph_weight)(vec size)
{
    return VALUE64(BITS64(LEVEL(decay64)(size)) & MASK64(size < 350.0));
}

/* Weights exp(-2 scale d), d the distance of a value from the reference, for the 2^12 states of a block.
 *
 * rise[j] of the states whose sites that are no lanes have j ups more than those of `high`; the order of
 * sums is one for each logical lane.
 */
FN void LEVEL(graph_weigh_block)(const double (*distance)[BLOCK], double scale,
                                 double (*rise)[LOGICAL], double (*moment)[LOGICAL])
{
    for (int64_t m = 0; m < BLOCK; m++) {
        double (*at)[LOGICAL] = rise + count_up((uint64_t)m);
        for (int part = 0; part < LOGICAL; part += WIDTH) {
            vec d[GROUPS], w[GROUPS], sum[4], first, second;
            for (int group = 0; group < GROUPS; group++) {
                d[group] = LEVEL(graph_load)(distance[m] + group * LOGICAL + part);
                w[group] = LEVEL(graph_weight)(d[group] * scale);
            }
            sum[0] = w[0];
            sum[1] = w[1] + w[2] + w[4];
            sum[2] = w[3] + w[5] + w[6];
            sum[3] = w[7];
            for (int ups = 0; ups < 4; ups++) {
                sum[ups] += LEVEL(graph_load)(at[ups] + part);
                memcpy(at[ups] + part, &sum[ups], sizeof *sum);
            }
            first = LEVEL(graph_load)(moment[0] + part);
            second = LEVEL(graph_load)(moment[1] + part);
            for (int group = 0; group < GROUPS; group++) {
                vec product = w[group] * d[group];
                first += product;
                second += product * d[group];
            }
            memcpy(moment[0] + part, &first, sizeof first);
            memcpy(moment[1] + part, &second, sizeof second);
        }
    }
}

TARGET static void LEVEL(graph_weigh)(struct form_doubles *coarse, struct form_doubles *fine, uint64_t first,
                                      uint64_t last, const double *reference, const double *scale,
                                      int64_t n_scales, double *weights, double *moments)
{
    double distance[BLOCK][BLOCK], rise[2 * BLOCK_SITES + 1][LOGICAL], moment[2][LOGICAL];
    int64_t row = coarse->n_sites + 1;
    for (uint64_t high = first; high < last; high++) {
        int64_t ups = count_up(high);
        go_to_doubles(coarse, high);
        go_to_doubles(fine, high);
        for (int64_t m = 0; m < BLOCK; m++) {
            double base = coarse->middle[m] - reference[0], more = fine->middle[m] - reference[1];
            for (int64_t l = 0; l < BLOCK; l += WIDTH) {
                vec x = LEVEL(graph_load)(coarse->low + l) + LEVEL(graph_load)(coarse->cross[m] + l) + base;
                vec y = LEVEL(graph_load)(fine->low + l) + LEVEL(graph_load)(fine->cross[m] + l) + more;
                x = VALUE64(BITS64(x + y) & 0x7fffffffffffffff);
                memcpy(distance[m] + l, &x, sizeof x);
            }
        }
        for (int64_t k = 0; k < n_scales; k++) {
            memset(rise, 0, sizeof rise);
            memset(moment, 0, sizeof moment);
            LEVEL(graph_weigh_block)((const double (*)[BLOCK])distance, scale[k], rise, moment);
            for (int64_t j = 0; j <= 2 * BLOCK_SITES - 3; j++)
                for (int lane = 0; lane < LOGICAL; lane++)
                    weights[k * row + ups + j + count_up((uint64_t)lane)] += rise[j][lane];
            for (int lane = 0; lane < LOGICAL; lane++) {
                moments[2 * k] += moment[0][lane];
                moments[2 * k + 1] += moment[1][lane];
            }
        }
    }
}

#undef vec
#include "simd/lanes_end.h"
