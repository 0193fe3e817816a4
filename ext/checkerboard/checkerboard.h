/* Single-spin dynamics of one lattice of even sides, a byte for each spin, one coupling and one field.
 *
 * The sites (2r + i, 2c + j) of one parity (i, j) form a plane. A site's neighbours then lie in two other
 * planes at the same offsets all over the plane, so that planes are updated as flat arrays, 64 sites at a
 * time. Rows end in one pad that stands for the periodic neighbour, above and below lies a copied row, and
 * past it zeros; all are set again after every update, so that they, and the numbers drawn, depend on the
 * spins alone. Colours are pairs of planes.
 *
 * A random byte is compared with the first eight binary digits of the probability that the neighbours select,
 * another with the next eight where it ties, and so on: coins of full precision.
 *
 * The body, checkerboard_lanes.h, is included once for each SIMD level.
 */
#ifndef RBMFLOW_CHECKERBOARD_H
#define RBMFLOW_CHECKERBOARD_H

#include <stdint.h>
#include <string.h>
#include "simd/simd.h"
#include "simd/spin_bytes.h"

enum { BLOCK = 64, CLASSES = 16, SLACK = 2 * BLOCK };

enum { HEAT_BATH = 0, METROPOLIS = 1, METROPOLIS_IN_FIELD = 2 };

/* A site's class is the number of its neighbours that are up, 0 ... 4. With Metropolis it is the number of
   those equal to the site, in a field again that of those up, and 5 more if the site is up. The site becomes,
   with the heat bath, `few` up to the class `last` and 1 - few above it; with Metropolis it stays; or, with
   the probability of digits[.][class], the opposite. */
struct coins {
    int rule;
    int64_t n_digits;
    /* to base 256, less 128: signed bytes are what every processor compares */
    const int8_t (*digits)[CLASSES];
    int8_t few, last;
};

struct planes {
    int64_t rows, columns, stride, size; /* of a plane; size in bytes, margins included */
    uint8_t *first[2][2];                /* the site r = c = 0 of each plane */
};

static int64_t plane_size(int64_t n_rows, int64_t n_cols)
{
    return (n_rows / 2 + 2) * (n_cols / 2 + 1) + 2 * SLACK;
}

static void set_planes(struct planes *on, uint8_t *work, int64_t n_rows, int64_t n_cols)
{
    on->rows = n_rows / 2, on->columns = n_cols / 2, on->stride = on->columns + 1;
    on->size = plane_size(n_rows, n_cols);
    memset(work, 0, (size_t)(4 * on->size));
    for (int k = 0; k < 4; k++)
        on->first[k >> 1][k & 1] = work + k * on->size + on->stride + SLACK / 2;
}

/* Set what surrounds the sites of a plane, which the blocks of an update overrun, as it follows from them.

   A site of an even column has its left neighbour one column back in the plane of the odd ones (j = 1),
   whose rows have their pad in front; a site of an odd column has its right neighbour one column on in the
   plane of the even ones, whose rows have it behind. The pad is the site at the other end of its row. Whole
   rows are then copied, their pads with them: the first one below the last, the last one above the first.

   Past the row below lies what the last block reads and may have written. It updates these bytes as if they
   were sites, and where they tie it draws further numbers: they must be the same before every update. */
static void close_plane(const struct planes *on, int i, int j)
{
    uint8_t *sites = on->first[i][j];
    const int64_t stride = on->stride, end = on->rows * stride;
    const int64_t pad = j ? -1 : on->columns, opposite = j ? on->columns - 1 : 0;
    for (int64_t row = 0; row < end; row += stride)
        sites[row + pad] = sites[row + opposite];
    const int begin = j ? -1 : 0; /* of a row, its pad included */
    memcpy(sites + end + begin, sites + begin, (size_t)stride);
    memcpy(sites - stride + begin, sites + end - stride + begin, (size_t)stride);
    memset(sites + end + stride + begin, 0, BLOCK + 1);
}

static void pack(const struct planes *on, const int8_t *spins)
{
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++) {
            for (int64_t r = 0; r < on->rows; r++)
                for (int64_t c = 0; c < on->columns; c++)
                    on->first[i][j][r * on->stride + c]
                        = spins[(2 * r + i) * 2 * on->columns + 2 * c + j] > 0;
            close_plane(on, i, j);
        }
}

static void unpack(const struct planes *on, int8_t *spins)
{
    const int64_t columns = on->columns;
    for (int64_t y = 0; y < 2 * on->rows; y++) {
        const uint8_t *restrict even = on->first[y & 1][0] + (y >> 1) * on->stride;
        const uint8_t *restrict odd = on->first[y & 1][1] + (y >> 1) * on->stride;
        int8_t *restrict row = spins + 2 * y * columns;
        for (int64_t c = 0; c < columns; c++) {
            row[2 * c] = (int8_t)(2 * even[c] - 1);
            row[2 * c + 1] = (int8_t)(2 * odd[c] - 1);
        }
    }
}

static uint64_t eight_bytes(const uint8_t *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

static int64_t sum_of_bytes(uint64_t word)
{
    const uint64_t pairs = (word & 0x00ff00ff00ff00ff) + (word >> 8 & 0x00ff00ff00ff00ff);
    return (int64_t)(pairs * 0x0001000100010001 >> 48);
}

static void measure(const struct planes *on, int64_t *energy, int64_t *magnetization)
{
    enum { WORDS = 63 }; /* a byte counts up to four walls in each of them */
    const int64_t columns = on->columns, stride = on->stride;
    int64_t up = 0, walls = 0;
    for (int64_t r = 0; r < on->rows; r++)
        for (int k = 0; k < 2; k++) {
            /* one row of sites; one column of two rows */
            const uint8_t *even = on->first[k][0] + r * stride, *odd = on->first[k][1] + r * stride;
            const uint8_t *upper = on->first[0][k] + r * stride, *lower = on->first[1][k] + r * stride;
            int64_t c = 0;
            while (c + 8 <= columns) {
                const int64_t end = c + 8 * WORDS < columns ? c + 8 * WORDS : columns;
                uint64_t some_up = 0, some_walls = 0;
                for (; c + 8 <= end; c += 8) {
                    const uint64_t a = eight_bytes(even + c), b = eight_bytes(odd + c);
                    const uint64_t d = eight_bytes(upper + c), e = eight_bytes(lower + c);
                    some_up += a + b;
                    some_walls += (a ^ b) + (a ^ eight_bytes(odd + c - 1));
                    some_walls += (d ^ e) + (d ^ eight_bytes(lower + c - stride));
                }
                up += sum_of_bytes(some_up), walls += sum_of_bytes(some_walls);
            }
            for (; c < columns; c++) {
                up += even[c] + odd[c];
                walls += (even[c] ^ odd[c]) + (even[c] ^ odd[c - 1]);
                walls += (upper[c] ^ lower[c]) + (upper[c] ^ lower[c - stride]);
            }
        }
    const int64_t n = 4 * on->rows * columns;
    *energy = 2 * walls - 2 * n;
    *magnetization = 2 * up - n;
}

#define BODY "checkerboard/checkerboard_lanes.h"
#include "simd/levels.h"

static void sweep_planes(
    const struct planes *on, uint64_t *state, const struct coins *coins, int64_t n_sweeps, int level)
{
    AT_LEVEL(level, sweep, on, state, coins, n_sweeps);
}

#endif
