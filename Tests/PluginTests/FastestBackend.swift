import COpenBLAS
import OpenBLASBackend
import OpenBLASBackendAVX2
import OpenBLASBackendAVX512
import Tensors

/// The build of the backend that `zoo` uses on this processor.
func fastestBackend(threads: Int) -> any Backend {
    if zoo_cpu_has_avx512() != 0 { return OpenBLASBackendAVX512.OpenBLAS(threads: threads) }
    if zoo_cpu_has_avx2_and_fma() != 0 { return OpenBLASBackendAVX2.OpenBLAS(threads: threads) }
    return OpenBLASBackend.OpenBLAS(threads: threads)
}
