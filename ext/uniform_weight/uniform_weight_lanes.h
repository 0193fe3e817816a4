/* Body of uniform_weight.h for one SIMD level: the includer sets WIDTH, TARGET and LEVEL.
 *
 * n is the number of up spins, V = M - 2n here taken positive, b the law of independent spins, both signs of
 * V together; p the law of the machine, q that of the ring. The root of <V tanh WV>_p = <V tanh WV>_q is
 * sought in one of two forms, neither of which cancels; see docs/theory/weight.md.
 */

#define FN TARGET static inline
#define vec LEVEL(vector)
#define ivec LEVEL(integers)

#if RBMFLOW_VECTORS
typedef double vec __attribute__((vector_size(8 * WIDTH)));
typedef int64_t ivec __attribute__((vector_size(8 * WIDTH)));
#else
typedef double vec;
typedef int64_t ivec;
#endif

FN vec LEVEL(all)(double x)
{
#if RBMFLOW_VECTORS
    return x - (vec){0};
#else
    return x;
#endif
}

/* x -> k ln 2 + r, |r| <= 0.35: returns q = exp(r) - 1 and scale = 2^k. For -700 <= x <= 700; beyond, the
   ends. Taylor to r^13: the next term is below 2^-58 of the first. */
FN vec LEVEL(reduce)(vec x, vec *scale)
{
    vec magic = LEVEL(all)(6755399441055744.0); /* 1.5 * 2^52: adding it rounds to an integer */
    x = CHOOSE((ivec)(x < -700.0), LEVEL(all)(-700.0), x);
    x = CHOOSE((ivec)(x > 700.0), LEVEL(all)(700.0), x);
    vec shifted = x * 1.4426950408889634 + magic, k = shifted - magic;
    vec high = x - k * 6.93147180369123816490e-01; /* exact: the constant ends in zeros */
    vec low = k * 1.90821492927058770002e-10;
    vec r = high - low, rest = (high - r) - low;
    vec p = LEVEL(all)(1.0 / 6227020800.0);
    p = p * r + 1.0 / 479001600.0;
    p = p * r + 1.0 / 39916800.0;
    p = p * r + 1.0 / 3628800.0;
    p = p * r + 1.0 / 362880.0;
    p = p * r + 1.0 / 40320.0;
    p = p * r + 1.0 / 5040.0;
    p = p * r + 1.0 / 720.0;
    p = p * r + 1.0 / 120.0;
    p = p * r + 1.0 / 24.0;
    p = p * r + 1.0 / 6.0;
    p = p * r + 0.5;
    *scale = VALUE((BITS(shifted) - BITS(magic) + 1023) << 52);
    return r + (p * (r * r) + rest * (1.0 + r));
}

FN vec LEVEL(expm1)(vec x)
{
    vec scale, q = LEVEL(reduce)(x, &scale);
    return (scale - 1.0) + scale * q;
}

FN vec LEVEL(exp)(vec x)
{
    vec scale, q = LEVEL(reduce)(x, &scale);
    return scale + scale * q;
}

/* ln u for a normal u > 0: u = 2^k (1 + f), 1 + f in [0.7, 1.42), s = f/(2 + f), ln(1 + f) = 2 artanh s.
   artanh to s^21: s^2 <= 0.0295, the next term is below 2^-57 of the first. */
FN vec LEVEL(log)(vec u)
{
    vec magic = LEVEL(all)(6755399441055744.0);
    /* so that the exponent field changes at u = 0.7 2^k: 0x3fe6666666666666 is 0.7 */
    ivec from = BITS(u) - 0x3fe6666666666666, k = from >> 52;
    vec exponent = VALUE(BITS(magic) + k) - magic;
    /* a mask, as C leaves k << 52 undefined for k < 0 */
    vec f = VALUE((from & 0xfffffffffffff) + 0x3fe6666666666666) - 1.0, s = f / (2.0 + f), z = s * s;
    vec p = LEVEL(all)(2.0 / 21.0);
    p = p * z + 2.0 / 19.0;
    p = p * z + 2.0 / 17.0;
    p = p * z + 2.0 / 15.0;
    p = p * z + 2.0 / 13.0;
    p = p * z + 2.0 / 11.0;
    p = p * z + 2.0 / 9.0;
    p = p * z + 2.0 / 7.0;
    p = p * z + 2.0 / 5.0;
    p = p * z + 2.0 / 3.0;
    /* 2 artanh s = f - s (f - s^2 p): the leading term is exact */
    return exponent * 6.93147180369123816490e-01
        + (f - (s * (f - z * p) - exponent * 1.90821492927058770002e-10));
}

