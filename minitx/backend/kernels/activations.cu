// GELU (0: by tanh, 1: by erf) and SiLU (2), number by number, and the gated unit made of SiLU.

static inline __device__ Real sigmoid(Real x) { return (1 + tanh(x / 2)) / 2; }

static inline __device__ Real gate(Real x, int kind) {  // f(x) / x, between 0 and 1
  if (kind == 2) return sigmoid(x);
  if (kind == 1) return (1 + erf(x * Real(0.7071067811865476))) / 2;
  return (1 + tanh(Real(0.7978845608028654) * x * (1 + Real(0.044715) * x * x))) / 2;
}

static inline __device__ Real slope(Real x, int kind) {  // f'(x)
  Real p = gate(x, kind);
  if (kind == 2) return p + x * p * (1 - p);
  if (kind == 1) return p + x * exp(-x * x / 2) * Real(0.3989422804014327);
  return p + x * 2 * p * (1 - p) * Real(0.7978845608028654) * (1 + 3 * Real(0.044715) * x * x);
}

extern "C" __global__ void activation(Real* y, const Real* x, long long count, long long kind) {
  long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count) y[i] = x[i] * gate(x[i], kind);
}

extern "C" __global__ void activation_backward(Real* gx, const Real* g, const Real* x,
                                               long long count, long long kind) {
  long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count) gx[i] = g[i] * slope(x[i], kind);
}

// y = silu(x) value
extern "C" __global__ void swiglu(Real* y, const Real* x, const Real* value, long long count) {
  long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count) y[i] = x[i] * sigmoid(x[i]) * value[i];
}

extern "C" __global__ void swiglu_backward(Real* gx, Real* g_value, const Real* g, const Real* x,
                                           const Real* value, long long count) {
  long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  gx[i] = g[i] * value[i] * slope(x[i], 2);
  g_value[i] = g[i] * x[i] * sigmoid(x[i]);
}
