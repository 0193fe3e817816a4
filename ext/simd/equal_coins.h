/* Bits that are one with a given probability, to its last binary digit. */
#ifndef RBMFLOW_COINS_H
#define RBMFLOW_COINS_H

#include <stdint.h>

enum {
    STREAMS = 8,
    MAX_DIGITS = 1074, /* binary digits of the smallest double */
    CHECK_AFTER = 9    /* planes after which few of 512 bits are undecided */
};

/* The binary digits of q < 1, each as all ones or zero; none is rounded, subnormal numbers included. */
static inline int binary_digits(double q, uint64_t *digits)
{
    int n = 0;
    while (q > 0 && n < MAX_DIGITS) {
        q *= 2;
        int digit = q >= 1;
        q -= digit;
        digits[n++] = digit ? UINT64_MAX : 0;
    }
    return n;
}

#endif
