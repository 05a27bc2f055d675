"""The graph: depth without recursion, sweeps that prune and may run side by side, stale leaves."""

import copy
import gc
import pickle
import threading

import numpy as np
import pytest

from minitx import functional as F
from minitx.autograd import Tensor, enable_grad, no_grad
from minitx.autograd.graph import Leaf, Node, fit, reachable, reverse_sweep
from minitx.autograd.primitive import Primitive, fused, primitive
from minitx.autograd.spaces import TABLE, TRACED, raw
from minitx.autograd.transforms import grad, jvp
from tests.autograd.battery import real


def test_a_chain_of_100_000_additions():
    x = Tensor([1.0, 2.0], requires_grad=True)
    y = x
    for _ in range(100_000):
        y = y + x
    assert len(reachable([y.node])) == 100_001
    y.sum().backward()
    assert x.grad.tolist() == [100_001, 100_001]
    _, pushed = jvp(lambda x: chain(x, 20_000), (Tensor([1.0]),), (Tensor([1.0]),))
    assert pushed.tolist() == [20_001]
    del x, y  # freeing a deep graph must not recurse either


def chain(x, length):
    y = x
    for _ in range(length):
        y = y + x
    return y


def living_nodes():
    """By their ``type``: to ask other people's objects for their class may wake them up."""
    return {id(thing) for thing in gc.get_objects() if issubclass(type(thing), Node)}


def test_a_deep_graph_is_freed_at_once_and_leaves_no_cycles():
    gc.collect()
    gc.disable()
    try:
        before = living_nodes()
        x = Tensor([1.0], requires_grad=True)
        loss = F.sum(F.tanh(chain(x, 500)) * F.softmax(x))
        loss.backward()
        grad(lambda x: grad(lambda x: F.sum(x**3))(x).sum())(Tensor([1.0]))
        del loss, x
        assert not living_nodes() - before
    finally:
        gc.enable()


def test_backward_adds_up_and_zeroes_by_hand():
    x = Tensor([1.0, 2.0], requires_grad=True)
    for times in (1, 2, 3):
        (x * x).sum().backward()
        assert x.grad.tolist() == [2 * times, 4 * times]
    x.grad = None
    assert x.grad is None
    (x * 3.0).backward([1.0, 10.0])
    assert x.grad.tolist() == [3, 30]


def test_gradients_belong_to_their_leaf_alone():
    a, b = Tensor([1.0, 2.0], requires_grad=True), Tensor([3.0, 4.0], requires_grad=True)
    seed = np.ones(2, np.float32)
    (a + b).backward(seed)
    a.grad.data[0] = 77  # an optimiser may work in place
    assert b.grad.tolist() == [1, 1]
    assert seed.tolist() == [1, 1]
    (a + b).sum().backward()  # the cotangent of a sum is a read-only view
    assert b.grad.data.flags.writeable
    assert b.grad.tolist() == [2, 2]


def test_a_gradient_without_axes_is_an_array():
    x = Tensor(3.0, requires_grad=True)
    (x * x).backward()
    (x * x).backward()
    assert type(x.grad.data) is np.ndarray
    assert type(grad(lambda x: x * x)(x.detach()).data) is np.ndarray


def test_a_parameter_changed_before_backward_is_an_error():
    x = Tensor([1.0, 2.0], requires_grad=True)
    loss = (x * x).sum()
    twice = F.sum(loss * 2)
    x.assign([5.0, 6.0])
    with pytest.raises(
        RuntimeError, match=r"parameter .*changed in place.*forward computation again"
    ):
        loss.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="changed in place"):
        twice.backward()
    (x * x).sum().backward()
    assert x.grad.tolist() == [10, 12]
    loss = (x * x).sum()
    x.data[0] = 0
    x.changed()  # what was written in place is announced
    with pytest.raises(RuntimeError, match="changed in place"):
        loss.backward()


def test_assign_keeps_shape_dtype_and_gradient():
    x = Tensor([1.0, 2.0], requires_grad=True)
    x.sum().backward()
    source = np.array([3.0, 4.0])
    x.assign(source)
    source[0] = 9
    assert x.tolist() == [3, 4]
    assert x.dtype == np.float32
    assert x.grad.tolist() == [1, 1]
    with pytest.raises(ValueError, match=r"expected shape \(2,\), got \(3,\)"):
        x.assign(np.ones(3))
    with pytest.raises(ValueError, match="only leaves"):
        (x * 2).changed()


