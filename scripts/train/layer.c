/* The element-wise parts of a TDNN-F layer on the CPU, bfloat16 in memory, float in registers; a few passes over memory
 * where separate tensor operations make a dozen. Rows are frames, columns channels. See fused.py.
 *
 *     cc -O3 -march=native -ffast-math -fopenmp -shared -fPIC layer.c -o liblayer.so -lm
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bfloat16.h"

#define WIDEST 2048

/* mean and 1/deviation of relu(y) by channel; variance is written too. */
void relu_statistics(const bf16 *y, long rows, long channels, float epsilon, float *mean, float *variance, float *scale) {
    double *sum = calloc(2 * channels, sizeof(double));
#pragma omp parallel
    {
        float part[2 * WIDEST];
        double *own = calloc(2 * channels, sizeof(double));
#pragma omp for schedule(static)
        for (long block = 0; block < (rows + 63) / 64; block++) {
            long end = block * 64 + 64 < rows ? block * 64 + 64 : rows;
            memset(part, 0, sizeof(float) * 2 * channels);
            for (long r = block * 64; r < end; r++)
                for (long c = 0; c < channels; c++) {
                    float v = widen(y[r * channels + c]);
                    v = v > 0 ? v : 0;
                    part[c] += v;
                    part[channels + c] += v * v;
                }
            for (long c = 0; c < 2 * channels; c++) own[c] += part[c];
        }
#pragma omp critical
        for (long c = 0; c < 2 * channels; c++) sum[c] += own[c];
        free(own);
    }
    for (long c = 0; c < channels; c++) {
        double m = sum[c] / rows, v = sum[channels + c] / rows - m * m;
        mean[c] = (float)m;
        variance[c] = (float)(v > 0 ? v : 0);
        scale[c] = 1.0f / sqrtf(variance[c] + epsilon);
    }
    free(sum);
}

/* out = (relu(y) - mean) * scale [+ weight * bypass] */
void relu_norm(const bf16 *y, const bf16 *bypass, float weight, const float *mean, const float *scale, bf16 *out, long rows, long channels) {
#pragma omp parallel for schedule(static)
    for (long r = 0; r < rows; r++) {
        const bf16 *yr = y + r * channels, *br = bypass ? bypass + r * channels : 0;
        bf16 *o = out + r * channels;
        if (br)
            for (long c = 0; c < channels; c++) {
                float v = widen(yr[c]);
                o[c] = narrow(((v > 0 ? v : 0) - mean[c]) * scale[c] + weight * widen(br[c]));
            }
        else
            for (long c = 0; c < channels; c++) {
                float v = widen(yr[c]);
                o[c] = narrow(((v > 0 ? v : 0) - mean[c]) * scale[c]);
            }
    }
}

/* Gradient of relu_norm's first term: dy, and its sum over rows (the bias's gradient). */
void relu_norm_backward(const bf16 *y, const bf16 *g, const float *mean, const float *scale, bf16 *dy, float *bias, long rows, long channels) {
    double *sum = calloc(3 * channels, sizeof(double));
    float a[WIDEST], b[WIDEST];
#pragma omp parallel
    {
        float part[2 * WIDEST];
        double *own = calloc(3 * channels, sizeof(double));
#pragma omp for schedule(static)
        for (long block = 0; block < (rows + 63) / 64; block++) {
            long end = block * 64 + 64 < rows ? block * 64 + 64 : rows;
            memset(part, 0, sizeof(float) * 2 * channels);
            for (long r = block * 64; r < end; r++)
                for (long c = 0; c < channels; c++) {
                    float v = widen(y[r * channels + c]), d = widen(g[r * channels + c]);
                    part[c] += d;
                    part[channels + c] += d * ((v > 0 ? v : 0) - mean[c]);
                }
            for (long c = 0; c < 2 * channels; c++) own[c] += part[c];
        }
#pragma omp critical
        for (long c = 0; c < 2 * channels; c++) sum[c] += own[c];
#pragma omp barrier
#pragma omp single
        for (long c = 0; c < channels; c++) {
            a[c] = (float)(sum[c] / rows);
            b[c] = (float)(sum[channels + c] / rows) * scale[c] * scale[c];
        }
#pragma omp for schedule(static)
        for (long block = 0; block < (rows + 63) / 64; block++) {
            long end = block * 64 + 64 < rows ? block * 64 + 64 : rows;
            memset(part, 0, sizeof(float) * channels);
            for (long r = block * 64; r < end; r++)
                for (long c = 0; c < channels; c++) {
                    float v = widen(y[r * channels + c]), d = widen(g[r * channels + c]);
                    float value = v > 0 ? scale[c] * (d - a[c] - (v - mean[c]) * b[c]) : 0;
                    dy[r * channels + c] = narrow(value);
                    part[c] += value;
                }
            for (long c = 0; c < channels; c++) own[2 * channels + c] += part[c];
        }
#pragma omp critical
        for (long c = 0; c < channels; c++) sum[2 * channels + c] += own[2 * channels + c];
        free(own);
    }
    for (long c = 0; c < channels; c++) bias[c] = (float)sum[2 * channels + c];
    free(sum);
}

/* both: [time][sequences][2 k] -> taps: [time - 2][sequences][2 k], taps[t] = (z[t], z[t+1]), z[t] = both[t][:k] + both[t+1][k:] */
void shift_forward(const bf16 *both, bf16 *taps, long time, long sequences, long k) {
    long step = sequences * 2 * k;
#pragma omp parallel for schedule(static)
    for (long r = 0; r < (time - 2) * sequences; r++) {
        const bf16 *x = both + r * 2 * k;
        bf16 *o = taps + r * 2 * k;
        for (long c = 0; c < k; c++) o[c] = narrow(widen(x[c]) + widen(x[step + k + c]));
        for (long c = 0; c < k; c++) o[k + c] = narrow(widen(x[step + c]) + widen(x[2 * step + k + c]));
    }
}

/* Transpose of shift_forward: d both from d taps. */
void shift_backward(const bf16 *dtaps, bf16 *dboth, long time, long sequences, long k) {
    long step = sequences * 2 * k;
#pragma omp parallel for schedule(static)
    for (long t = 0; t < time; t++)
        for (long s = 0; s < sequences; s++) {
            bf16 *o = dboth + (t * sequences + s) * 2 * k;
            const bf16 *d = dtaps + (t * sequences + s) * 2 * k;
            /* dz[t] = dtaps[t][:k] + dtaps[t-1][k:], for 0 <= t < time - 1 */
            for (long c = 0; c < k; c++) {
                float here = (t < time - 2 ? widen(d[c]) : 0) + (t >= 1 && t < time - 1 ? widen(d[c + k - step]) : 0);
                float before = (t >= 1 && t < time - 1 ? widen(d[c - step]) : 0) + (t >= 2 ? widen(d[c + k - 2 * step]) : 0);
                o[c] = narrow(t < time - 1 ? here : 0);
                o[k + c] = narrow(t >= 1 ? before : 0);
            }
        }
}

/* x[skip ..][c] += weight * g */
void add_bypass(bf16 *x, const bf16 *g, float weight, long count) {
#pragma omp parallel for schedule(static)
    for (long block = 0; block < (count + 8191) / 8192; block++) {
        long end = block * 8192 + 8192 < count ? block * 8192 + 8192 : count;
        for (long i = block * 8192; i < end; i++) x[i] = narrow(widen(x[i]) + weight * widen(g[i]));
    }
}
