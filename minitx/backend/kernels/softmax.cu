// Softmax and its logarithm over rows: one block a row.

// y = exp(x - top) / sum; a row that is -inf throughout becomes zeros.
extern "C" __global__ void softmax(Real* y, const Real* x, long long width) {
  y += blockIdx.x * width, x += blockIdx.x * width;
  Real top = -infinity(), total = 0;
  for (long long j = threadIdx.x; j < width; j += blockDim.x) top = greater(top, x[j]);
  top = block_max(top);
  if (top == infinity() || top == -infinity()) top = 0;
  for (long long j = threadIdx.x; j < width; j += blockDim.x) total += exp(x[j] - top);
  total = block_sum(total);
  for (long long j = threadIdx.x; j < width; j += blockDim.x)
    y[j] = total > 0 ? exp(x[j] - top) / total : total;  // zero stays zero, NaN stays NaN
}

// gx = y (g - sum g y)
extern "C" __global__ void softmax_backward(Real* gx, const Real* g, const Real* y,
                                            long long width) {
  long long row = blockIdx.x * width;
  Real mean = 0;
  for (long long j = threadIdx.x; j < width; j += blockDim.x) mean += g[row + j] * y[row + j];
  mean = block_sum(mean);
  for (long long j = threadIdx.x; j < width; j += blockDim.x)
    gx[row + j] = y[row + j] * (g[row + j] - mean);
}

// y = x - top - log sum exp(x - top)
extern "C" __global__ void log_softmax(Real* y, const Real* x, long long width) {
  y += blockIdx.x * width, x += blockIdx.x * width;
  Real top = -infinity(), total = 0;
  for (long long j = threadIdx.x; j < width; j += blockDim.x) top = greater(top, x[j]);
  top = block_max(top);
  for (long long j = threadIdx.x; j < width; j += blockDim.x) total += exp(x[j] - top);
  total = log(block_sum(total));
  for (long long j = threadIdx.x; j < width; j += blockDim.x) y[j] = x[j] - top - total;
}

// gx = g - exp(y) sum g
extern "C" __global__ void log_softmax_backward(Real* gx, const Real* g, const Real* y,
                                                long long width) {
  long long row = blockIdx.x * width;
  Real total = 0;
  for (long long j = threadIdx.x; j < width; j += blockDim.x) total += g[row + j];
  total = block_sum(total);
  for (long long j = threadIdx.x; j < width; j += blockDim.x)
    gx[row + j] = g[row + j] - exp(y[row + j]) * total;
}
