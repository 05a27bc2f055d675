// CUDA for one CPU thread, so that the kernels can be run, and found wrong, without a GPU.
//
// Every thread of a block is a fibre with a stack of its own. Fibres run one at a time, each until
// it comes to a barrier (__syncthreads, or a shuffle within its warp), and wait for all the others.
// Stricter than a GPU where that finds mistakes:
//   - shared memory holds NaN when a block begins;
//   - a thread that leaves while others wait at a barrier is an error, and so is a warp that
//     shuffles without all of its lanes;
//   - the order in which fibres run can be turned round: where a barrier is missing, two orders
//     give two results.
// Blocks run one after another, so what blocks do to each other is not seen.

#include <setjmp.h>
#include <ucontext.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <tuple>
#include <utility>

using std::erf, std::exp, std::log, std::pow, std::sqrt, std::tanh;

struct Index { unsigned x, y, z; };
static Index threadIdx, blockIdx, blockDim, gridDim;

#define __global__
#define __device__
#define __shared__ static __attribute__((section("shared")))
extern char __start_shared[] __attribute__((weak)), __stop_shared[] __attribute__((weak));

namespace emulation {

enum State { READY, AT_BARRIER, IN_SHUFFLE, GONE };
const int MOST = 1024, STACK = 64 << 10;

struct Fibre { ucontext_t context; jmp_buf place; State state; bool begun; char* stack; };

static Fibre fibres[MOST];
static jmp_buf scheduler;
static unsigned long long slots[MOST];
static int count, current;
static const char* mistake;
static void (*body)(void*);
static void* argument;

static void enter() {
  body(argument);
  fibres[current].state = GONE;
  _longjmp(scheduler, 1);
}

__attribute__((noinline)) static void wait(State state) {
  int self = current;
  fibres[self].state = state;
  if (!_setjmp(fibres[self].place)) _longjmp(scheduler, 1);
}

__attribute__((noinline)) static void resume(int i) {
  current = i;
  threadIdx.x = i;
  if (_setjmp(scheduler)) return;
  if (fibres[i].begun) _longjmp(fibres[i].place, 1);
  fibres[i].begun = true;
  getcontext(&fibres[i].context);
  fibres[i].context.uc_stack.ss_sp = fibres[i].stack;
  fibres[i].context.uc_stack.ss_size = STACK;
  makecontext(&fibres[i].context, enter, 0);
  setcontext(&fibres[i].context);
}

static bool release(State state, int from, int to) {  // if all of these have come, let them go on
  for (int i = from; i < to; i++)
    if (fibres[i].state != state) return false;
  for (int i = from; i < to; i++) fibres[i].state = READY;
  return true;
}

static void run_block(bool backwards) {
  if (__start_shared) memset(__start_shared, 0xff, __stop_shared - __start_shared);
  for (int i = 0; i < count; i++) {
    if (!fibres[i].stack) fibres[i].stack = (char*)malloc(STACK);
    fibres[i].state = READY, fibres[i].begun = false;
  }
  for (;;) {
    bool moved = false;
    int waiting = 0, gone = 0;
    for (int n = 0; n < count; n++) {
      int i = backwards ? count - 1 - n : n;
      if (fibres[i].state == READY) resume(i), moved = true;
      gone += fibres[i].state == GONE, waiting += fibres[i].state == AT_BARRIER;
    }
    for (int i = 0; i < count; i += 32) moved |= release(IN_SHUFFLE, i, i + 32);
    moved |= release(AT_BARRIER, 0, count);
    if (gone == count) return;
    if (moved) continue;
    mistake = waiting && gone ? "a thread left while others wait at a barrier"
                              : "threads of a warp or a block wait for others that never come";
    return;
  }
}

// Every block of the grid; 0, or what went wrong. Arguments are pointers to the kernel's arguments.
template <class... A, std::size_t... I>
static const char* run(void (*kernel)(A...), void** given, const unsigned* shape, bool backwards,
                       std::index_sequence<I...>) {
  auto call = [&] { kernel(*(A*)given[I]...); };
  body = [](void* it) { (*(decltype(call)*)it)(); };
  argument = &call;
  mistake = nullptr;
  gridDim = {shape[0], shape[1], 1}, blockDim = {shape[2], 1, 1};
  count = shape[2];
  if (count % 32 || count > MOST) return "a block must have a multiple of 32 threads, at most 1024";
  for (blockIdx.y = 0; blockIdx.y < gridDim.y && !mistake; blockIdx.y++)
    for (blockIdx.x = 0; blockIdx.x < gridDim.x && !mistake; blockIdx.x++) run_block(backwards);
  return mistake;
}

template <class... A>
static const char* launch(void (*kernel)(A...), void** given, int arguments, const unsigned* shape,
                          bool backwards) {
  if (arguments != sizeof...(A)) return "the kernel was given another number of arguments";
  return run(kernel, given, shape, backwards, std::index_sequence_for<A...>());
}

}  // namespace emulation

static void __syncthreads() { emulation::wait(emulation::AT_BARRIER); }

template <class T>
static T __shfl_xor_sync(unsigned mask, T x, int step) {
  using namespace emulation;
  if (mask != 0xffffffffu) mistake = "a shuffle without all lanes";
  int self = current;
  memcpy(&slots[self], &x, sizeof x);
  wait(IN_SHUFFLE);
  memcpy(&x, &slots[self ^ step], sizeof x);
  wait(IN_SHUFFLE);
  return x;
}
