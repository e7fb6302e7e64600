/* LF-MMI forward-backward over a phone-trigram denominator and per-utterance numerators.
 *
 * Denominator (Povey et al., Interspeech 2016, "Purely sequence-trained neural networks for ASR based on lattice-free
 * MMI"): state s = (previous phone, phone), entered with pdf entry[s], repeated with pdf loop[s]; leaky HMM; every
 * frame renormalised in single precision. Eight sequences are the innermost dimension, so that a frame is a sparse
 * product with dense vectors of one AVX register. Numerator: whole-utterance phone graph in double precision.
 *
 * Layout: logits and gradients are [frames][sequences][pdfs], time-major, row-contiguous.
 *
 *     cc -O3 -march=native -ffast-math -fopenmp -shared -fPIC chain.c -o libchain.so -lm
 */
#include <math.h>
#ifdef __AVX2__
#include <immintrin.h>
#endif
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define LANES 8

/* The values of eight sequences: one register. */
typedef float lanes_t __attribute__((vector_size(LANES * sizeof(float)), aligned(4), may_alias));
#define AT(array, index) (*(lanes_t *)((array) + (size_t)(index) * LANES))
#define LANES_AT(array, index) (*(const lanes_t *)((array) + (size_t)(index) * LANES))

/* exp for -69 <= x <= 0, relative error under 1e-6; written so that the compiler vectorises it. */
static inline float exp_negative(float x) {
    float y = x * 1.44269504f, whole = floorf(y), f = y - whole;
    float power = 1.0f + f * (0.693147182f + f * (0.240226462f + f * (0.0555032670f + f * (0.00961834f + f * (0.00132685f + f * 0.000156f)))));
    union { int32_t i; float f; } scale = {((int32_t)whole + 127) << 23};
    return power * scale.f;
}

/* to[i * LANES + lane] = from[lane * stride + i], and back; in blocks, for the cache. */
static void to_lanes(const float *from, size_t stride, int count, float *to) {
    int i = 0;
#ifdef __AVX2__
    for (; i + 8 <= count; i += 8) {
        __m256 r[8], s[8];
        for (int k = 0; k < 8; k++) r[k] = _mm256_loadu_ps(from + k * stride + i);
        for (int k = 0; k < 8; k += 2) {
            s[k] = _mm256_unpacklo_ps(r[k], r[k + 1]);
            s[k + 1] = _mm256_unpackhi_ps(r[k], r[k + 1]);
        }
        for (int k = 0; k < 8; k += 4) {
            r[k] = _mm256_shuffle_ps(s[k], s[k + 2], 0x44);
            r[k + 1] = _mm256_shuffle_ps(s[k], s[k + 2], 0xee);
            r[k + 2] = _mm256_shuffle_ps(s[k + 1], s[k + 3], 0x44);
            r[k + 3] = _mm256_shuffle_ps(s[k + 1], s[k + 3], 0xee);
        }
        for (int k = 0; k < 4; k++) {
            _mm256_storeu_ps(to + (size_t)(i + k) * 8, _mm256_permute2f128_ps(r[k], r[k + 4], 0x20));
            _mm256_storeu_ps(to + (size_t)(i + k + 4) * 8, _mm256_permute2f128_ps(r[k], r[k + 4], 0x31));
        }
    }
#endif
    for (; i < count; i++)
        for (int k = 0; k < LANES; k++) to[(size_t)i * LANES + k] = from[k * stride + i];
}

static void from_lanes(const float *from, int count, int lanes, float *const *rows) {
    for (int block = 0; block < count; block += 64) {
        int end = block + 64 < count ? block + 64 : count;
        for (int k = 0; k < lanes; k++)
            for (int i = block; i < end; i++) rows[k][i] = from[(size_t)i * LANES + k];
    }
}

typedef struct {
    int32_t states;
    const int32_t *entry, *loop;                 /* pdf of each state */
    const float *initial;                        /* probability of each state before the first frame */
    const int32_t *in_offset, *in_source;        /* arcs by target */
    const float *in_weight;
    const int32_t *out_offset, *out_target;      /* arcs by source */
    const float *out_weight;
} Denominator;

typedef struct {
    int32_t nodes;
    const int32_t *entry, *loop, *entry_class, *loop_class;
    const float *initial, *final;
    const int32_t *in_offset, *in_source;
    const float *in_weight;
} Numerator;

