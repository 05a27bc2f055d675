// Attention by tiles, forwards: one block for ROWS queries of one head.
//
// Keys come tile by tile. Each query keeps its greatest score so far, the sum of exp(score - top)
// and the values mixed with these weights; when a greater score comes, both shrink (an online
// softmax). Nothing of the size queries x keys is ever in the device's memory.

extern "C" __global__ void attention(Real* y, Real* logs, const Real* q, const Real* k,
                                     const Real* v, const bool* mask, const Real* bias,
                                     Layout of_q, Layout of_k, Layout of_v, Layout of_mask,
                                     Layout of_bias, long long heads, long long queries,
                                     long long keys, long long causal, double scale) {
  __shared__ Real qs[ROWS][WIDTH + 1], ks[KEYS][WIDTH + 1], vs[KEYS][VALUES + 1];
  __shared__ Real ws[ROWS][KEYS + 1];
  int tx = threadIdx.x % SIDE, ty = threadIdx.x / SIDE;
  long long tiles = (queries + ROWS - 1) / ROWS, first = blockIdx.x % tiles * ROWS;
  long long head = blockIdx.x / tiles % heads, batch = blockIdx.x / tiles / heads;
  if (mask) mask += batch * of_mask.b + head * of_mask.h;
  if (bias) bias += batch * of_bias.b + head * of_bias.h;
  q += batch * of_q.b + head * of_q.h;
  k += batch * of_k.b + head * of_k.h;
  v += batch * of_v.b + head * of_v.h;
  Scores score = {mask, bias, of_mask, of_bias, queries, keys, keys - queries, causal != 0,
                  Real(scale)};
  load(qs, q, of_q.t, first, queries);

  Real top[SHARE(ROWS)], total[SHARE(ROWS)], mixed[SHARE(ROWS)][SHARE(VALUES)];
  for (int i = 0; i < SHARE(ROWS); i++) {
    top[i] = -infinity(), total[i] = 0;
    for (int j = 0; j < SHARE(VALUES); j++) mixed[i][j] = 0;
  }
  long long seen = keys;  // of later keys no query of this tile hears
  if (causal && first + ROWS + score.behind < seen) seen = first + ROWS + score.behind;
  for (long long start = 0; start < seen; start += KEYS) {
    __syncthreads();  // the tile before has been read
    load(ks, k, of_k.t, start, keys);
    load(vs, v, of_v.t, start, keys);
    __syncthreads();
    Real s[SHARE(ROWS)][SHARE(KEYS)];
    dots<ROWS, KEYS>(s, qs, ks);
    for (int i = 0; i < SHARE(ROWS); i++) {
      int row = ty + SIDE * i;
      Real best = top[i], sum = 0;
      for (int j = 0; j < SHARE(KEYS); j++) {
        int column = tx + SIDE * j;
        s[i][j] = column < KEYS ? score(s[i][j], first + row, start + column) : -infinity();
        best = greater(best, s[i][j]);
      }
      for (int step = SIDE / 2; step; step /= 2)  // the 16 threads of a row are half a warp
        best = greater(best, __shfl_xor_sync(FULL, best, step));
      Real shift = best == -infinity() ? Real(0) : best;  // nothing seen yet: no shift
      Real fade = exp(top[i] - shift);
      for (int j = 0; j < SHARE(KEYS); j++) {
        int column = tx + SIDE * j;
        Real weight = exp(s[i][j] - shift);
        sum += weight;
        if (column < KEYS) ws[row][column] = weight;
      }
      for (int step = SIDE / 2; step; step /= 2) sum += __shfl_xor_sync(FULL, sum, step);
      total[i] = total[i] * fade + sum;
      top[i] = best;
      for (int j = 0; j < SHARE(VALUES); j++) mixed[i][j] *= fade;
    }
    __syncthreads();  // the weights are there
    add_mixed<ROWS, KEYS>(mixed, ws, vs);
  }

  for (int i = 0; i < SHARE(ROWS); i++) {
    bool nothing = total[i] == 0;  // a query that may attend to nothing gets zeros
    for (int j = 0; j < SHARE(VALUES); j++) mixed[i][j] /= nothing ? Real(1) : total[i];
    long long query = first + ty + SIDE * i;
    if (tx == 0 && query < queries)
      logs[(batch * heads + head) * queries + query] = nothing ? Real(0) : top[i] + log(total[i]);
  }
  store(y + (batch * queries * heads + head) * VALUES, mixed, Real(1), first, ROWS, queries,
        heads * VALUES, VALUES);
}
