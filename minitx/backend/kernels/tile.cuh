// What both directions of attention begin with: tiles of queries and keys, and their scores.
//
// WIDTH and VALUES are the widths of a head's keys and values, ROWS and KEYS the queries and keys
// of a tile; all are fixed at compile time. 16 x 16 threads work on a tile: thread (ty, tx) has the
// rows ty, ty + 16, ... and the columns tx, tx + 16, ... Rows in shared memory are one number
// longer than they need, so that 16 threads that read a column find it in 16 different banks.

#define SIDE 16
#define THREADS (SIDE * SIDE)
#define SHARE(n) (((n) + SIDE - 1) / SIDE)  // of n rows or columns, how many a thread has

struct Layout { long long b, h, t, s; };  // strides in numbers; 0 where an axis is broadcast

// Which scores there are: 0 for what is hidden would be a weight, so it is -inf.
struct Scores {
  const bool* mask;  // of this sequence and head, or null
  const Real* bias;
  Layout of_mask, of_bias;
  long long queries, keys, behind;
  bool causal;
  Real scale;

  __device__ Real operator()(Real dot, long long query, long long key) const {
    if (query >= queries || key >= keys || (causal && key > query + behind)) return -infinity();
    if (mask && !mask[query * of_mask.t + key * of_mask.s]) return -infinity();
    return dot * scale + (bias ? bias[query * of_bias.t + key * of_bias.s] : Real(0));
  }
};

// Rows first ... of a matrix into shared memory, zeros beyond its end.
template <int N, int PADDED>
static inline __device__ void load(Real (&tile)[N][PADDED], const Real* from, long long stride,
                                   long long first, long long end) {
  const int width = PADDED - 1;
  for (int i = threadIdx.x; i < N * width; i += THREADS) {
    long long row = first + i / width;
    tile[i / width][i % width] = row < end ? from[row * stride + i % width] : Real(0);
  }
}

// out = a b^T: products of this thread's rows of a and rows of b.
template <int N, int M, int PADDED, int R, int C>
static inline __device__ void dots(Real (&out)[R][C], const Real (&a)[N][PADDED],
                                   const Real (&b)[M][PADDED]) {
  int tx = threadIdx.x % SIDE, ty = threadIdx.x / SIDE;
  for (int i = 0; i < R; i++)
    for (int j = 0; j < C; j++) out[i][j] = 0;
  for (int e = 0; e < PADDED - 1; e++)
    for (int i = 0; i < R; i++)
      for (int j = 0; j < C; j++)
        if (ty + SIDE * i < N && tx + SIDE * j < M)
          out[i][j] += a[ty + SIDE * i][e] * b[tx + SIDE * j][e];
}

// out += w b: this thread's rows of w, and its columns of b.
template <int N, int M, int PADDED, int R, int C>
static inline __device__ void add_mixed(Real (&out)[R][C], const Real (&w)[N][M + 1],
                                        const Real (&b)[M][PADDED]) {
  int tx = threadIdx.x % SIDE, ty = threadIdx.x / SIDE;
  for (int e = 0; e < M; e++)
    for (int i = 0; i < R; i++)
      for (int j = 0; j < C; j++)
        if (ty + SIDE * i < N && tx + SIDE * j < PADDED - 1)
          out[i][j] += w[ty + SIDE * i][e] * b[e][tx + SIDE * j];
}

// out += w^T b: this thread's columns of w, and its columns of b.
template <int N, int M, int PADDED, int R, int C>
static inline __device__ void add_mixed_back(Real (&out)[R][C], const Real (&w)[N][M + 1],
                                             const Real (&b)[N][PADDED]) {
  int tx = threadIdx.x % SIDE, ty = threadIdx.x / SIDE;
  for (int e = 0; e < N; e++)
    for (int i = 0; i < R; i++)
      for (int j = 0; j < C; j++)
        if (ty + SIDE * i < M && tx + SIDE * j < PADDED - 1)
          out[i][j] += w[e][ty + SIDE * i] * b[e][tx + SIDE * j];
}

// factor times this thread's part of a tile, to rows first ... of one head of (B, T, H, width).
template <int R, int C>
static inline __device__ void store(Real* to, const Real (&tile)[R][C], Real factor,
                                    long long first, long long rows, long long end,
                                    long long stride, int width) {
  int tx = threadIdx.x % SIDE, ty = threadIdx.x / SIDE;
  for (int i = 0; i < R; i++)
    for (int j = 0; j < C; j++) {
      long long row = first + ty + SIDE * i;
      if (ty + SIDE * i < rows && row < end && tx + SIDE * j < width)
        to[row * stride + tx + SIDE * j] = factor * tile[i][j];
    }
}
