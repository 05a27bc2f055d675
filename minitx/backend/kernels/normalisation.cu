// LayerNorm and RMSNorm over rows: one block a row. RMSNorm is LayerNorm that is not centred.

// hat = (x - mean) scale with scale = 1 / sqrt(var + eps); y = hat weight + bias.
extern "C" __global__ void normalise(Real* y, Real* means, Real* scales, const Real* x,
                                     const Real* weight, const Real* bias, long long width,
                                     long long centred, double eps) {
  long long row = blockIdx.x;
  x += row * width, y += row * width;
  Real mean = 0, variance = 0;
  if (centred) {
    for (long long j = threadIdx.x; j < width; j += blockDim.x) mean += x[j];
    mean = block_sum(mean) / width;
  }
  for (long long j = threadIdx.x; j < width; j += blockDim.x)
    variance += (x[j] - mean) * (x[j] - mean);
  Real scale = 1 / sqrt(block_sum(variance) / width + Real(eps));
  for (long long j = threadIdx.x; j < width; j += blockDim.x)
    y[j] = (x[j] - mean) * scale * weight[j] + (bias ? bias[j] : Real(0));
  if (threadIdx.x == 0) means[row] = mean, scales[row] = scale;
}

// With h = g weight: gx = (h - mean(h) - hat mean(h hat)) scale, without mean(h) if not centred.
extern "C" __global__ void normalise_backward(Real* gx, const Real* g, const Real* x,
                                              const Real* means, const Real* scales,
                                              const Real* weight, long long width,
                                              long long centred) {
  long long row = blockIdx.x;
  x += row * width, g += row * width, gx += row * width;
  Real mean = means[row], scale = scales[row], plain = 0, along = 0;
  for (long long j = threadIdx.x; j < width; j += blockDim.x) {
    Real h = g[j] * weight[j];
    plain += h;
    along += h * (x[j] - mean) * scale;
  }
  plain = centred ? block_sum(plain) / width : Real(0);
  along = block_sum(along) / width;
  for (long long j = threadIdx.x; j < width; j += blockDim.x)
    gx[j] = (g[j] * weight[j] - plain - (x[j] - mean) * scale * along) * scale;
}

// Sums over a part of the rows: of g hat (what the weight gets) and of g (what a bias gets).
// A block has 32 x 8 threads for 32 columns: a warp reads neighbours, 8 rows at a time. Either
// result may be missing, and so may the means: then hat is not needed.
extern "C" __global__ void sums_over_rows(Real* g_weight, Real* g_bias, const Real* g,
                                          const Real* x, const Real* means, const Real* scales,
                                          long long rows, long long width) {
  __shared__ Real weights[8][WARP + 1], biases[8][WARP + 1];
  int lane = threadIdx.x % WARP, way = threadIdx.x / WARP;
  long long column = blockIdx.x * WARP + lane;
  Real along = 0, plain = 0;
  if (column < width)
    for (long long i = blockIdx.y * 8 + way; i < rows; i += gridDim.y * 8) {
      Real here = g[i * width + column];
      plain += here;
      if (g_weight) along += here * (x[i * width + column] - means[i]) * scales[i];
    }
  weights[way][lane] = along, biases[way][lane] = plain;
  __syncthreads();
  if (way || column >= width) return;
  for (int i = 1; i < 8; i++) along += weights[i][lane], plain += biases[i][lane];
  if (g_weight) g_weight[blockIdx.y * width + column] = along;
  if (g_bias) g_bias[blockIdx.y * width + column] = plain;
}
