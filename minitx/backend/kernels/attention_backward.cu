// Attention by tiles, backwards. The weights are made anew from the logarithm of their sum.
//
// With w = exp(score - log) and mean = g . y, which is the sum over keys of w dw,
//   gv = w^T g,   ds = w (g v^T - mean),   gq = ds k scale,   gk = ds^T q scale.
// Two kernels, one that walks along the keys and one along the queries: nobody adds to what
// another block writes, so every run gives the same bits.

// mean[b, h, t] = g . y: a warp a query.
extern "C" __global__ void attention_means(Real* means, const Real* g, const Real* y, Layout of_g,
                                           long long heads, long long queries, long long count) {
  long long at = (long long)blockIdx.x * (blockDim.x / WARP) + threadIdx.x / WARP;
  if (at >= count) return;  // a whole warp, or none of it
  long long t = at % queries, head = at / queries % heads, batch = at / queries / heads;
  g += batch * of_g.b + head * of_g.h + t * of_g.t;
  y += ((batch * queries + t) * heads + head) * VALUES;
  Real sum = 0;
  for (int j = threadIdx.x % WARP; j < VALUES; j += WARP) sum += g[j] * y[j];
  for (int step = WARP / 2; step; step /= 2) sum += __shfl_xor_sync(FULL, sum, step);
  if (threadIdx.x % WARP == 0) means[at] = sum;
}

struct Tile {  // what a block holds of queries, keys, values and cotangents
  Real qs[ROWS][WIDTH + 1], gs[ROWS][VALUES + 1], ks[KEYS][WIDTH + 1], vs[KEYS][VALUES + 1];
  Real ws[ROWS][KEYS + 1], ds[ROWS][KEYS + 1], logs[ROWS], means[ROWS];
};

static inline __device__ void load_rows(Tile& tile, const Real* q, const Real* g, const Real* logs,
                                        const Real* means, Layout of_q, Layout of_g,
                                        long long first, long long end) {
  load(tile.qs, q, of_q.t, first, end);
  load(tile.gs, g, of_g.t, first, end);
  for (int i = threadIdx.x; i < ROWS; i += THREADS) {
    tile.logs[i] = first + i < end ? logs[first + i] : Real(0);
    tile.means[i] = first + i < end ? means[first + i] : Real(0);
  }
}

// Weights and cotangents of the scores, into the tile.
static inline __device__ void weigh(Tile& tile, const Scores& score, long long first,
                                    long long start) {
  int tx = threadIdx.x % SIDE, ty = threadIdx.x / SIDE;
  Real s[SHARE(ROWS)][SHARE(KEYS)], gw[SHARE(ROWS)][SHARE(KEYS)];
  dots<ROWS, KEYS>(s, tile.qs, tile.ks);
  dots<ROWS, KEYS>(gw, tile.gs, tile.vs);
  for (int i = 0; i < SHARE(ROWS); i++)
    for (int j = 0; j < SHARE(KEYS); j++) {
      int row = ty + SIDE * i, column = tx + SIDE * j;
      if (column >= KEYS) continue;
      Real weight = exp(score(s[i][j], first + row, start + column) - tile.logs[row]);
      tile.ws[row][column] = weight;
      tile.ds[row][column] = weight * (gw[i][j] - tile.means[row]);
    }
}

