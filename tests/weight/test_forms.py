"""The two forms of the equation: windows, evaluations of the residual, derivatives, where they meet."""

from dataclasses import replace

import numpy as np
import pytest

from rbmflow import trained_weight
from rbmflow.weight import forms, solve
from rbmflow.weight.forms import ring_form, ring_strong_form, ring_weak_form, window, window_for


@pytest.fixture
def evaluations(monkeypatch):
    counted = []
    for form in (forms.WeakForm, forms.StrongForm):
        plain = form.residual

        def count(self, W, n_hidden, plain=plain):
            counted.append(W)
            return plain(self, W, n_hidden)

        monkeypatch.setattr(form, "residual", count)
    return counted


@pytest.mark.parametrize("M", [300, 10**4, 10**6])
@pytest.mark.parametrize("K", [1e-30, 1e-6, 0.1, 1.0, 3.0, 6.0, 20.0])
def test_a_root_takes_under_twenty_evaluations(evaluations, M, K):
    assert trained_weight(K, M, M // 2) > 0
    assert 0 < len(evaluations) < 20


@pytest.mark.parametrize(("M", "N"), [(8, 4), (64, 32), (101, 3), (1000, 700)])
@pytest.mark.parametrize("K", [0.9, 1.2, 1.6])
def test_both_forms_have_the_same_root(M, N, K):
    weak, strong = ring_weak_form(K, window(M)), ring_strong_form(K, M)
    # the strong form loses up to M² roundings at K = 0.9
    assert solve.solve_form(weak, N) == pytest.approx(
        solve.solve_form(strong, N), rel=1e-16 * max(100, M**2), abs=0
    )


@pytest.mark.parametrize(("M", "K"), [(10**4, 0.2), (10**5, 1.0), (40_001, 0.05)])
def test_a_window_changes_nothing(M, K):
    view = window_for(M, np.exp(2 * K))
    assert view.first > 0
    assert len(view.values) < M // 4
    N = M // 2
    whole = solve.solve_form(ring_weak_form(K, window(M)), N)
    assert solve.solve_form(ring_weak_form(K, view), N) == pytest.approx(whole, rel=1e-14, abs=0)


def test_a_window_changes_nothing_at_gains_above_one():
    M, K, N = 10**5, 2.8, 1
    view = window_for(M, np.exp(2 * K))
    assert 0 < view.first < M // 2
    W = solve.solve_form(ring_weak_form(K, view), N)
    assert M * N * W * W > 100
    whole = solve.solve_form(ring_weak_form(K, window(M)), N)
    assert whole == pytest.approx(W, rel=2e-15, abs=0)


def test_where_the_strong_form_takes_over():
    # as measured: M/3 + 1 on short rings, 13.5 up to M = 135, M/10 beyond
    assert [forms.strong_from(M) for M in (9, 100, 135, 1000)] == [4, 13.5, 13.5, 100]
    switch = 0.5 * np.log(13.5)
    assert isinstance(ring_form(switch - 1e-9, 100), forms.WeakForm)
    assert isinstance(ring_form(switch + 1e-9, 100), forms.StrongForm)


@pytest.mark.parametrize("form", [ring_weak_form(0.8, window(8)), ring_strong_form(0.8, 8)])
def test_an_error_of_the_data_moves_the_residual_by_no_more_than_it_says(form):
    W, size = trained_weight(0.8, 8, 4), 1e-7
    data = "excess" if isinstance(form, forms.WeakForm) else "interior"
    plain = getattr(form, data)
    # the direction in which r moves most, and random ones
    order = form._order(W) if data == "excess" else form._deficit(W)
    moved = []
    for direction in (order, *np.random.default_rng(1).normal(size=(20, len(order)))):
        other = replace(form, **{data: plain + size * direction / np.linalg.norm(direction)})
        moved.append(abs(other.residual(W, 4) - form.residual(W, 4)))
    bound = form.residual_error(W, size)
    assert max(moved) == pytest.approx(bound, rel=1e-3, abs=0)
    assert moved[0] == max(moved)


@pytest.mark.parametrize(
    ("M", "N", "K"), [(8, 4, 0.3), (8, 4, 2.0), (9, 30, 1.0), (500, 200, 0.5), (500, 2, 4.0)]
)
def test_derivatives_of_the_residual(M, N, K):
    form = ring_form(K, M)
    W = trained_weight(K, M, N)
    h = 1e-5
    by_weight = (form.residual(W * np.exp(h), N) - form.residual(W * np.exp(-h), N)) / (2 * h)
    assert form.sensitivity(W, N) == pytest.approx(by_weight, rel=1e-6, abs=0)
    by_coupling = (ring_form(K - h, M).residual(W, N) - ring_form(K + h, M).residual(W, N)) / (2 * h)
    assert form.response(W) == pytest.approx(by_coupling, rel=1e-6, abs=0)


def test_excess_keeps_relative_precision():
    view = window(20)
    tiny = 1e-25 * view.values**2
    exact = view.free * (tiny - view.free @ tiny)
    np.testing.assert_allclose(forms.excess(tiny, view), exact, rtol=1e-13)
    huge = 50.0 * view.values
    found = forms.excess(huge, view)
    assert found.sum() == pytest.approx(0, abs=1e-15)
    assert (found + view.free)[0] == pytest.approx(1, rel=1e-12, abs=0)


def test_the_cost_of_long_rings_is_at_most_linear():
    # counted, not timed: magnetizations in the window
    lengths = [len(ring_form(0.5, 10**k).view.values) for k in (3, 4, 5, 6, 7)]
    assert (np.diff(np.log10(lengths)) <= 1).all()
    assert lengths[-1] < 10**5