/* ln(1 + y), y > -1, to full relative precision:
   ln u with u = 1 + y rounded, and the rounding error over u */
FN vec LEVEL(log1p)(vec y)
{
    vec u = 1.0 + y;
    return LEVEL(log)(u) + (y - (u - 1.0)) / u;
}

/* (1 + c)^n - 1 for c >= 0 by squaring, (1 + a)(1 + b) - 1 = a + b + ab: positive terms only */
FN vec LEVEL(power_excess)(vec c, double n_hidden)
{
    vec result = LEVEL(all)(0.0);
    for (int64_t n = (int64_t)n_hidden;;) {
        if (n & 1)
            result = result + (c + result * c);
        n >>= 1;
        if (!n)
            return result;
        c = c + (c + c * c);
    }
}

/* e(n) = q(n)/b(n) relative to the centre, less 1:
   from w(n) = rho(n+1)/rho(n) - 1, rho = q/b, by positive sums */
FN void LEVEL(data_excess)(const struct ring_constants *c, vec K, vec *excess)
{
    vec eps = -LEVEL(expm1)(-4.0 * K), w = -eps;
    for (int n = 0; n < c->half; n++) {
        if (n)
            w = c->ratio_a[n] * (w / (1.0 + w)) - eps * c->ratio_c[n];
        excess[n] = -w / (1.0 + w);
    }
    excess[c->half] = LEVEL(all)(0.0);
    for (int n = c->half - 1; n >= 0; n--)
        excess[n] = excess[n + 1] + (excess[n] + excess[n + 1] * excess[n]);
}

/* Weak coupling. phi = ln [A (1 + E) / (B (1 + U))], A = cov_b(T, u), B = cov_b(T, e), T = V tanh(WV)/W,
   u = cosh^N(WV) - 1, U = <u>_b, E = <e>_b. Sets *above where phi > 0, or where u overflows, and returns
   the Newton step in W; phi is nearly linear in ln W, and ln R is taken as 2 (R - 1)/(R + 1), which limits
   the step. */
FN vec LEVEL(weak_step)(const struct ring_constants *c, const vec *excess, vec W, ivec *above)
{
    vec zero = LEVEL(all)(0.0), N = LEVEL(all)(c->n_hidden);
    vec d1 = -LEVEL(expm1)(-W), q1 = 1.0 - d1;
    vec d2 = d1 * (1.0 + q1), q2 = q1 * q1;
    vec d = c->n_visible & 1 ? d1 : zero, q = 1.0 - d; /* d = 1 - exp(-WV), q = exp(-WV) */
    vec T0 = zero, S0 = zero, U = zero, Uw = zero, TU = zero, SU = zero, TUw = zero;
    vec E = zero, TE = zero, SE = zero;
    for (int n = c->half; n >= 0; n--) {
        double V = c->n_visible - 2 * n;
        vec square = q * q, sum = 1.0 + square;
        vec shared = 1.0 / (sum * (2.0 * q)), inverse = shared * (2.0 * q);
        vec tanh = d * (1.0 + q) * inverse;
        vec u = LEVEL(power_excess)(d * d * (shared * sum), c->n_hidden); /* cosh - 1 = d^2 / 2q */
        vec T = V * tanh / W, S = (V * V) * (4.0 * square) * (inverse * inverse); /* S = dT/dln W less T */
        vec uw = N * (W * V) * tanh * (1.0 + u);                                  /* du/dln W */
        vec b = LEVEL(all)(c->free_law[n]), bT = b * T, bS = b * S, e = excess[n];
        T0 += bT, S0 += bS;
        U += b * u, Uw += b * uw, TU += bT * u, SU += bS * u, TUw += bT * uw;
        E += b * e, TE += bT * e, SE += bS * e;
        d = d + q * d2, q = q * q2;
    }
    vec A = TU - T0 * U, B = TE - T0 * E;
    vec slope = (SU - S0 * U + TUw - T0 * Uw) / A - Uw / (1.0 + U) - (SE - S0 * E) / B;
    vec R = (A / B) * ((1.0 + E) / (1.0 + U));
    *above = NOT((ivec)(R <= 1.0));
    vec step = -2.0 * (R - 1.0) / ((R + 1.0) * slope);
    return W * CHOOSE((ivec)(step < -0.7), LEVEL(all)(-0.7), step);
}

