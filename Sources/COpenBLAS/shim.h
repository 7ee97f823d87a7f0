#pragma once
#include <cblas.h>
#include <stdint.h>

/// Whether this processor and its system offer AVX2 and FMA.
static inline int zoo_cpu_has_avx2_and_fma(void) {
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
    return 0;
#endif
}

/// Tells the processor that a loop waits for another thread.
static inline void zoo_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/// Whether this processor and its system offer the AVX-512 instructions that compilers call x86-64-v4.
static inline int zoo_cpu_has_avx512(void) {
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd")
        && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#else
    return 0;
#endif
}

typedef float zoo_float4 __attribute__((ext_vector_type(4)));
typedef float zoo_float8 __attribute__((ext_vector_type(8)));
typedef float zoo_float16 __attribute__((ext_vector_type(16)));
typedef _Float16 zoo_half4 __attribute__((ext_vector_type(4), aligned(2)));
typedef _Float16 zoo_half8 __attribute__((ext_vector_type(8), aligned(2)));
typedef _Float16 zoo_half16 __attribute__((ext_vector_type(16), aligned(2)));

/// The larger of each pair; `x` where one is no number. Here and not in Swift because Swift's comparison of sixteen scalars is
/// taken apart.
static inline __attribute__((always_inline)) zoo_float16 zoo_raise16(zoo_float16 x, zoo_float16 low) { return x < low ? low : x; }
static inline __attribute__((always_inline)) zoo_float16 zoo_lower16(zoo_float16 x, zoo_float16 high) {
    return x > high ? high : x;
}

/// The numbers of `x` where `a` and `b` are equal, and zeros.
static inline __attribute__((always_inline)) zoo_float16 zoo_keep16(zoo_float16 x, zoo_float16 a, zoo_float16 b) {
    return a == b ? x : (zoo_float16)0;
}

/// Neighbouring outputs of a line under 3×3 filters, one for every channel:
/// `out = max(low, min(high, bias + Σ weight · x (+ residual)))` for the `channels` that fill whole registers.
///
/// `taps` are the nine places that the first output reads, the next reads `step` scalars further. A few outputs at a time
/// share the weights' registers, and the channels pass as they lie in memory. In C because Swift's products of registers
/// were taken apart here into pieces of four and of one.
#define ZOO_DEPTHWISE_BLOCK(N)                                                                                                 \
    static inline __attribute__((always_inline)) void zoo_depthwise_block##N(                                                  \
        const int outputs, const float *const *taps, const long at, const long step, const float *const *weights,              \
        const float *bias, float low, float high, const float *residual, long residual_stride, float *out, long out_stride,   \
        long channels) {                                                                                                       \
        typedef float lanes __attribute__((ext_vector_type(N), aligned(4)));                                                  \
        const lanes least = (lanes)low, most = (lanes)high;                                                                    \
        for (long c = 0; c + N <= channels; c += N) {                                                                          \
            lanes sums[4];                                                                                                     \
            _Pragma("clang loop unroll(full)") for (int i = 0; i < outputs; i++) sums[i] = *(const lanes *)(bias + c);         \
            _Pragma("clang loop unroll(full)") for (int k = 0; k < 9; k++) {                                                   \
                const lanes w = *(const lanes *)(weights[k] + c);                                                              \
                const float *x = taps[k] + at + c;                                                                             \
                _Pragma("clang loop unroll(full)") for (int i = 0; i < outputs; i++)                                           \
                    sums[i] = __builtin_elementwise_fma(*(const lanes *)(x + i * step), w, sums[i]);                           \
            }                                                                                                                  \
            _Pragma("clang loop unroll(full)") for (int i = 0; i < outputs; i++) {                                             \
                lanes sum = sums[i];                                                                                           \
                if (residual) sum += *(const lanes *)(residual + i * residual_stride + c);                                     \
                sum = sum < least ? least : sum;                                                                               \
                *(lanes *)(out + i * out_stride + c) = sum > most ? most : sum;                                                \
            }                                                                                                                  \
        }                                                                                                                      \
    }                                                                                                                          \
    static inline void zoo_depthwise_line##N(                                                                                  \
        const float *const *taps, long step, const float *const *weights, const float *bias, float low, float high,           \
        const float *residual, long residual_stride, float *out, long out_stride, long channels, long count) {                \
        for (long i = 0; i < count; i += 4) {                                                                                  \
            const float *r = residual ? residual + i * residual_stride : 0;                                                    \
            float *o = out + i * out_stride;                                                                                   \
            switch (count - i) {                                                                                               \
                case 1: ZOO_DEPTHWISE_OUTPUTS(N, 1); break;                                                                    \
                case 2: ZOO_DEPTHWISE_OUTPUTS(N, 2); break;                                                                    \
                case 3: ZOO_DEPTHWISE_OUTPUTS(N, 3); break;                                                                    \
                default: ZOO_DEPTHWISE_OUTPUTS(N, 4);                                                                          \
            }                                                                                                                  \
        }                                                                                                                      \
    }
#define ZOO_DEPTHWISE_OUTPUTS(N, n)                                                                                            \
    zoo_depthwise_block##N(                                                                                                    \
        n, taps, i * step, step, weights, bias, low, high, r, residual_stride, o, out_stride, channels)
ZOO_DEPTHWISE_BLOCK(4)
ZOO_DEPTHWISE_BLOCK(8)
ZOO_DEPTHWISE_BLOCK(16)