typedef struct {
    int32_t frames, sequences, pdfs, classes;
    const int32_t *lengths;                      /* frames of each sequence */
    const float *logits;
    float *gradient;                             /* denominator occupancy - numerator occupancy */
    float *class_targets;                        /* [frames][sequences][classes] numerator occupancy by class */
    double *numerator, *denominator;             /* log probability of each sequence; NaN numerator: no path */
} Batch;

static void row_probabilities(const Batch *batch, int t, int first, int lanes, float *probabilities, float *row) {
    int pdfs = batch->pdfs;
    for (int lane = 0; lane < lanes; lane++) {
        const float *x = batch->logits + ((size_t)t * batch->sequences + first + lane) * pdfs;
        float top = x[0];
        for (int i = 1; i < pdfs; i++) top = x[i] > top ? x[i] : top;
        float *p = row + (size_t)lane * pdfs;
        for (int i = 0; i < pdfs; i++) p[i] = exp_negative(x[i] - top > -69.0f ? x[i] - top : -69.0f);
    }
    to_lanes(row, pdfs, pdfs, probabilities);
}

/* alpha has frames + 1 rows of states x LANES; totals are the frames' sums before normalisation. */
static void den_forward(const Denominator *den, int frames, int pdfs, const int *lengths, float leak, const float *p, float *alpha,
                        float *leaked, float *totals, double *logprob) {
    int states = den->states;
    for (int s = 0; s < states; s++) AT(alpha, s) = (lanes_t){0} + den->initial[s];
    for (int k = 0; k < LANES; k++) logprob[k] = 0;
    for (int t = 0; t < frames; t++) {
        const float *previous = alpha + (size_t)t * states * LANES, *pt = p + (size_t)t * pdfs * LANES;
        float *next = alpha + (size_t)(t + 1) * states * LANES;
        lanes_t total = {0}, inverse, frozen;
        for (int s = 0; s < states; s++) AT(leaked, s) = LANES_AT(previous, s) + leak * den->initial[s];
        for (int s = 0; s < states; s++) {
            lanes_t inflow = {0};
            for (int a = den->in_offset[s]; a < den->in_offset[s + 1]; a++)
                inflow += den->in_weight[a] * LANES_AT(leaked, den->in_source[a]);
            lanes_t value = LANES_AT(pt, den->entry[s]) * inflow + LANES_AT(pt, den->loop[s]) * LANES_AT(leaked, s);
            AT(next, s) = value;
            total += value;
        }
        for (int k = 0; k < LANES; k++) {
            int live = t < lengths[k];
            totals[t * LANES + k] = live ? total[k] : 1.0f;
            inverse[k] = live ? 1.0f / total[k] : 0.0f;
            frozen[k] = live ? 0.0f : 1.0f;
            if (live) logprob[k] += log((double)total[k]);
        }
        for (int s = 0; s < states; s++) AT(next, s) = LANES_AT(next, s) * inverse + LANES_AT(previous, s) * frozen;
    }
}

/* Adds the occupancy of frame t to occupancy (pdfs x LANES) and steps beta back by a frame. */
static void den_backward_frame(const Denominator *den, int t, const int *lengths, float leak, const float *pt, const float *alpha,
                               const float *totals, float *beta, float *entered, float *occupancy) {
    int states = den->states;
    const float *previous = alpha + (size_t)t * states * LANES, *here = alpha + (size_t)(t + 1) * states * LANES;
    lanes_t total = LANES_AT(totals, t), live, leaked_beta = {0};
    for (int k = 0; k < LANES; k++) live[k] = t < lengths[k] ? 1.0f : 0.0f;
    lanes_t inverse = live / total, frozen = 1.0f - live;
    for (int s = 0; s < states; s++) {
        lanes_t b = AT(beta, s) * inverse, stay = LANES_AT(pt, den->loop[s]) * b;
        lanes_t by_loop = (LANES_AT(previous, s) + leak * den->initial[s]) * stay;
        lanes_t by_entry = LANES_AT(here, s) * total * b - by_loop;
        AT(occupancy, den->loop[s]) += by_loop;
        for (int k = 0; k < LANES; k++) by_entry[k] = by_entry[k] > 0 ? by_entry[k] : 0; /* rounding */
        AT(occupancy, den->entry[s]) += by_entry;
        AT(entered, s) = LANES_AT(pt, den->entry[s]) * b;
        AT(beta, s) = stay + frozen * AT(beta, s);
    }
    for (int s = 0; s < states; s++) {
        lanes_t outflow = AT(beta, s);
        for (int a = den->out_offset[s]; a < den->out_offset[s + 1]; a++)
            outflow += den->out_weight[a] * LANES_AT(entered, den->out_target[a]);
        AT(beta, s) = outflow;
        leaked_beta += den->initial[s] * outflow;
    }
    leaked_beta *= leak * live;
    for (int s = 0; s < states; s++) AT(beta, s) += leaked_beta;
}