/* M F(n), n = 1 ... half, both signs of V together:
   the ring's weights over x, relative to the aligned states */
FN void LEVEL(data_walls)(const struct ring_constants *c, vec x, vec *walls)
{
    vec D = LEVEL(all)(0.0), F = LEVEL(all)(1.0);
    for (int n = 1; n <= c->half; n++) {
        walls[n] = F * (2 * n == c->n_visible ? 0.5 * c->n_visible : c->n_visible);
        if (n < c->half) {
            D = c->wall_a[n] * D + x * (c->wall_b[n] * F);
            F = F + D;
        }
    }
}

/* Strong coupling. G = ln <D>_p - ln <D>_q, D = M tanh MW - V tanh VW, relative to the aligned states, for
   which D = 0. With s = exp(-2W), p(n)/p(0) = C(M, n) exp(L(n)), L(n) = N ln [cosh VW / cosh MW],
   dL/dW = -N D; exp(L(1)) and x are taken out of the sums. Sets *above where G < 0 and returns the Newton
   step in W. */
FN vec LEVEL(strong_step)(const struct ring_constants *c, const vec *walls, vec K, vec x, vec W, ivec *above)
{
    int M = c->n_visible;
    double N = c->n_hidden;
    vec zero = LEVEL(all)(0.0), one = LEVEL(all)(1.0);
    vec power[MAX_SITES + 1], deficit[MAX_SITES + 1]; /* s^j and 1 - s^j */
    power[0] = one, deficit[0] = zero;
    power[1] = LEVEL(exp)(-2.0 * W), deficit[1] = -LEVEL(expm1)(-2.0 * W);
    for (int j = 2; j <= M; j++) {
        power[j] = power[j - 1] * power[1];
        deficit[j] = deficit[j - 1] + power[j - 1] * deficit[1];
    }
    vec top = 1.0 / (1.0 + power[M]), tanh_top = deficit[M] * top;
    vec sech_top = (double)M * M * 4.0 * power[M] * (top * top);
    ivec small = (ivec)(W * M < 0.5);
    vec L1 = zero, D1 = zero, P = zero, PD = zero, PDw = zero, Q = zero, QD = zero, QDw = zero;
    for (int n = 1; n <= c->half; n++) {
        int v = M - 2 * n;
        double V = v;
        vec inverse = 1.0 / (1.0 + power[v]);
        vec delta = power[v] * (deficit[2 * n] * top); /* (s^V - s^M) / (1 + s^M) */
        vec D = 2.0 * n * tanh_top + 2.0 * V * delta * inverse;
        vec Dw = sech_top - V * V * 4.0 * power[v] * (inverse * inverse);
        /* ln r = ln(1 - h) for small W, -2Wn + ln(1 + delta) otherwise */
        vec h = deficit[M - n] * (deficit[n] * top);
        vec log_r = LEVEL(log1p)(CHOOSE(small, -h, delta)) - CHOOSE(small, zero, 2.0 * n * W);
        vec L = N * log_r;
        if (n == 1)
            L1 = L, D1 = D;
        vec p = c->states[n] * LEVEL(exp)(L - L1), q = walls[n];
        P += p, PD += p * D, PDw += p * (Dw - N * (D - D1) * D);
        Q += q, QD += q * D, QDw += q * Dw;
    }
    vec first = LEVEL(exp)(L1);
    vec norm_p = 1.0 + first * P, norm_q = 1.0 + x * Q;
    vec G = (4.0 * K + L1) + LEVEL(log)((PD / QD) * (norm_q / norm_p));
    vec slope = PDw / PD - N * D1 + N * first * PD / norm_p - QDw / QD;
    *above = NOT((ivec)(G >= 0.0));
    return -G / slope;
}