def test_a_sweep_computes_only_what_leads_to_a_stop():
    calls = []
    noisy = Primitive("noisy", lambda xp, x: x * 2, lambda F, g, y, x: calls.append(1) or g * 2)
    a, b = real(3), real(3, seed=1)
    b.requires_grad = True
    grad(lambda a: F.sum(a * noisy(b)))(a)
    assert not calls
    grad(lambda a: F.sum(noisy(a) * b))(a)
    assert calls == [1]


def test_a_sweep_writes_nothing_to_the_graph():
    x = Tensor([2.0], requires_grad=True)
    y = F.sum(x * x)
    seed = np.ones((), np.float32)
    for _ in range(2):
        found = reverse_sweep(raw(np), {y.node: seed}, {x.node})
        assert found[x.node].tolist() == [4]
    assert x.grad is None


def test_threads_build_and_sweep_side_by_side():
    shared = Tensor(np.linspace(-1, 1, 7), dtype=np.float64)
    wrong, start = [], threading.Barrier(4)

    def work(seed):
        start.wait()
        for i in range(40):
            w = real(7, seed=1000 * seed + i)
            found = grad(lambda w: F.sum(F.tanh(w * shared) * w))(w).numpy()
            t = np.tanh(w.numpy() * shared.numpy())
            exact = t + w.numpy() * shared.numpy() * (1 - t * t)
            if not np.allclose(found, exact, rtol=1e-12):
                wrong.append((seed, i))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_no_grad_in_one_thread_does_not_reach_another():
    x = Tensor([1.0], requires_grad=True)
    seen, inside, done = [], threading.Event(), threading.Event()

    def other():
        inside.wait(5)
        seen.append((x * 2).requires_grad)
        done.set()

    thread = threading.Thread(target=other)
    thread.start()
    with no_grad():
        inside.set()
        done.wait(5)
        assert not (x * 2).requires_grad
    thread.join()
    assert seen == [True]


def test_no_grad_and_enable_grad():
    x = Tensor([1.0], requires_grad=True)
    with no_grad():
        assert not (x * 2).requires_grad
        with enable_grad():
            assert (x * 2).requires_grad
        assert not (x * 2).requires_grad
        assert grad(lambda x: F.sum(x * x))(x).tolist() == [2]  # grad asks for it
    assert (x * 2).requires_grad
    with pytest.raises(ZeroDivisionError), no_grad():
        1 / 0  # noqa: B018
    assert (x * 2).requires_grad

    @no_grad()
    def evaluate(x):
        return x * 2

    assert not evaluate(x).requires_grad


def test_detach_and_stop_gradient_cut_the_graph():
    x = Tensor([3.0], requires_grad=True)
    (x * x.detach() + F.stop_gradient(x * x)).sum().backward()
    assert x.grad.tolist() == [3]


def test_deepcopy_makes_leaves_of_its_own():
    x = Tensor([1.0, 2.0], requires_grad=True)
    deep = chain(x, 50_000)
    pair = copy.deepcopy({"x": x, "again": x, "deep": deep, "plain": x.detach()})
    assert pair["x"] is pair["again"]
    assert pair["x"].requires_grad and pair["x"] is not x
    assert not pair["deep"].requires_grad and not pair["plain"].requires_grad
    pair["x"].data[0] = 9
    assert x.tolist() == [1, 2]
    assert copy.copy(x).data is x.data
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(x)


@pytest.mark.parametrize(
    ("have", "wanted"),
    [((2, 3), (3,)), ((2, 3), ()), ((2, 3), (1, 3)), ((2, 3), (2, 1)), ((5, 2, 3), (2, 1)),
     ((0, 3), (1, 3)), ((0, 3), (3,)), ((2, 3), (2, 3)), ((4, 1), (1, 1))],
)  # fmt: skip
def test_fit_sums_what_broadcasting_copied(have, wanted):
    node = Leaf(wanted, np.dtype(np.float32))
    cotangent = np.random.default_rng(0).standard_normal(have) + 1j
    got = fit(raw(np), cotangent, node)
    ones = np.ones(wanted)
    expected = np.zeros(wanted)
    for index in np.ndindex(have):  # by the definition: where does each entry come from?
        source = np.broadcast_to(np.arange(ones.size).reshape(wanted), have)[index]
        expected.reshape(-1)[source] += cotangent[index].real
    assert got.shape == wanted
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_a_primitive_of_ones_own():
    cube = Primitive("cube", lambda xp, x: x * x * x, lambda F, g, y, x: g * 3 * x * x,
                     kind="elementwise")  # fmt: skip
    assert grad(lambda x: F.sum(cube(x)))(Tensor([2.0])).tolist() == [12]
    for name in ("add", "softmax"):
        with pytest.raises(ValueError, match=f"already a primitive called '{name}'"):
            primitive(name, lambda xp, x: x, vjp=None)
        with pytest.raises(ValueError, match="already"):
            fused(name, None, None, None)
    with pytest.raises(AttributeError, match="no primitive called 'nonsense'"):
        _ = raw(np).nonsense


