// What every kernel file begins with: sums and maxima over a block of threads.
//
// Real is float or double: the whole file is compiled once for each, with -DReal=... Threads of a
// block are a multiple of 32, the threads of a warp, which pass numbers to each other directly.

#define WARP 32
#define FULL 0xffffffffu  // all lanes of a warp take part

static inline __device__ Real greater(Real a, Real b) { return a > b ? a : b; }

static inline __device__ Real infinity() { return -log(Real(0)); }

// The sum over the block's threads of x, known to all of them.
static inline __device__ Real block_sum(Real x) {
  __shared__ Real partial[WARP];
  int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP, warps = blockDim.x / WARP;
  for (int step = WARP / 2; step; step /= 2) x += __shfl_xor_sync(FULL, x, step);
  __syncthreads();  // a sum before this one has been read by now
  if (lane == 0) partial[warp] = x;
  __syncthreads();
  Real total = 0;
  for (int i = 0; i < warps; i++) total += partial[i];
  return total;
}

// The greatest x of the block's threads, known to all of them.
static inline __device__ Real block_max(Real x) {
  __shared__ Real partial[WARP];
  int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP, warps = blockDim.x / WARP;
  for (int step = WARP / 2; step; step /= 2) x = greater(x, __shfl_xor_sync(FULL, x, step));
  __syncthreads();
  if (lane == 0) partial[warp] = x;
  __syncthreads();
  Real top = partial[0];
  for (int i = 1; i < warps; i++) top = greater(top, partial[i]);
  return top;
}
