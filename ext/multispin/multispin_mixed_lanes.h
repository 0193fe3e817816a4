/* The part of multispin_lanes.h for sites of any number of neighbours up to six, and bonds of both signs. */

/* What the inputs decide: which side has more of them (none if they are even), whether that is by the second
   or the third amount, and whether it is by any. */
struct LEVEL(vote) {
    VECTOR most, second, third, any;
};

FN VECTOR LEVEL(input)(
    const uint64_t *spins, const struct mixed_sites *on, int64_t site, int k, int p, VECTOR reference)
{
    const uint64_t sign = -(uint64_t)(on->signs[site] >> k & 1);
    return LEVEL(load)(spins + WORDS * (int64_t)on->inputs[INPUTS * site + k], p) ^ reference ^ sign;
}

ALWAYS_INLINE TARGET struct LEVEL(vote) LEVEL(count_inputs)(
    const uint64_t *spins, const struct mixed_sites *on, int64_t site, int odd, int p, VECTOR reference)
{
    struct LEVEL(vote) vote;
    VECTOR x[INPUTS];
    for (int k = 0; k < INPUTS - odd; k++)
        x[k] = LEVEL(input)(spins, on, site, k, p, reference);
    /* their number in binary digits: four, two, one */
    VECTOR a = PARITY(x[0], x[1], x[2]), two = MAJORITY(x[0], x[1], x[2]);
    VECTOR b = odd ? x[3] ^ x[4] : PARITY(x[3], x[4], x[5]);
    VECTOR other = odd ? x[3] & x[4] : MAJORITY(x[3], x[4], x[5]);
    VECTOR one = a ^ b, carry = a & b;
    VECTOR four = MAJORITY(two, other, carry);
    two = PARITY(two, other, carry);
    if (odd) { /* of five: 2 and 3, then 1 and 4, then 0 and 5 */
        VECTOR apart = one ^ four;
        vote.most = four | (two & one);
        vote.second = apart & ~two, vote.third = ~(apart | two);
        vote.any = ~(one ^ one);
    } else { /* of six: 2 and 4, then 1 and 5, then 0 and 6; 3 is even */
        vote.most = four;
        vote.second = one & ~two, vote.third = ~(one | (two ^ four));
        vote.any = ~(one & two);
    }
    return vote;
}

