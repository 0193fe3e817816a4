/* Eight bits as eight bytes of -1 and +1, in memory order of a little- or big-endian machine alike. */
#ifndef RBMFLOW_SPIN_BYTES_H
#define RBMFLOW_SPIN_BYTES_H

#include <stdint.h>

static int8_t spin_bytes[256][8];

static inline void fill_spin_bytes(void)
{
    for (int byte = 0; byte < 256; byte++)
        for (int bit = 0; bit < 8; bit++)
            spin_bytes[byte][bit] = (int8_t)(byte >> bit & 1 ? 1 : -1);
}

#endif
