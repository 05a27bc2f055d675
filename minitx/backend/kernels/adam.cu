// Adam and AdamW over parameters that lie end to end: one pass where NumPy needs nine.

// p (1 - decay lr) - lr m' / (sqrt(v') + eps); mean and square hold m / (1 - beta1) and
// v / (1 - beta2), as minitx.training.adam keeps them. A step that is replayed cannot be told new
// numbers, so two are read from the device: clock = {factor of lr, updates more than count}.
extern "C" __global__ void adam(Real* p, const Real* g, Real* mean, Real* square,
                                const double* clock, long long size, long long count, double lr,
                                double beta1, double beta2, double eps, double decay) {
  __shared__ double numbers[3];
  if (threadIdx.x == 0) {  // in double precision once a block, since beta^count is near 1
    double updates = count + clock[1], rate = lr * clock[0];
    double root = sqrt((1 - beta2) / (1 - pow(beta2, updates)));
    numbers[0] = rate * (1 - beta1) / (1 - pow(beta1, updates)) / root;
    numbers[1] = eps / root;
    numbers[2] = 1 - rate * decay;
  }
  __syncthreads();
  Real step = numbers[0], small = numbers[1], shrink = numbers[2];
  Real keep1 = beta1, keep2 = beta2;
  long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= size) return;
  Real m = keep1 * mean[i] + g[i], v = keep2 * square[i] + g[i] * g[i];
  mean[i] = m, square[i] = v;
  p[i] = p[i] * shrink - step * m / (sqrt(v) + small);
}