ALWAYS_INLINE TARGET void LEVEL(sweep_mixed_sites)(
    uint64_t *spins, uint64_t *state, const struct mixed_sites *on, const struct mixed_rule *rule,
    int64_t n_sweeps, int metropolis)
{
    VECTOR a[PARTS], b[PARTS], c[PARTS], d[PARTS], negative[PARTS], active[PARTS];
    EACH_PART {
        a[p] = LEVEL(load)(state, p), b[p] = LEVEL(load)(state + 8, p);
        c[p] = LEVEL(load)(state + 16, p), d[p] = LEVEL(load)(state + 24, p);
        negative[p] = LEVEL(load)(rule->negative, p), active[p] = LEVEL(load)(rule->active, p);
    }
    const int64_t sure = rule->n_digits < SURE ? rule->n_digits : SURE;
    /* of the least amount, and what is other at the second and the third */
    uint64_t digits[2][SURE][CLASSES][WORDS];
    for (int odd = 0; odd < 2; odd++)
        for (int64_t k = 0; k < sure; k++)
            for (int i = 0; i < WORDS; i++) {
                const uint64_t least = rule->digits[k][odd][0][i];
                digits[odd][k][0][i] = least;
                digits[odd][k][1][i] = rule->digits[k][odd][1][i] ^ least;
                digits[odd][k][2][i] = rule->digits[k][odd][2][i] ^ least;
            }
    for (int64_t sweep = 0; sweep < n_sweeps; sweep++) {
        for (int64_t i = 0; i < on->n_attempts; i++) {
            const int64_t at = on->order[i];
            uint64_t *site = spins + WORDS * at;
            const int odd = on->degrees[at] & 1;
            /* Metropolis would flip a site without bonds for ever: it gets a fair coin */
            const int certain = metropolis && on->degrees[at];
            VECTOR stay[PARTS], coin[PARTS], second[PARTS], third[PARTS], yes[PARTS], open[PARTS], r;
            EACH_PART {
                VECTOR own = LEVEL(load)(site, p);
                VECTOR reference = metropolis ? ~(own ^ negative[p]) : (VECTOR)(own ^ own), digit;
                struct LEVEL(vote) vote = odd ? LEVEL(count_inputs)(spins, on, at, 1, p, reference)
                                              : LEVEL(count_inputs)(spins, on, at, 0, p, reference);
                coin[p] = metropolis ? vote.most : vote.any;
                second[p] = vote.second, third[p] = vote.third;
                stay[p] = metropolis ? own : (vote.most ^ negative[p]);
                yes[p] = own ^ own, open[p] = coin[p] & active[p], r = own;
                /* the last of the sure digits first: each is one comparison that overrides those before it */
                for (int64_t k = sure - 1; k >= 0; k--) {
                    XOSHIRO(a[p], b[p], c[p], d[p], r);
                    digit = LEVEL(load)(digits[odd][k][0], p);
                    digit = FLIP(digit, second[p], LEVEL(load)(digits[odd][k][1], p));
                    digit = FLIP(digit, third[p], LEVEL(load)(digits[odd][k][2], p));
                    yes[p] = BELOW(r, digit, yes[p]);
                    open[p] = WHERE_EQUAL(open[p], r, digit);
                }
                yes[p] = certain ? ~coin[p] | yes[p] : SELECT(coin[p], yes[p], r);
            }
            for (int64_t k = sure; k < rule->n_digits && LEVEL(any)(open); k++)
                EACH_PART {
                    XOSHIRO(a[p], b[p], c[p], d[p], r);
                    VECTOR digit = LEVEL(load)(rule->digits[k][odd][0], p);
                    digit = SELECT(second[p], LEVEL(load)(rule->digits[k][odd][1], p), digit);
                    digit = SELECT(third[p], LEVEL(load)(rule->digits[k][odd][2], p), digit);
                    yes[p] |= open[p] & digit & ~r;
                    open[p] = WHERE_EQUAL(open[p], r, digit);
                }
            EACH_PART LEVEL(store)(site, p, stay[p] ^ yes[p]);
        }
    }
    EACH_PART {
        LEVEL(store)(state, p, a[p]), LEVEL(store)(state + 8, p, b[p]);
        LEVEL(store)(state + 16, p, c[p]), LEVEL(store)(state + 24, p, d[p]);
    }
}

TARGET static void LEVEL(sweep_mixed)(
    uint64_t *spins, uint64_t *state, const struct mixed_sites *on, const struct mixed_rule *rule,
    int64_t n_sweeps)
{
    if (rule->metropolis)
        LEVEL(sweep_mixed_sites)(spins, state, on, rule, n_sweeps, 1);
    else
        LEVEL(sweep_mixed_sites)(spins, state, on, rule, n_sweeps, 0);
}

/* Energy in |J| and magnetization, totals, of each replica. */
TARGET static void LEVEL(measure_mixed)(
    const uint64_t *spins, const struct mixed_sites *on, int32_t *energy, int32_t *magnetization)
{
    EACH_PART {
        struct LEVEL(counter) up, walls;
        memset(&up, 0, sizeof up);
        memset(&walls, 0, sizeof walls);
        for (int64_t i = 0; i < on->n_sites; i++)
            LEVEL(add)(&up, LEVEL(load)(spins + WORDS * i, p));
        for (int64_t k = 0; k < on->n_bonds; k++) {
            VECTOR differ = LEVEL(load)(spins + WORDS * (int64_t)on->ends[2 * k], p)
                ^ LEVEL(load)(spins + WORDS * (int64_t)on->ends[2 * k + 1], p);
            LEVEL(add)(&walls, differ ^ -(uint64_t)on->bond_signs[k]);
        }
        LEVEL(read)(&up, p, (int32_t)-on->n_sites, 2, magnetization);
        LEVEL(read)(&walls, p, (int32_t)-on->n_bonds, 2, energy);
    }
}