// Cotangents of ROWS queries of one head, and of their bias (B, H, T, S) if g_bias is not null.
extern "C" __global__ void attention_queries(
    Real* gq, Real* g_bias, const Real* g, const Real* logs, const Real* means, const Real* q,
    const Real* k, const Real* v, const bool* mask, const Real* bias, Layout of_g, Layout of_q,
    Layout of_k, Layout of_v, Layout of_mask, Layout of_bias, long long heads, long long queries,
    long long keys, long long causal, double scale) {
  __shared__ Tile tile;
  long long tiles = (queries + ROWS - 1) / ROWS, first = blockIdx.x % tiles * ROWS;
  long long at = blockIdx.x / tiles, head = at % heads, batch = at / heads;
  if (mask) mask += batch * of_mask.b + head * of_mask.h;
  if (bias) bias += batch * of_bias.b + head * of_bias.h;
  if (g_bias) g_bias += at * queries * keys;
  k += batch * of_k.b + head * of_k.h;
  v += batch * of_v.b + head * of_v.h;
  Scores score = {mask, bias, of_mask, of_bias, queries, keys, keys - queries, causal != 0,
                  Real(scale)};
  load_rows(tile, q + batch * of_q.b + head * of_q.h, g + batch * of_g.b + head * of_g.h,
            logs + at * queries, means + at * queries, of_q, of_g, first, queries);
  Real mixed[SHARE(ROWS)][SHARE(WIDTH)];
  for (int i = 0; i < SHARE(ROWS); i++)
    for (int j = 0; j < SHARE(WIDTH); j++) mixed[i][j] = 0;
  long long seen = keys;
  if (causal && first + ROWS + score.behind < seen) seen = first + ROWS + score.behind;
  for (long long start = 0; start < seen; start += KEYS) {
    __syncthreads();
    load(tile.ks, k, of_k.t, start, keys);
    load(tile.vs, v, of_v.t, start, keys);
    __syncthreads();
    weigh(tile, score, first, start);
    __syncthreads();
    add_mixed<ROWS, KEYS>(mixed, tile.ds, tile.ks);
    if (g_bias)
      for (int i = threadIdx.x; i < ROWS * KEYS; i += THREADS) {
        long long query = first + i / KEYS, key = start + i % KEYS;
        if (query < queries && key < keys)
          g_bias[query * keys + key] = tile.ds[i / KEYS][i % KEYS];
      }
  }
  store(gq + (batch * queries * heads + head) * WIDTH, mixed, Real(scale), first, ROWS, queries,
        heads * WIDTH, WIDTH);
}

// Cotangents of KEYS keys of one head and of their values.
extern "C" __global__ void attention_keys(
    Real* gk, Real* gv, const Real* g, const Real* logs, const Real* means, const Real* q,
    const Real* k, const Real* v, const bool* mask, const Real* bias, Layout of_g, Layout of_q,
    Layout of_k, Layout of_v, Layout of_mask, Layout of_bias, long long heads, long long queries,
    long long keys, long long causal, double scale) {
  __shared__ Tile tile;
  long long tiles = (keys + KEYS - 1) / KEYS, start = blockIdx.x % tiles * KEYS;
  long long at = blockIdx.x / tiles, head = at % heads, batch = at / heads;
  if (mask) mask += batch * of_mask.b + head * of_mask.h;
  if (bias) bias += batch * of_bias.b + head * of_bias.h;
  q += batch * of_q.b + head * of_q.h;
  g += batch * of_g.b + head * of_g.h;
  Scores score = {mask, bias, of_mask, of_bias, queries, keys, keys - queries, causal != 0,
                  Real(scale)};
  load(tile.ks, k + batch * of_k.b + head * of_k.h, of_k.t, start, keys);
  load(tile.vs, v + batch * of_v.b + head * of_v.h, of_v.t, start, keys);
  Real mixed_k[SHARE(KEYS)][SHARE(WIDTH)], mixed_v[SHARE(KEYS)][SHARE(VALUES)];
  for (int i = 0; i < SHARE(KEYS); i++) {
    for (int j = 0; j < SHARE(WIDTH); j++) mixed_k[i][j] = 0;
    for (int j = 0; j < SHARE(VALUES); j++) mixed_v[i][j] = 0;
  }
  long long first = causal && start > score.behind ? start - score.behind : 0;  // it hears start
  for (first -= first % ROWS; first < queries; first += ROWS) {
    __syncthreads();
    load_rows(tile, q, g, logs + at * queries, means + at * queries, of_q, of_g, first, queries);
    __syncthreads();
    weigh(tile, score, first, start);
    __syncthreads();
    add_mixed_back<ROWS, KEYS>(mixed_k, tile.ds, tile.qs);
    add_mixed_back<ROWS, KEYS>(mixed_v, tile.ws, tile.gs);
  }
  store(gk + (batch * keys * heads + head) * WIDTH, mixed_k, Real(scale), start, KEYS, keys,
        heads * WIDTH, WIDTH);
  store(gv + (batch * keys * heads + head) * VALUES, mixed_v, Real(1), start, KEYS, keys,
        heads * VALUES, VALUES);
}