/* Forward-backward of one utterance; p is that of its group, lane its place in it. Subtracts from the gradient. */
static double numerator_pass(const Numerator *num, const Batch *batch, int sequence, int lane, const float *p) {
    int n = num->nodes, frames = batch->lengths[sequence], pdfs = batch->pdfs;
    double *alpha = calloc((size_t)(frames + 1) * n, sizeof(double)), *scale = calloc(frames + 1, sizeof(double));
    double *beta = calloc(n, sizeof(double)), *shifted = calloc(n, sizeof(double));
    double logprob = 0, result = NAN;
    for (int t = 0; t < frames; t++) {
        const double *previous = alpha + (size_t)(t - 1) * n;
        const float *pt = p + (size_t)t * pdfs * LANES + lane;
        double *here = alpha + (size_t)t * n, total = 0;
        for (int i = 0; i < n; i++) {
            double inflow = t == 0 ? num->initial[i] : 0, stay = t == 0 ? 0 : previous[i];
            if (t > 0)
                for (int a = num->in_offset[i]; a < num->in_offset[i + 1]; a++)
                    inflow += num->in_weight[a] * previous[num->in_source[a]];
            if (inflow == 0 && stay == 0) continue;
            here[i] = pt[(size_t)num->entry[i] * LANES] * inflow + pt[(size_t)num->loop[i] * LANES] * stay;
            total += here[i];
        }
        if (!(total > 0)) goto done;
        scale[t] = total;
        logprob += log(total);
        for (int i = 0; i < n; i++) here[i] /= total;
    }
    double end = 0;
    for (int i = 0; i < n; i++) end += alpha[(size_t)(frames - 1) * n + i] * num->final[i];
    if (!(end > 0)) goto done;
    result = logprob + log(end);
    for (int i = 0; i < n; i++) beta[i] = num->final[i] / end;
    for (int t = frames - 1; t >= 0; t--) {
        const double *previous = alpha + (size_t)(t - 1) * n, *here = alpha + (size_t)t * n;
        const float *pt = p + (size_t)t * pdfs * LANES + lane;
        float *gradient = batch->gradient + ((size_t)t * batch->sequences + sequence) * pdfs;
        float *targets = batch->class_targets + ((size_t)t * batch->sequences + sequence) * batch->classes;
        memset(shifted, 0, n * sizeof(double));
        for (int i = 0; i < n; i++) {
            double b = beta[i] / scale[t];
            if (here[i] == 0 || b == 0) continue;
            double pe = pt[(size_t)num->entry[i] * LANES] * b, pl = pt[(size_t)num->loop[i] * LANES] * b;
            double stay = t == 0 ? 0 : previous[i] * pl, whole = here[i] * beta[i];
            double enter = whole - stay > 0 ? whole - stay : 0;
            gradient[num->entry[i]] -= (float)enter;
            gradient[num->loop[i]] -= (float)stay;
            targets[num->entry_class[i]] += (float)enter;
            targets[num->loop_class[i]] += (float)stay;
            shifted[i] += pl;
            for (int a = num->in_offset[i]; a < num->in_offset[i + 1]; a++)
                shifted[num->in_source[a]] += num->in_weight[a] * pe;
        }
        memcpy(beta, shifted, n * sizeof(double));
    }
done:
    free(alpha); free(scale); free(beta); free(shifted);
    return result;
}

