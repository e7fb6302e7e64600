/* The element-wise parts of the neural language model on the CPU, bfloat16 in memory, float in registers. See
 * nlm_network.py.
 *
 *     cc -O3 -march=native -ffast-math -shared -fPIC nlm.c -o libnlm.so -lm
 */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "bfloat16.h"

/* e^x to seven digits for |x| < 87, by 2^i * 2^f. */
static inline float fast_exp(float x) {
    x = x < -87.0f ? -87.0f : x > 87.0f ? 87.0f : x;
    float y = x * 1.44269504f, i = rintf(y), f = (y - i) * 0.693147181f;
    float p = 1.0f + f * (1.0f + f * (0.5f + f * (0.166666667f + f * (0.0416666667f + f * (0.00833333333f + f * 0.00138888889f)))));
    union { int32_t n; float f; } scale = {((int32_t)i + 127) << 23};
    return p * scale.f;
}

static inline float sigmoid(float x) { return 1.0f / (1.0f + fast_exp(-x)); }
static inline float hyperbolic(float x) { return 2.0f / (1.0f + fast_exp(-2.0f * x)) - 1.0f; }

/* One step of an LSTM: gates (rows x 4 width, order i f g o) are replaced by their activations; the cell is continued
 * from `before` where `keep` says so, else from zero. out = o tanh(c). */
void cell_forward(bf16 *gates, const float *before, const uint8_t *keep, float *cell, bf16 *out, long rows, long width) {
    for (long r = 0; r < rows; r++) {
        bf16 *g = gates + r * 4 * width;
        float kept = keep[r] ? 1.0f : 0.0f;
        for (long j = 0; j < width; j++) {
            float i = sigmoid(widen(g[j])), f = sigmoid(widen(g[width + j]));
            float u = hyperbolic(widen(g[2 * width + j])), o = sigmoid(widen(g[3 * width + j]));
            float c = f * kept * before[r * width + j] + i * u;
            g[j] = narrow(i);
            g[width + j] = narrow(f);
            g[2 * width + j] = narrow(u);
            g[3 * width + j] = narrow(o);
            cell[r * width + j] = c;
            out[r * width + j] = narrow(o * hyperbolic(c));
        }
    }
}

/* Its derivative: activations are replaced by the gradients of the gates; `carry` holds the cell's gradient from the
 * later step and is replaced by that for the step before. */
void cell_backward(bf16 *gates, const float *before, const uint8_t *keep, const float *cell, const bf16 *out_gradient,
                   float *carry, long rows, long width) {
    for (long r = 0; r < rows; r++) {
        bf16 *g = gates + r * 4 * width;
        float kept = keep[r] ? 1.0f : 0.0f;
        for (long j = 0; j < width; j++) {
            float i = widen(g[j]), f = widen(g[width + j]), u = widen(g[2 * width + j]), o = widen(g[3 * width + j]);
            float t = hyperbolic(cell[r * width + j]), d = widen(out_gradient[r * width + j]);
            float c = carry[r * width + j] + d * o * (1.0f - t * t);
            g[j] = narrow(c * u * i * (1.0f - i));
            g[width + j] = narrow(c * kept * before[r * width + j] * f * (1.0f - f));
            g[2 * width + j] = narrow(c * i * (1.0f - u * u));
            g[3 * width + j] = narrow(d * t * o * (1.0f - o));
            carry[r * width + j] = c * f * kept;
        }
    }
}

/* Softmax over each row's target and the candidates, whose scores `s` are replaced by the gradients of
 *     sum over rows of weight * (ln Z - target score + alpha ln^2 Z).
 * `bias` holds each candidate's bias less the logarithm of its expected count, `own` the candidate that is the row's
 * target or -1. A candidate may stand for the same word as the target elsewhere: `word` and `target_word` tell. */
void sampled_softmax(bf16 *s, const float *bias, const int32_t *word, const int32_t *target_word, const float *target,
                     const float *weight, float alpha, float *target_gradient, float *bias_gradient, float *log_z,
                     long rows, long candidates) {
    float e[16384];
    for (long r = 0; r < rows; r++) {
        bf16 *row = s + r * candidates;
        float top = target[r], total = 0.0f;
        int32_t own = target_word[r];
        for (long j = 0; j < candidates; j++) {
            float v = widen(row[j]) + bias[j];
            v = word[j] == own ? -1e30f : v;
            e[j] = v;
            top = v > top ? v : top;
        }
        for (long j = 0; j < candidates; j++) {
            e[j] = fast_exp(e[j] - top);
            total += e[j];
        }
        float t = fast_exp(target[r] - top);
        total += t;
        log_z[r] = top + logf(total);
        float scale = weight[r] * (1.0f + 2.0f * alpha * log_z[r]), each = scale / total;
        for (long j = 0; j < candidates; j++) {
            float v = word[j] == own ? 0.0f : e[j] * each;
            bias_gradient[j] += v;
            row[j] = narrow(v);
        }
        target_gradient[r] = t * each - weight[r];
    }
}
