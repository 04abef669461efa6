/* cuBLASLt, loaded when it is first needed from the folder that the environment variable LT names, or from where the loader looks: products of bf16
   rows by the library's first choice of algorithm, as Gemms has them. Numbers of types and attributes: cublasLt.h. */
#pragma once

#include <dlfcn.h>

#include <array>
#include <map>

#include "bench.cuh"

class CublasLt {
 public:
  CublasLt() : workspace_(kWorkspaceBytes) {
    const char* folder = std::getenv("LT");
    std::string path = (folder ? std::string(folder) + "/" : std::string()) + "libcublasLt.so.13";
    library_ = dlopen(path.c_str(), RTLD_NOW);
    if (library_ == nullptr) {
      std::printf("no cuBLASLt (set LT to its folder): %s\n", dlerror());
      std::exit(2);
    }
    call("cublasLtCreate", &handle_);
  }

  /* y[m, n] = x[m, k] w[n, k]^T, bf16 or fp32. */
  void multiply(const Bf16* w, const Bf16* x, void* y, int m, int n, int k, bool is_float) {
    Plan& p = plan(m, n, k, is_float);
    float one = 1, zero = 0;
    call("cublasLtMatmul", handle_, p.product, &one, static_cast<const void*>(w), p.w, static_cast<const void*>(x), p.x, &zero,
         static_cast<const void*>(y), p.y, y, p.y, static_cast<const void*>(p.chosen), static_cast<void*>(workspace_),
         size_t{kWorkspaceBytes}, stream());
  }

 private:
  static constexpr size_t kWorkspaceBytes = size_t{64} << 20;
  static constexpr int kBf16 = 14, kFloat = 0, kCompute32F = 68, kTransA = 3, kTransposed = 1, kMaxWorkspace = 1;

  struct Plan {
    void *product, *w, *x, *y;
    alignas(16) unsigned char chosen[96];  // cublasLtMatmulHeuristicResult_t, the algorithm first
  };

  template <typename... A>
  void call(const char* name, A... arguments) {
    auto function = reinterpret_cast<int (*)(A...)>(dlsym(library_, name));
    int status = function ? function(arguments...) : -1;
    if (status == 0) return;
    std::printf("%s: %d\n", name, status);
    std::exit(2);
  }

  void* matrix(int type, int rows, int cols) {
    void* made;
    call("cublasLtMatrixLayoutCreate", &made, type, static_cast<uint64_t>(rows), static_cast<uint64_t>(cols),
         static_cast<int64_t>(rows));
    return made;
  }

  Plan& plan(int m, int n, int k, bool is_float) {
    auto [at, is_new] = plans_.try_emplace({m, n, k, is_float});
    Plan& p = at->second;
    if (!is_new) return p;
    int transposed = kTransposed, found = 0;
    size_t bytes = kWorkspaceBytes;
    void* preference;
    call("cublasLtMatmulDescCreate", &p.product, kCompute32F, kFloat);
    call("cublasLtMatmulDescSetAttribute", p.product, kTransA, static_cast<const void*>(&transposed), sizeof(int));
    p.w = matrix(kBf16, k, n), p.x = matrix(kBf16, k, m), p.y = matrix(is_float ? kFloat : kBf16, n, m);
    call("cublasLtMatmulPreferenceCreate", &preference);
    call("cublasLtMatmulPreferenceSetAttribute", preference, kMaxWorkspace, static_cast<const void*>(&bytes), sizeof(bytes));
    call("cublasLtMatmulAlgoGetHeuristic", handle_, p.product, p.w, p.x, p.y, p.y, preference, 1,
         static_cast<void*>(p.chosen), &found);
    if (found == 0) {
      std::printf("cuBLASLt has no algorithm for %d x %d x %d\n", m, n, k);
      std::exit(2);
    }
    return p;
  }

  void* library_;
  void* handle_ = nullptr;
  Array<unsigned char> workspace_;
  std::map<std::array<int, 4>, Plan> plans_;
};