static void group_pass(const Denominator *den, const Numerator *numerators, const Batch *batch, int first, float leak) {
    int lanes = batch->sequences - first < LANES ? batch->sequences - first : LANES;
    int pdfs = batch->pdfs, states = den->states, frames = 0, lengths[LANES] = {0};
    for (int k = 0; k < lanes; k++) {
        lengths[k] = batch->lengths[first + k];
        frames = lengths[k] > frames ? lengths[k] : frames;
    }
    float *p = aligned_alloc(64, (size_t)frames * pdfs * LANES * sizeof(float));
    float *alpha = aligned_alloc(64, (size_t)(frames + 1) * states * LANES * sizeof(float));
    size_t row = ((size_t)states * LANES * sizeof(float) + 63) / 64 * 64, pdf_row = ((size_t)pdfs * LANES * sizeof(float) + 63) / 64 * 64;
    float *leaked = aligned_alloc(64, row), *beta = aligned_alloc(64, row), *entered = aligned_alloc(64, row);
    float *occupancy = aligned_alloc(64, pdf_row), *totals = malloc((size_t)frames * LANES * sizeof(float));
    float *scratch = malloc((size_t)LANES * pdfs * sizeof(float));
    double logprob[LANES];
    for (size_t i = 0; i < (size_t)LANES * pdfs; i++) scratch[i] = 1.0f; /* lanes without a sequence */
    for (int t = 0; t < frames; t++) row_probabilities(batch, t, first, lanes, p + (size_t)t * pdfs * LANES, scratch);
    den_forward(den, frames, pdfs, lengths, leak, p, alpha, leaked, totals, logprob);
    for (int i = 0; i < states * LANES; i++) beta[i] = 1.0f;
    for (int t = frames - 1; t >= 0; t--) {
        memset(occupancy, 0, (size_t)pdfs * LANES * sizeof(float));
        den_backward_frame(den, t, lengths, leak, p + (size_t)t * pdfs * LANES, alpha, totals, beta, entered, occupancy);
        float *rows[LANES];
        for (int k = 0; k < lanes; k++) rows[k] = batch->gradient + ((size_t)t * batch->sequences + first + k) * pdfs;
        from_lanes(occupancy, pdfs, lanes, rows);
    }
    for (int k = 0; k < lanes; k++) {
        batch->denominator[first + k] = logprob[k];
        double value = numerator_pass(&numerators[first + k], batch, first + k, k, p);
        batch->numerator[first + k] = value;
        if (isnan(value) || !(value > -1e30))
            for (int t = 0; t < lengths[k]; t++)
                memset(batch->gradient + ((size_t)t * batch->sequences + first + k) * pdfs, 0, pdfs * sizeof(float));
    }
    free(p); free(alpha); free(leaked); free(beta); free(entered); free(occupancy); free(totals); free(scratch);
}

/* gradient and class_targets must come zeroed. */
void chain_pass(const Denominator *den, const Numerator *numerators, const Batch *batch, float leak) {
#pragma omp parallel for schedule(dynamic, 1)
    for (int first = 0; first < batch->sequences; first += LANES) group_pass(den, numerators, batch, first, leak);
}

/* Best path of one utterance: path[t] = 2 * node + (0 on the node's first frame, 1 after). Returns its score or -inf. */
double chain_align(const Numerator *num, const float *logits, int frames, int pdfs, int32_t *path) {
    int n = num->nodes;
    double *previous = malloc(n * sizeof(double)), *here = malloc(n * sizeof(double)), best = -INFINITY;
    int32_t *back = malloc((size_t)frames * n * sizeof(int32_t));
    for (int t = 0; t < frames; t++) {
        const float *x = logits + (size_t)t * pdfs;
        for (int i = 0; i < n; i++) {
            double enter = -1e300;
            int from = -1;
            if (t == 0 && num->initial[i] > 0) enter = log(num->initial[i]);
            for (int a = t > 0 ? num->in_offset[i] : num->in_offset[i + 1]; a < num->in_offset[i + 1]; a++) {
                double value = previous[num->in_source[a]] + log(num->in_weight[a]);
                if (value > enter) { enter = value; from = num->in_source[a]; }
            }
            enter += x[num->entry[i]];
            double stay = t > 0 ? previous[i] + x[num->loop[i]] : -1e300;
            here[i] = stay > enter ? stay : enter;
            back[(size_t)t * n + i] = stay > enter ? -2 : from;
        }
        double *swap = previous; previous = here; here = swap;
    }
    int node = -1;
    for (int i = 0; i < n; i++)
        if (num->final[i] > 0 && previous[i] > best) { best = previous[i]; node = i; }
    for (int t = frames - 1; t >= 0 && node >= 0; t--) {
        int from = back[(size_t)t * n + node];
        path[t] = 2 * node + (from == -2);
        if (from != -2) node = from;
    }
    free(previous); free(here); free(back);
    return best > -1e299 ? best : -INFINITY;
}
