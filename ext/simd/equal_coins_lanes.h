/* Bernoulli bits in bulk, for bodies at one SIMD level: needs lanes.h before it. */

/* Compare the planes first ... last - 1 of 512 uniform numbers with the binary digits of q, each all ones or
   zero. A digit 1 of q decides for a one where the plane is 0, a digit 0 against it where the plane is 1. */
FN void LEVEL(compare)(
    uint64_t *state, const uint64_t *digits, int first, int last, uint64_t *ones, uint64_t *undecided)
{
    for (int part = 0; part < PARTS; part++) {
        LEVEL(streams) a, b, c, d, r, yes, open;
        memcpy(&a, state + part * WIDTH, sizeof a), memcpy(&b, state + 8 + part * WIDTH, sizeof b);
        memcpy(&c, state + 16 + part * WIDTH, sizeof c), memcpy(&d, state + 24 + part * WIDTH, sizeof d);
        memcpy(&yes, ones + part * WIDTH, sizeof yes);
        memcpy(&open, undecided + part * WIDTH, sizeof open);
        for (int digit = first; digit < last; digit++) {
            XOSHIRO(a, b, c, d, r);
            yes |= open & ~r & digits[digit];
            open &= ~(r ^ digits[digit]);
        }
        memcpy(state + part * WIDTH, &a, sizeof a), memcpy(state + 8 + part * WIDTH, &b, sizeof b);
        memcpy(state + 16 + part * WIDTH, &c, sizeof c), memcpy(state + 24 + part * WIDTH, &d, sizeof d);
        memcpy(ones + part * WIDTH, &yes, sizeof yes);
        memcpy(undecided + part * WIDTH, &open, sizeof open);
    }
}

/* Fill blocks of 512 bits, each of them one with probability q, most significant digits first, until all are
   decided. */
FN void LEVEL(fill_coins)(
    uint64_t *state, const uint64_t *digits, int n_digits, uint64_t *coins, int64_t n_blocks)
{
    int sure = n_digits < CHECK_AFTER ? n_digits : CHECK_AFTER;
    memset(coins, 0, (size_t)n_blocks * STREAMS * sizeof *coins);
    for (uint64_t *ones = coins; ones < coins + n_blocks * STREAMS; ones += STREAMS) {
        uint64_t undecided[STREAMS];
        memset(undecided, 255, sizeof undecided);
        LEVEL(compare)(state, digits, 0, sure, ones, undecided);
        for (int digit = sure; digit < n_digits; digit++) {
            uint64_t left = 0;
            for (int i = 0; i < STREAMS; i++)
                left |= undecided[i];
            if (!left)
                break;
            LEVEL(compare)(state, digits, digit, digit + 1, ones, undecided);
        }
    }
}
