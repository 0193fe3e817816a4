"""Tables: names that come twice, lengths that differ; means over few repetitions."""

import numpy as np
import pytest

from rbmflow.experiments.repetitions import mean_and_error
from rbmflow.experiments.tables import Table, columns_of, named_columns, tables_of


def test_two_columns_of_one_name_are_refused():
    with pytest.raises(ValueError, match="two columns of a table have the name 'm'"):
        named_columns([("m", [0.5]), ("T", [1.0]), ("m", [2.0])])
    with pytest.raises(ValueError, match="two columns of a table have the name 'a'"):
        columns_of(("a", "a"), [(1, 2)])


def test_rows_and_columns_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="a row has 3 cells, the names are 2: a, b"):
        columns_of(("a", "b"), [(1, 2), (1, 2, 3)])
    with pytest.raises(ValueError, match="T: its columns have different lengths"):
        Table("T", {"a": [1], "b": [1, 2]})


def test_two_tables_of_one_name_are_refused():
    one = {"a": Table("", {"x": [1]})}
    assert tables_of([one, {"b": one["a"]}]).keys() == {"a", "b"}
    with pytest.raises(ValueError, match="two tables have the name 'a'"):
        tables_of([one, one])


@pytest.mark.parametrize(("n", "factor"), [(2, 1.8373), (5, 1.1416), (10, 1.0587)])
def test_intervals_of_few_repetitions_hold_the_mean_as_often_as_they_say(n, factor):
    # factors: quantiles of Student's t at 0.84134, tables of the t distribution
    values = np.random.default_rng(5).normal(size=(n, 40_000))
    mean, error = mean_and_error(values)
    np.testing.assert_allclose(error, factor * values.std(axis=0, ddof=1) / np.sqrt(n), rtol=1e-4)
    share = (np.abs(mean) < error).mean()
    assert abs(share - 0.6827) < 4 * np.sqrt(0.6827 * 0.3173 / 40_000)  # false alarm 6e-5
    assert np.isnan(mean_and_error(values[:1])[1]).all()