/* Solve WIDTH couplings of one kind; return how many of the first `count` did not settle. */
TARGET static int LEVEL(solve_block)(
    const struct ring_constants *c, const double *couplings, double *weights, int strong, int count)
{
    vec K, W, low = LEVEL(all)(0.0), high = LEVEL(all)(INFINITY);
    vec data[MAX_HALF];
    memcpy(&K, couplings, sizeof K);
    vec x = LEVEL(exp)(-4.0 * K);
    double M = c->n_visible, N = c->n_hidden;
    /* exact as K -> 0 and for large M: W^2 = (1 - y) / [N (M - y)], y = exp(-2K) */
    vec gap = -LEVEL(expm1)(-2.0 * K);
#if RBMFLOW_VECTORS
    for (int lane = 0; lane < WIDTH; lane++)
        W[lane] = sqrt(gap[lane] / (N * (M - 1 + gap[lane])));
#else
    W = sqrt(gap / (N * (M - 1 + gap)));
#endif
    if (strong) {
        vec line = (2.0 * K - 0.5 * log((M * M - c->n_visible % 2) / 8)) / N;
        W = CHOOSE((ivec)(line > W), line, W);
        LEVEL(data_walls)(c, x, data);
    } else
        LEVEL(data_excess)(c, K, data);
    ivec active = (ivec)(K == K), above;
    for (int steps = 0; steps < MAX_STEPS; steps++) {
        vec step = strong
            ? LEVEL(strong_step)(c, data, K, x, W, &above)
            : LEVEL(weak_step)(c, data, W, &above);
        high = CHOOSE(above, W, high);
        low = CHOOSE(above, low, W);
        vec next = W + step;
        ivec inside = (ivec)(next > low) & (ivec)(next < high);
        vec middle = CHOOSE(
            (ivec)(high == INFINITY), 2.0 * W, CHOOSE((ivec)(low == 0.0), 0.5 * W, 0.5 * (low + high)));
        /* a step from the root itself may leave the bracket by rounding: then the root is W */
        ivec tiny = (ivec)(step < 3e-9 * W) & (ivec)(step > -3e-9 * W);
        next = CHOOSE(inside | tiny, next, middle);
        W = CHOOSE(active, next, W);
        active = active & NOT(tiny);
        int left = 0;
        for (int lane = 0; lane < count; lane++)
            left += LANE(active, lane) != 0;
        if (!left || steps == MAX_STEPS - 1) {
            memcpy(weights, &W, sizeof W);
            return left;
        }
    }
    return count;
}

/* Gather the couplings of one kind, weak or strong, into blocks in the order of the array. */
TARGET static int LEVEL(solve_array)(
    const struct ring_constants *c, const double *couplings, int64_t n, double *weights)
{
    int unsettled = 0;
    for (int64_t i = 0; i < n; i++)
        if (!(couplings[i] >= WEAKEST && couplings[i] <= STRONGEST))
            weights[i] = limiting_weight(c, couplings[i]);
    for (int strong = 0; strong < 2; strong++) {
        int64_t index[WIDTH];
        double block[WIDTH], root[WIDTH];
        int filled = 0;
        for (int64_t i = 0; i <= n; i++) {
            double K = i < n ? couplings[i] : 0.0;
            if (K >= WEAKEST && K <= STRONGEST && (K > c->strong_from) == strong) {
                index[filled] = i;
                block[filled++] = K;
            }
            if (filled == WIDTH || (i == n && filled)) {
                for (int lane = filled; lane < WIDTH; lane++)
                    block[lane] = block[0];
                unsettled += LEVEL(solve_block)(c, block, root, strong, filled);
                for (int lane = 0; lane < filled; lane++)
                    weights[index[lane]] = root[lane];
                filled = 0;
            }
        }
    }
    return unsettled;
}

#undef vec
#undef ivec
#undef FN