def test_a_general_primitive_that_broadcasts_has_a_forward_mode(broadcasting):
    both = Primitive("both", lambda xp, a, b: a * b,
                     (lambda F, g, y, a, b: g * b, lambda F, g, y, a, b: g * a))  # fmt: skip
    a, b = real(3), real(2, 3)
    ta, tb = real(3, seed=1), real(2, 3, seed=2)
    _, got = jvp(both, (a, b), (ta, tb))
    np.testing.assert_allclose(got.numpy(), (ta.data * b.data + a.data * tb.data), rtol=1e-12)


def test_several_outputs_without_axes_are_arrays():
    parts = Primitive("parts", lambda xp, x: (xp.sum(x), xp.max(x)),
                      lambda F, g, y, x: F.zeros_like(x) + g[0], several=True)  # fmt: skip
    outputs = parts(Tensor([1.0, 2.0], requires_grad=True))
    assert all(type(out.data) is np.ndarray for out in outputs)
    assert all(type(out.data) is np.ndarray for out in parts(Tensor([1.0, 2.0])))


def test_rules_may_call_fused_primitives():
    x = np.array([[0.3, -1.2]])
    np.testing.assert_allclose(
        raw(np).softmax(x, axis=1), TABLE["softmax"](Tensor(x, dtype=float), axis=1).numpy()
    )


@pytest.mark.parametrize(
    ("act", "error", "message"),
    [
        (lambda x: (x * 2).backward(), ValueError, r"one entry, got \(2,\)"),
        (lambda x: x.detach().sum().backward(), ValueError, "no leaf with requires_grad"),
        (lambda x: (x * 2).backward([1.0]), ValueError, r"must be \(2,\), got \(1,\)"),
        (lambda x: setattr(x, "grad", Tensor([1.0])), ValueError, r"must be \(2,\), got \(1,\)"),
        (lambda x: setattr(x * 2, "grad", None), ValueError, "only a leaf"),
        (lambda x: setattr(x * 2, "requires_grad", False), ValueError, "leaves only"),
        (lambda x: Tensor([1], requires_grad=True), TypeError, "got int64"),
        (lambda x: x.item(), ValueError, r"one entry, got shape \(2,\)"),
        (lambda x: bool(x), ValueError, "one entry"),
        (lambda x: x.to("gpu"), TypeError, "gpu"),
        (lambda x: x + None, TypeError, "NoneType"),
        (lambda x: x + "1", TypeError, "str"),
        (lambda x: x.__setitem__(0, 1.0), AttributeError, "__setitem__"),
    ],
)
def test_bad_input_is_named(act, error, message):
    with pytest.raises(error, match=message):
        act(Tensor([1.0, 2.0], requires_grad=True))


@pytest.mark.parametrize("kind", ["linear", "elementwise"])
def test_several_outputs_are_of_the_general_kind(kind):
    with pytest.raises(ValueError, match=f"halves: .*'general', got '{kind}'"):
        Primitive("halves", lambda xp, x: (x / 2, x / 2), None, kind=kind, several=True)


def test_a_fused_primitive_that_kept_nothing_says_what_it_would_need():
    x = Tensor([1.0, -2.0], requires_grad=True)
    y = F.gelu(x)  # an ordinary computation: only its derivative is kept
    with pytest.raises(RuntimeError, match=r"gelu_tanh.* inside grad, vjp, jvp or hvp"):
        reverse_sweep(TRACED, {y.node: F.ones_like(y)})
    expected = grad(lambda x: F.sum(F.gelu(x)))(x.detach())
    np.testing.assert_allclose(reverse_sweep(raw(np), {y.node: np.ones(2, np.float32)})[x.node],
                               expected.numpy(), rtol=1e-6)  # fmt: skip