/// Numbers in half precision, widened. Here and not in Swift because Swift's conversion of a vector becomes one
/// instruction in some loops and one for every scalar in others.
static inline __attribute__((always_inline)) zoo_float4 zoo_widen4(const void *p) {
    return __builtin_convertvector(*(const zoo_half4 *)p, zoo_float4);
}
static inline __attribute__((always_inline)) zoo_float8 zoo_widen8(const void *p) {
    return __builtin_convertvector(*(const zoo_half8 *)p, zoo_float8);
}
static inline __attribute__((always_inline)) zoo_float16 zoo_widen16(const void *p) {
    return __builtin_convertvector(*(const zoo_half16 *)p, zoo_float16);
}

/// Whether this processor and its system multiply numbers in bfloat16 themselves.
static inline int zoo_cpu_has_avx512_bf16(void) {
#if defined(__x86_64__)
    return zoo_cpu_has_avx512() && __builtin_cpu_supports("avx512bf16");
#else
    return 0;
#endif
}

#if defined(__x86_64__)
#define ZOO_BFLOAT16 __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))
typedef __bf16 zoo_bfloat32 __attribute__((vector_size(64)));
typedef float zoo_floats __attribute__((vector_size(64), aligned(4)));
typedef uint32_t zoo_pairs __attribute__((vector_size(64), aligned(4)));

/// A block of `rows` rows by `vectors` registers of `rows · panelᵀ`, with `unroll` steps of the sum kept apart. All three are
/// constants where this is inlined, so that the sums stay in registers.
static inline __attribute__((always_inline)) ZOO_BFLOAT16 void zoo_bfloat16_tile(
    const int rows, const int vectors, const int unroll, long pairs, const uint32_t *x, long stride, const uint32_t *panel,
    const float *initial, long initial_stride, float *out, long out_stride) {
    zoo_floats sums[4][6][2];
    for (int u = 0; u < unroll; u++)
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < vectors; j++)
                sums[u][i][j] = u ? (zoo_floats){0} : *(const zoo_floats *)(initial + i * initial_stride + 16 * j);
    long p = 0;
    for (; p + unroll <= pairs; p += unroll) {
#pragma clang loop unroll(full)
        for (int u = 0; u < unroll; u++) {
            zoo_bfloat32 w[2];
#pragma clang loop unroll(full)
            for (int j = 0; j < vectors; j++) w[j] = (zoo_bfloat32)*(const zoo_pairs *)(panel + ((p + u) * vectors + j) * 16);
#pragma clang loop unroll(full)
            for (int i = 0; i < rows; i++) {
                const zoo_bfloat32 v = (zoo_bfloat32)((zoo_pairs){0} + x[i * stride + p + u]);
#pragma clang loop unroll(full)
                for (int j = 0; j < vectors; j++) sums[u][i][j] = __builtin_ia32_dpbf16ps_512(sums[u][i][j], v, w[j]);
            }
        }
    }
    for (; p < pairs; p++)
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < vectors; j++)
                sums[0][i][j] = __builtin_ia32_dpbf16ps_512(
                    sums[0][i][j], (zoo_bfloat32)((zoo_pairs){0} + x[i * stride + p]),
                    (zoo_bfloat32)*(const zoo_pairs *)(panel + (p * vectors + j) * 16));
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < vectors; j++) {
            zoo_floats sum = sums[0][i][j];
            for (int u = 1; u < unroll; u++) sum += sums[u][i][j];
            *(zoo_floats *)(out + i * out_stride + 16 * j) = sum;
        }
}

/// `out = rows · panelᵀ + bias` of numbers in bfloat16, two and two in a word; `vectors` (1 or 2) registers of columns.
///
/// In C because no Swift expression becomes the instruction that multiplies pairs, which does twice the work of one for
/// floats. For processors where ``zoo_cpu_has_avx512_bf16`` holds.
static ZOO_BFLOAT16 void zoo_bfloat16_product(
    long rows, long pairs, const uint32_t *x, long stride, const uint32_t *panel, int vectors, const float *bias, float *out,
    long out_stride) {
    // A part of the depth that stays in the first-level cache for all rows.
    const long block = 128;
    for (long first = 0; first < pairs; first += block) {
        const long depth = pairs - first < block ? pairs - first : block, tiles = (rows + 5) / 6;
        const float *initial = first ? out : bias;
        const long initial_stride = first ? out_stride : 0;
        long row = 0;
        for (long tile = 0; tile < tiles; tile++) {
            const long count = rows / tiles + (tile < rows % tiles);
            const uint32_t *from = x + row * stride + first, *weights = panel + first * vectors * 16;
            const float *begin = initial + row * initial_stride;
            float *to = out + row * out_stride;
            row += count;
#define ZOO_TILE(R, U)                                                                                                       \
    case R:                                                                                                                  \
        if (vectors == 2)                                                                                                    \
            zoo_bfloat16_tile(R, 2, U, depth, from, stride, weights, begin, initial_stride, to, out_stride);                 \
        else                                                                                                                 \
            zoo_bfloat16_tile(R, 1, U, depth, from, stride, weights, begin, initial_stride, to, out_stride);                 \
        break;
            switch (count) {
                ZOO_TILE(1, 4)
                ZOO_TILE(2, 4)
                ZOO_TILE(3, 2)
                ZOO_TILE(4, 2)
                ZOO_TILE(5, 1)
                ZOO_TILE(6, 1)
            }
#undef ZOO_TILE
        }
    }
}
#endif
