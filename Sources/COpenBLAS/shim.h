#pragma once
#include <cblas.h>

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
