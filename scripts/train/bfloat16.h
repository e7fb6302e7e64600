/* bfloat16 in memory, float in registers. */
#include <stdint.h>

typedef uint16_t bf16;

static inline float widen(bf16 x) {
    union { uint32_t u; float f; } v = {(uint32_t)x << 16};
    return v.f;
}

static inline bf16 narrow(float x) {
    union { float f; uint32_t u; } v = {x};
    return (bf16)((v.u + 0x7fff + ((v.u >> 16) & 1)) >> 16);
}
