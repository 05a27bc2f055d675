// Cross-entropy from logits: one block a row.

// total = log sum exp(x); loss = total - x[target], mixed with the mean over classes by smoothing.
// A target that is no class gives NaN: nobody can be asked while a step runs on the device.
extern "C" __global__ void cross_entropy(Real* loss, Real* total, const Real* x,
                                         const long long* targets, long long width,
                                         double smoothing) {
  long long row = blockIdx.x, target = targets[row];
  x += row * width;
  Real top = -infinity(), sum = 0, plain = 0;
  for (long long j = threadIdx.x; j < width; j += blockDim.x) top = greater(top, x[j]);
  top = block_max(top);
  for (long long j = threadIdx.x; j < width; j += blockDim.x) {
    sum += exp(x[j] - top);
    if (smoothing) plain += x[j];
  }
  sum = log(block_sum(sum)) + top;
  if (smoothing) plain = block_sum(plain) / width;
  if (threadIdx.x == 0) {
    bool known = target >= 0 && target < width;
    Real apart = known ? sum - x[target] : infinity() - infinity();
    loss[row] = smoothing ? Real(1 - smoothing) * apart + Real(smoothing) * (sum - plain) : apart;
    total[row] = sum;
  }
}

// gx = (exp(x - total) - smoothing / width - (1 - smoothing) [j is the target]) g
extern "C" __global__ void cross_entropy_backward(Real* gx, const Real* g, const Real* total,
                                                  const Real* x, const long long* targets,
                                                  long long width, double smoothing) {
  long long row = blockIdx.x, target = targets[row];
  for (long long j = threadIdx.x; j < width; j += blockDim.x) {
    Real share = exp(x[row * width + j] - total[row]) - Real(smoothing / width);
    if (j == target) share -= Real(1 - smoothing);
    gx[row * width + j] = share * g[row];
  }
}
