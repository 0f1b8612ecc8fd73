"""The tests tested: each line of the table breaks an idea in the source, and names the test that must notice.

A mutation is applied to the source of a module, the result runs in the place of the original, and the named test is
called; it must fail, by an assertion or by an error that did not come, and must pass without the mutation.
"""

import contextlib
import functools
import importlib
import importlib.util
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
SAMPLE = "bnutils.sample"
NORM, NORM_TESTS = "bnutils.scratch.norm", "scratch/test_norm.py"
RUNNING, RUNNING_TESTS = "bnutils.scratch.running", "scratch/test_running.py"
CHECK, CHECK_TESTS = "bnutils.scratch.gradcheck", "scratch/test_gradcheck.py"
LAYERS, LAYERS_TESTS = "bnutils.scratch.layers", "scratch/test_layers.py"
CONV, CONV_TESTS = "bnutils.scratch.convolution", "scratch/test_convolution.py"
FAMILY, FAMILY_TESTS = "bnutils.scratch.family", "scratch/test_family.py"
NETWORK, NETWORK_TESTS = "bnutils.scratch.network", "scratch/test_network.py"
TRAINING, TRAINING_TESTS = "bnutils.scratch.training", "scratch/test_training.py"
ENGINE, EXERCISES_TESTS = "bnutils.exercises.engine", "exercises/test_chapters.py"
SHRINK = "return dy - dy.mean(axis, keepdims=True) - x_hat * (dy * x_hat).mean(axis, keepdims=True)"

MUTATIONS = {  # name: module, old text, new text, test file, test, its arguments
    # the transform
    "variance over N - 1": (
        NORM,
        "np.square(centred).mean(axis, keepdims=True)",
        "x.var(axis, keepdims=True, ddof=1)",
        NORM_TESTS,
        "test_variance_of_the_normalised_is_v_over_v_plus_eps",
    ),
    "eps outside the root": (
        NORM,
        "return np.sqrt(var + eps)",
        "return np.sqrt(var) + eps",
        NORM_TESTS,
        "test_variance_of_the_normalised_is_v_over_v_plus_eps",
    ),
    "eps forgotten": (
        NORM,
        "return np.sqrt(var + eps)",
        "return np.sqrt(var)",
        NORM_TESTS,
        "test_units_of_the_input_do_not_matter_when_eps_follows",
    ),
    "eps in the units of x": (
        NORM,
        "return np.sqrt(var + eps)",
        "return np.sqrt(var + eps**2)",
        NORM_TESTS,
        "test_units_of_the_input_do_not_matter_when_eps_follows",
    ),
    "variance in a single pass": (
        NORM,
        "np.square(centred).mean(axis, keepdims=True)",
        "np.maximum(np.square(x).mean(axis, keepdims=True) - mean**2, 0)",
        NORM_TESTS,
        "test_float32_stays_accurate_at_a_mean_of_ten_thousand",
    ),
    "statistics over all axes": (
        NORM,
        "mean = x.mean(axis, keepdims=True)  ",
        "mean = x.mean(keepdims=True)  ",
        NORM_TESTS,
        "test_variance_of_the_normalised_is_v_over_v_plus_eps",
    ),
    "statistics of the image, not of the channel": (
        NORM,
        "mean, var = moments(x, axis)",
        "mean, var = moments(x, (1, 2, 3) if x.ndim == 4 else axis)",
        NORM_TESTS,
        "test_images_have_one_pair_of_statistics_a_channel",
    ),
    "mean not subtracted": (
        NORM,
        "x_hat = (x - mean) / _root(var, eps)",
        "x_hat = x / _root(var, eps)",
        NORM_TESTS,
        "test_equals_pytorch_over_any_shape_and_axis_set",
    ),
    "gamma and beta swapped": (
        NORM,
        "y = np.expand_dims(gamma, axis) * x_hat + np.expand_dims(beta, axis)",
        "y = np.expand_dims(beta, axis) * x_hat + np.expand_dims(gamma, axis)",
        NORM_TESTS,
        "test_scale_and_shift_are_the_new_standard_deviation_and_mean",
    ),
    "gamma along the last axis, whatever the axis set": (
        NORM,
        "y = np.expand_dims(gamma, axis) * x_hat",
        "y = gamma * x_hat",
        NORM_TESTS,
        "test_images_have_one_pair_of_statistics_a_channel",
    ),
    "float32 in, float64 out": (
        NORM,
        "np.asarray(array, dtype=x.dtype)",
        "np.asarray(array)",
        NORM_TESTS,
        "test_output_has_the_dtype_of_the_input",
        "float32",
    ),
    "a float64 eps decides the dtype": (
        NORM,
        "eps = var.dtype.type(eps)",
        "eps = eps",
        NORM_TESTS,
        "test_output_has_the_dtype_of_the_input",
        "float32",
    ),
    "centred in place": (
        NORM,
        "centred = x - mean  ",
        "centred = x; centred -= mean  ",
        NORM_TESTS,
        "test_inputs_are_left_as_they_were",
    ),
    "inference shifts before it scales": (
        NORM,
        "return gamma * (x - mean) / _root(var, eps) + beta",
        "return gamma * ((x - mean) / _root(var, eps) + beta)",
        NORM_TESTS,
        "test_the_two_modes_agree_when_given_the_statistics_of_the_batch",
    ),
    "inference takes the statistics of the batch": (
        NORM,
        "return gamma * (x - mean) / _root(var, eps) + beta",
        "return gamma * (x - x.mean(0)) / _root(var, eps) + beta",
        NORM_TESTS,
        "test_inference_treats_every_example_alone",
    ),
    # its gradient
    "no path through the mean": (
        NORM,
        SHRINK,
        "return dy - x_hat * (dy * x_hat).mean(axis, keepdims=True)",
        NORM_TESTS,
        "test_gradient_ignores_the_mean_of_the_batch",
    ),
    "no path through the variance": (
        NORM,
        SHRINK,
        "return dy - dy.mean(axis, keepdims=True)",
        NORM_TESTS,
        "test_gradient_along_x_hat_is_shrunk_to_eps_over_var_plus_eps",
    ),
    "the statistics as constants": (
        NORM,
        SHRINK,
        "return dy",
        NORM_TESTS,
        "test_one_line_equals_pytorch_over_any_shape_and_axis_set",
    ),
    "x_hat term with the other sign": (
        NORM,
        SHRINK,
        SHRINK.replace("- x_hat", "+ x_hat"),
        NORM_TESTS,
        "test_two_values_leave_an_eps_residue_of_the_gradient",
    ),
    "gradient with N - 1": (
        NORM,
        SHRINK,
        SHRINK.replace(
            "(dy * x_hat).mean(axis, keepdims=True)",
            "(dy * x_hat).sum(axis, keepdims=True) / (dy.size / dy.sum(axis).size - 1)",
        ),
        NORM_TESTS,
        "test_gradient_along_x_hat_is_shrunk_to_eps_over_var_plus_eps",
    ),
    "gradient with sums for means": (
        NORM,
        SHRINK,
        SHRINK.replace(".mean(", ".sum("),
        NORM_TESTS,
        "test_gradient_of_images_equals_pytorch",
    ),
    "means over the batch axis only": (
        NORM,
        SHRINK,
        "return dy - dy.mean(0, keepdims=True) - x_hat * (dy * x_hat).mean(0, keepdims=True)",
        NORM_TESTS,
        "test_gradient_of_images_equals_pytorch",
    ),
    "dgamma and dbeta swapped": (
        NORM,
        "return dx, (dy * x_hat).sum(axis), dy.sum(axis)",
        "return dx, dy.sum(axis), (dy * x_hat).sum(axis)",
        NORM_TESTS,
        "test_one_line_equals_pytorch_over_any_shape_and_axis_set",
    ),
    "dgamma as a mean": (
        NORM,
        "return dx, (dy * x_hat).sum(axis)",
        "return dx, (dy * x_hat).mean(axis)",
        NORM_TESTS,
        "test_gradient_of_images_equals_pytorch",
    ),
    "gamma left out of the gradient": (
        NORM,
        "dx = np.expand_dims(gamma, axis) / _root(var, eps)",
        "dx = 1 / _root(var, eps)",
        NORM_TESTS,
        "test_gradient_of_the_other_directions_is_only_scaled",
    ),
    "eps left out of the gradient": (
        NORM,
        "dx = np.expand_dims(gamma, axis) / _root(var, eps)",
        "dx = np.expand_dims(gamma, axis) / np.sqrt(var)",
        NORM_TESTS,
        "test_gradient_of_the_other_directions_is_only_scaled",
    ),
    "a node used twice gets one gradient": (
        NORM,
        'd["centred"] = d["x_hat"] * nodes["inv_std"] + d["squared"] * 2 * nodes["centred"]',
        'd["centred"] = d["x_hat"] * nodes["inv_std"]',
        NORM_TESTS,
        "test_gradient_at_every_node_equals_autograd",
    ),
    "x without its share in the mean": (
        NORM,
        'd["x"] = d["centred"] + d["mean"] / count',
        'd["x"] = d["centred"]',
        NORM_TESTS,
        "test_gradient_at_every_node_equals_autograd",
    ),
    "the mean's gradient not shared out": (
        NORM,
        'd["x"] = d["centred"] + d["mean"] / count',
        'd["x"] = d["centred"] + d["mean"]',
        NORM_TESTS,
        "test_gradient_at_every_node_equals_autograd",
    ),
    "half of the root forgotten": (
        NORM,
        'd["var"] = d["std"] / (2 * nodes["std"])',
        'd["var"] = d["std"] / nodes["std"]',
        NORM_TESTS,
        "test_gradient_at_every_node_equals_autograd",
    ),
    "Jacobian with N - 1": (
        NORM,
        "np.outer(x_hat, x_hat) / n)",
        "np.outer(x_hat, x_hat) / (n - 1))",
        NORM_TESTS,
        "test_jacobian_equals_autograd_and_has_the_predicted_eigenvalues",
        0.5,
    ),
    "Jacobian as a projection": (
        NORM,
        "np.outer(x_hat, x_hat) / n)",
        "np.outer(x_hat, x_hat) / (x_hat @ x_hat))",
        NORM_TESTS,
        "test_jacobian_equals_autograd_and_has_the_predicted_eigenvalues",
        0.5,
    ),
    "Jacobian not divided by the root": (
        NORM,
        "np.outer(x_hat, x_hat) / n) / _root(var, eps)",
        "np.outer(x_hat, x_hat) / n)",
        NORM_TESTS,
        "test_the_same_matrix_moves_inputs_forward_and_gradients_back",
    ),
    "second order without the change of the root": (
        NORM,
        "(x_hat * along_x_hat + p_ddx * along_ddx + p_dy * along_dy)",
        "(p_ddx * along_ddx + p_dy * along_dy)",
        NORM_TESTS,
        "test_second_order_equals_autograd_over_any_shape_and_axis_set",
    ),
    "second order with x_hat as a constant": (
        NORM,
        "(x_hat * along_x_hat + p_ddx * along_ddx + p_dy * along_dy)",
        "(x_hat * along_x_hat)",
        NORM_TESTS,
        "test_second_order_equals_autograd_over_any_shape_and_axis_set",
    ),
    "second order of x_hat counted once": (
        NORM,
        "(x_hat * along_x_hat + p_ddx * along_ddx + p_dy * along_dy)",
        "(x_hat * along_x_hat + p_ddx * along_ddx)",
        NORM_TESTS,
        "test_second_order_equals_autograd_over_any_shape_and_axis_set",
    ),
    "second order of gamma not divided by the root": (
        NORM,
        "(ddx * p_dy / std).sum(axis)",
        "(ddx * p_dy).sum(axis)",
        NORM_TESTS,
        "test_second_order_equals_autograd_over_any_shape_and_axis_set",
    ),
    # gradient checks
    "one-sided differences": (
        CHECK,
        "below[index] -= h",
        "below[index] -= 0",
        CHECK_TESTS,
        "test_central_differences_are_exact_for_a_square",
    ),
    "upstream gradient of ones": (
        CHECK,
        "return float((dy * y).sum())",
        "return float(y.sum())",
        CHECK_TESTS,
        "test_every_output_counts_with_its_upstream_gradient",
    ),
    "divided by the step asked for": (
        CHECK,
        "(_loss(f, above, dy) - _loss(f, below, dy)) / step",
        "(_loss(f, above, dy) - _loss(f, below, dy)) / (2 * h)",
        CHECK_TESTS,
        "test_the_step_is_divided_by_as_it_came_out",
    ),
    "x moved in place": (
        CHECK,
        "above, below = x.copy(), x.copy()",
        "above, below = x, x.copy()",
        CHECK_TESTS,
        "test_the_function_gets_copies",
    ),
    "upstream gradient drawn like a batch": (
        CHECK,
        "np.random.default_rng((STREAM, seed))",
        "np.random.default_rng(seed)",
        CHECK_TESTS,
        "test_the_upstream_gradient_is_not_what_the_same_seed_would_draw_as_a_batch",
    ),
    "only the first input checked": (
        CHECK,
        "math.nan if any(map(math.isnan, errors)) else max(errors)",
        "errors[0]",
        CHECK_TESTS,
        "test_a_wrong_gradient_fails",
        "only the last input",
    ),
    "the smallest error reported": (
        CHECK,
        "else max(errors)",
        "else min(errors)",
        CHECK_TESTS,
        "test_a_wrong_gradient_fails",
        "zeros",
    ),
    "error over the given gradient only": (
        CHECK,
        "largest = max(np.abs(given).max(initial=0), np.abs(expected).max(initial=0))",
        "largest = np.abs(given).max(initial=0)",
        CHECK_TESTS,
        "test_relative_error",
        (2.0, 1.0),
        (4.0, 1.0),
        0.5,
    ),
    "rounding errors of dy over y": (
        CHECK,
        "np.abs(dy * y).sum() / h",
        "np.abs(dy / y).sum() / h",
        CHECK_TESTS,
        "test_a_slope_beside_outputs_so_large_that_their_rounding_hides_it_is_refused",
    ),
    # what an example is worth
    "effective positions, upside down": (
        NORM,
        "np.squeeze(total / between, both)",
        "np.squeeze(between / total, both)",
        NORM_TESTS,
        "test_what_an_example_is_worth_at_the_ends",
    ),
    "effective positions, of standard deviations": (
        NORM,
        "np.squeeze(total / between, both)",
        "np.squeeze(np.sqrt(total / between), both)",
        NORM_TESTS,
        "test_positions_are_worth_what_their_correlation_says",
    ),
    "effective positions, the variance within": (
        NORM,
        "np.squeeze(total / between, both)",
        "np.squeeze(total / between - 1, both)",
        NORM_TESTS,
        "test_the_mean_of_a_batch_scatters_by_the_effective_number_of_its_positions",
    ),
    # layers
    "bias forgotten": (LAYERS, "        y += bias", "        pass", LAYERS_TESTS, "test_linear_equals_pytorch"),
    "gradient of the weights as a mean": (
        LAYERS,
        "dweight = dy.T @ x ",
        "dweight = dy.T @ x / len(x) ",
        LAYERS_TESTS,
        "test_linear_equals_pytorch",
    ),
    "gradient of the bias as a mean": (
        LAYERS,
        "else dy.sum(0)",
        "else dy.mean(0)",
        LAYERS_TESTS,
        "test_gradients_against_finite_differences",
    ),
    "bias added in place": (
        LAYERS,
        "        y += bias",
        "        bias += 1; y += bias - 1",
        LAYERS_TESTS,
        "test_inputs_and_caches_are_left_as_they_were",
    ),
    "ReLU cuts the gradient by its own sign": (
        LAYERS,
        "np.where(y <= 0, 0, _upstream(dy, y))",
        "np.where(_upstream(dy, y) <= 0, 0, dy)",
        LAYERS_TESTS,
        "test_entrywise_layers_equal_pytorch",
        "relu",
    ),
    "ReLU passes the gradient at its corner": (
        LAYERS,
        "np.where(y <= 0, 0, _upstream(dy, y))",
        "np.where(y < 0, 0, _upstream(dy, y))",
        LAYERS_TESTS,
        "test_entrywise_layers_equal_pytorch",
        "relu",
    ),
    "sigmoid that overflows": (
        LAYERS,
        "np.where(x >= 0, 1, e) / (1 + e)",
        "1 / (1 + np.exp(-x))",
        LAYERS_TESTS,
        "test_sigmoid_and_cross_entropy_do_not_overflow",
    ),
    "slope of the sigmoid without y": (
        LAYERS,
        "_upstream(dy, y) * y * (1 - y)",
        "_upstream(dy, y) * (1 - y)",
        LAYERS_TESTS,
        "test_entrywise_layers_equal_pytorch",
        "sigmoid",
    ),
    "slope of tanh without the square": (
        LAYERS,
        "(1 - np.square(y))",
        "(1 - y)",
        LAYERS_TESTS,
        "test_entrywise_layers_equal_pytorch",
        "tanh",
    ),
    "softmax without the largest score taken out": (
        LAYERS,
        "shifted = scores - scores.max(1, keepdims=True)",
        "shifted = scores",
        LAYERS_TESTS,
        "test_sigmoid_and_cross_entropy_do_not_overflow",
    ),
    "the largest score of the batch, not of the row": (
        LAYERS,
        "scores.max(1, keepdims=True)",
        "scores.max()",
        LAYERS_TESTS,
        "test_sigmoid_and_cross_entropy_do_not_overflow",
    ),
    "loss as a sum": (LAYERS, "labels].mean()", "labels].sum()", LAYERS_TESTS, "test_loss_is_a_mean_over_the_batch"),
    "gradient of the loss as of a sum": (
        LAYERS,
        "return dscores / len(labels)",
        "return dscores",
        LAYERS_TESTS,
        "test_loss_is_a_mean_over_the_batch",
    ),
    "gradient of the loss without the right class": (
        LAYERS,
        "labels] -= 1",
        "labels] -= 0",
        LAYERS_TESTS,
        "test_a_constant_added_to_the_scores_changes_nothing",
    ),
    "softmax changed in the cache": (
        LAYERS,
        "dscores = np.exp(log_p)",
        "dscores = np.exp(log_p, out=log_p)",
        LAYERS_TESTS,
        "test_inputs_and_caches_are_left_as_they_were",
    ),
    # convolution
    "kernel flipped": (
        CONV,
        "y = weight.reshape(outputs, -1)",
        "y = weight[:, :, ::-1, ::-1].reshape(outputs, -1)",
        CONV_TESTS,
        "test_convolution_is_the_formula_in_its_docstring",
    ),
    "kernel transposed": (
        CONV,
        "patches.transpose(0, 4, 5, 1, 2, 3)",
        "patches.transpose(0, 5, 4, 1, 2, 3)",
        CONV_TESTS,
        "test_convolution_is_the_formula_in_its_docstring",
    ),
    "channels last in a patch, first in the kernel": (
        CONV,
        "patches.transpose(0, 4, 5, 1, 2, 3)",
        "patches.transpose(4, 5, 0, 1, 2, 3)",
        CONV_TESTS,
        "test_convolution_is_the_formula_in_its_docstring",
    ),
    "bias of a convolution forgotten": (
        CONV,
        "        y += bias[:, None]",
        "        pass",
        CONV_TESTS,
        "test_a_kernel_of_one_pixel_is_a_linear_layer_on_every_pixel",
    ),
    "gradient of a convolution's bias as a mean": (
        CONV,
        "else dy.sum(1)",
        "else dy.mean(1)",
        CONV_TESTS,
        "test_gradients_against_finite_differences",
        "NCHW",
    ),
    "a pixel in several patches gets one gradient": (
        CONV,
        "] += patches[:, a, b]",
        "] = patches[:, a, b]",
        CONV_TESTS,
        "test_gradients_against_finite_differences",
        "NHWC",
    ),
    "patches put back upside down": (
        CONV,
        "] += patches[:, a, b]",
        "] += patches[:, kh - 1 - a, b]",
        CONV_TESTS,
        "test_convolution_equals_pytorch",
    ),
    "rows and columns swapped where channels are last": (
        CONV,
        '"NHWC": (1, 2, 3, 0)}',
        '"NHWC": (1, 3, 2, 0)}',
        CONV_TESTS,
        "test_convolution_equals_pytorch",
    ),
    "every largest pixel gets the gradient": (
        CONV,
        "largest = waiting & ~(corner < y)",
        "largest = ~(corner < y)",
        CONV_TESTS,
        "test_the_first_of_equal_pixels_gets_all_of_the_gradient",
    ),
    "the last of equal pixels gets the gradient": (
        CONV,
        "in zip(_corners(x, size), _corners(dx, size)):",
        "in reversed(list(zip(_corners(x, size), _corners(dx, size)))):",
        CONV_TESTS,
        "test_the_first_of_equal_pixels_gets_all_of_the_gradient",
    ),
    "a pixel that is not a number loses the gradient": (
        CONV,
        "largest = waiting & ~(corner < y)",
        "largest = waiting & (corner == y)",
        CONV_TESTS,
        "test_a_nan_spoils_its_own_square_and_is_not_hidden",
    ),
    "the average's gradient not shared out": (
        CONV,
        "dcorner[...] = dy / size**2",
        "dcorner[...] = dy",
        CONV_TESTS,
        "test_pooling_equals_pytorch",
        "average_pool2d",
    ),
    "the global average's gradient not shared out": (
        CONV,
        " / (shape[2] * shape[3])",
        "",
        CONV_TESTS,
        "test_global_average_equals_pytorch",
    ),
    "a square that fits one side only": (
        CONV,
        "not 1 <= size <= min(x.shape[2:])",
        "not 1 <= size <= max(x.shape[2:])",
        CONV_TESTS,
        "test_a_square_must_fit_the_shorter_side",
        4,
        9,
    ),
    # the family
    "a relative without the mean's path": (
        FAMILY,
        "_shrink(gamma * dy, x_hat, axis) / root",
        "(gamma * dy - x_hat * (gamma * dy * x_hat).mean(axis, keepdims=True)) / root",
        FAMILY_TESTS,
        "test_layer_and_rms_norm_equal_pytorch",
    ),
    "a relative without the variance's path": (
        FAMILY,
        "_shrink(gamma * dy, x_hat, axis) / root",
        "(gamma * dy - (gamma * dy).mean(axis, keepdims=True)) / root",
        FAMILY_TESTS,
        "test_group_norm_equals_pytorch",
    ),
    "gamma outside, as if all that share statistics shared it": (
        FAMILY,
        "_shrink(gamma * dy, x_hat, axis) / root",
        "gamma * _shrink(dy, x_hat, axis) / root",
        FAMILY_TESTS,
        "test_gradients_against_finite_differences",
        "layer",
    ),
    "statistics over the batch too": (
        FAMILY,
        "norm.moments(x, axis)",
        "norm.moments(x, (0, *axis))",
        FAMILY_TESTS,
        "test_every_example_is_treated_alone",
        "group",
    ),
    "RMS with a mean": (
        FAMILY,
        "x_hat = x / root",
        "x_hat = (x - x.mean(axis, keepdims=True)) / root",
        FAMILY_TESTS,
        "test_layer_and_rms_norm_equal_pytorch",
    ),
    "RMS as a constant": (
        FAMILY,
        "(g - x_hat * (g * x_hat).mean(axis, keepdims=True)) / root",
        "g / root",
        FAMILY_TESTS,
        "test_gradients_against_finite_differences",
        "rms",
    ),
    "RMS loses the mean of the gradient": (
        FAMILY,
        "    g = gamma * dy\n",
        "    g = gamma * dy\n    g = g - g.mean(axis, keepdims=True)\n",
        FAMILY_TESTS,
        "test_gradients_against_finite_differences",
        "rms",
    ),
    # networks
    "a convolutional network with the statistics of each image": (
        NORM,
        "mean, var = moments(x, axis)",
        "mean, var = moments(x, (1, 2, 3) if x.ndim == 4 else axis)",
        NETWORK_TESTS,
        "test_weights_before_a_batch_normalization_have_no_scale",
    ),
    "a convolutional network with the statistics of each place": (
        NORM,
        "mean, var = moments(x, axis)",
        "mean, var = moments(x, 0)",
        NETWORK_TESTS,
        "test_a_network_equals_pytorch",
    ),
    "gradients pile up": (
        NETWORK,
        "{name: value for name, value in zip(self._names, rest)",
        "{name: value + self.gradients.get(name, 0) for name, value in zip(self._names, rest)",
        NETWORK_TESTS,
        "test_gradients_are_those_of_the_last_backward_pass",
    ),
    "parameters handed out as copies": (
        NETWORK,
        "{name: getattr(self, name) for",
        "{name: getattr(self, name).copy() for",
        NETWORK_TESTS,
        "test_parameters_are_the_arrays_themselves",
    ),
    "weights from chance": (
        NETWORK,
        "weight = rng.normal(",
        "weight = np.random.default_rng().normal(",
        NETWORK_TESTS,
        "test_the_same_seed_gives_the_same_bits",
        "dense",
    ),
    "one network for every seed": (
        NETWORK,
        "weight = rng.normal(",
        "weight = np.random.default_rng(0).normal(",
        NETWORK_TESTS,
        "test_the_same_seed_gives_the_same_bits",
        "convolutional",
    ),
    "scale whatever the number of inputs": (
        NETWORK,
        "std = scale / math.sqrt(math.prod(shape[1:]))",
        "std = scale",
        NETWORK_TESTS,
        "test_scale_is_the_standard_deviation_of_the_output",
    ),
    "scale by the number of outputs": (
        NETWORK,
        "math.prod(shape[1:])",
        "shape[0]",
        NETWORK_TESTS,
        "test_scale_is_the_standard_deviation_of_the_output",
    ),
    "inference as in training": (
        NETWORK,
        "x = layer.forward(x, training)",
        "x = layer.forward(x, True)",
        TRAINING_TESTS,
        "test_accuracy_leaves_the_network_as_it_was",
    ),
    # training
    "momentum reversed": (
        TRAINING,
        "self.momentum * self.velocity.get(name, 0) + g",
        "self.velocity.get(name, 0) + self.momentum * g",
        TRAINING_TESTS,
        "test_the_rule_equals_that_of_pytorch",
        0.9,
        0.0,
    ),
    "the first velocity damped": (
        TRAINING,
        "self.velocity.get(name, 0) + g",
        "self.velocity.get(name, 0) + (1 - self.momentum) * g",
        TRAINING_TESTS,
        "test_the_first_step_is_that_without_momentum",
    ),
    "the velocity forgotten": (
        TRAINING,
        "self.momentum * self.velocity.get(name, 0) + g",
        "g",
        TRAINING_TESTS,
        "test_steps_in_one_direction_add_up",
    ),
    "the learning rate inside the velocity": (
        TRAINING,
        "self.velocity.get(name, 0) + g\n            w -= self.lr * self.velocity[name]",
        "self.velocity.get(name, 0) + self.lr * g\n            w -= self.velocity[name]",
        TRAINING_TESTS,
        "test_the_rule_equals_that_of_pytorch",
        0.9,
        0.0,
    ),
    "weight decay forgotten": (
        TRAINING,
        "g = gradients[name] + self.weight_decay * w",
        "g = gradients[name]",
        TRAINING_TESTS,
        "test_weight_decay_alone_shrinks_by_a_constant_factor",
    ),
    "weight decay beside the velocity": (
        TRAINING,
        "g = gradients[name] + self.weight_decay * w",
        "g = gradients[name]; w *= 1 - self.lr * self.weight_decay",
        TRAINING_TESTS,
        "test_twenty_steps_equal_those_of_pytorch",
        "dense",
        0.9,
        5e-3,
    ),
    "a step uphill": (
        TRAINING,
        "w -= self.lr",
        "w += self.lr",
        TRAINING_TESTS,
        "test_twenty_steps_equal_those_of_pytorch",
        "convolutional",
        0.0,
        0.0,
    ),
    "a step that does not arrive": (
        TRAINING,
        "w -= self.lr * self.velocity[name]",
        "w = w - self.lr * self.velocity[name]",
        TRAINING_TESTS,
        "test_the_first_step_is_that_without_momentum",
    ),
    "batches not shuffled": (
        TRAINING,
        "rng.permutation(len(x))",
        "np.arange(len(x))",
        TRAINING_TESTS,
        "test_an_epoch_has_every_example_once_with_its_own_label",
        False,
        (4, 4, 2),
    ),
    "batches with the labels of others": (
        TRAINING,
        "(x[rows], y[rows])",
        "(x[rows], y[np.sort(rows)])",
        TRAINING_TESTS,
        "test_an_epoch_has_every_example_once_with_its_own_label",
        True,
        (4, 4),
    ),
    "the last batch always dropped": (
        TRAINING,
        "size if drop_last else len(x)",
        "size",
        TRAINING_TESTS,
        "test_an_epoch_has_every_example_once_with_its_own_label",
        False,
        (4, 4, 2),
    ),
    "the order of the batches from chance": (
        TRAINING,
        "rng.permutation(len(x))",
        "np.random.default_rng().permutation(len(x))",
        TRAINING_TESTS,
        "test_every_epoch_has_an_order_of_its_own_and_a_seed_names_it",
    ),
    "accuracy in training mode": (
        TRAINING,
        "network.forward(x, training=False)",
        "network.forward(x, training=True)",
        TRAINING_TESTS,
        "test_accuracy_leaves_the_network_as_it_was",
    ),
    "a loss recorded before it is looked at": (
        TRAINING,
        "        if not np.isfinite(loss):",
        "        history.loss.append(float(loss))\n        if not np.isfinite(loss):",
        TRAINING_TESTS,
        "test_a_loss_that_is_not_finite_stops_the_training_and_says_when",
    ),
    # its noise
    "noise of the mean as 1/n": (
        NORM,
        "return sigma / math.sqrt(n)",
        "return sigma / n",
        NORM_TESTS,
        "test_laws_equal_a_simulation",
        3,
    ),
    "c with one degree of freedom too many": (
        NORM,
        "math.lgamma(n / 2) - math.lgamma((n - 1) / 2)",
        "math.lgamma((n + 1) / 2) - math.lgamma(n / 2)",
        NORM_TESTS,
        "test_exact_laws_equal_an_integral_over_the_chi_density",
        8,
    ),
    "c of the standard deviation over N - 1": (
        NORM,
        "math.sqrt(2 / n)",
        "math.sqrt(2 / (n - 1))",
        NORM_TESTS,
        "test_exact_laws_equal_an_integral_over_the_chi_density",
        8,
    ),
    "std of std without c squared": (
        NORM,
        "math.sqrt((n - 1) / n - c**2)",
        "math.sqrt((n - 1) / n)",
        NORM_TESTS,
        "test_exact_laws_in_the_two_smallest_batches",
    ),
    "E[sigma_B^2] taken as 1": (
        NORM,
        "math.sqrt((n - 1) / n - c**2)",
        "math.sqrt(1 - c**2)",
        NORM_TESTS,
        "test_laws_equal_a_simulation",
        3,
    ),
    "kurtosis ignored": (
        NORM,
        "math.sqrt((kurtosis - 1) / (4 * n))",
        "math.sqrt(1 / (2 * n))",
        NORM_TESTS,
        "test_law_for_large_batches_needs_only_the_kurtosis",
        "uniform",
        1.8,
        12**-0.5,
    ),
    "excess kurtosis": (
        NORM,
        "math.sqrt((kurtosis - 1) / (4 * n))",
        "math.sqrt(kurtosis / (4 * n))",
        NORM_TESTS,
        "test_exact_law_approaches_the_large_one_as_one_over_n",
    ),
    # running statistics
    "momentum as the weight of the old value": (
        RUNNING,
        "return (1 - weight) * average + weight * new",
        "return weight * average + (1 - weight) * new",
        RUNNING_TESTS,
        "test_momentum_is_the_weight_of_the_new_value",
    ),
    "the old value kept whole": (
        RUNNING,
        "return (1 - weight) * average + weight * new",
        "return average + weight * new",
        RUNNING_TESTS,
        "test_momentum_is_the_weight_of_the_new_value",
    ),
    "momentum None as the usual momentum": (
        RUNNING,
        "weight = 1 / count if",
        "weight = 0.1 if",
        RUNNING_TESTS,
        "test_momentum_none_is_the_plain_average_of_the_batches",
    ),
    "counted after it is averaged": (
        RUNNING,
        "weight = 1 / count if",
        "weight = 1 / (count + 1) if",
        RUNNING_TESTS,
        "test_momentum_none_is_the_plain_average_of_the_batches",
    ),
    "biased running variance": (
        RUNNING,
        "var * (n / (n - 1))",
        "var",
        RUNNING_TESTS,
        "test_running_variance_averages_the_unbiased_one_and_the_output_uses_the_biased_one",
    ),
    "n without the pixels": (
        RUNNING,
        "n = math.prod(x.shape[a] for a in np.atleast_1d(self.axis))",
        "n = max(len(x), 2)",
        RUNNING_TESTS,
        "test_batch_of_one_is_refused_in_training_fine_at_inference_and_fine_for_an_image",
    ),
    "running statistics used in training": (
        RUNNING,
        "y, cache = norm.batch_norm(x, self.gamma, self.beta, axis=self.axis, eps=self.eps)",
        "y, cache = norm.batch_norm(x, self.gamma, self.beta, axis=self.axis, eps=self.eps); "
        "y = norm.batch_norm_inference(x, self.running_mean, self.running_var, self.gamma, self.beta, axis=self.axis)",
        RUNNING_TESTS,
        "test_training_normalises_by_the_batch_whatever_came_before",
    ),
    "statistics of the batch used at inference": (
        RUNNING,
        "mean, var = self.running_mean, self.running_var",
        "mean, var = x.mean(0), x.var(0)",
        RUNNING_TESTS,
        "test_inference_changes_nothing_and_treats_every_row_alone",
    ),
    "statistics updated at inference": (
        RUNNING,
        "mean, var = self.running_mean, self.running_var",
        "self._track(x) if len(x) > 1 else None; mean, var = self.running_mean, self.running_var",
        RUNNING_TESTS,
        "test_inference_changes_nothing_and_treats_every_row_alone",
    ),
    "gradient through the statistics after inference": (
        RUNNING,
        "dx = norm.batch_norm_inference(dy, zero, var, gamma, zero, axis=axis, eps=eps)",
        "dx = norm.batch_norm_backward(dy, (x_hat, gamma, np.expand_dims(var, axis), eps, axis))[0]",
        RUNNING_TESTS,
        "test_inference_is_affine_and_its_gradient_is_the_slope",
    ),
    "gradient by the statistics of today": (
        RUNNING,
        "x_hat, gamma, var, eps, axis = cache",
        "x_hat, gamma, var, eps, axis = cache; var = self.running_var",
        RUNNING_TESTS,
        "test_backward_after_inference_keeps_the_statistics_of_that_forward",
    ),
    "the parameters as copies": (
        RUNNING,
        '{"gamma": self.gamma, "beta": self.beta}',
        '{"gamma": self.gamma.copy(), "beta": self.beta.copy()}',
        RUNNING_TESTS,
        "test_a_step_in_place_moves_the_layer",
    ),
    "the start of 1 not subtracted": (
        RUNNING,
        "np.maximum(self.running_var - start, 0)",
        "self.running_var",
        RUNNING_TESTS,
        "test_debiased_statistics_of_equal_batches_are_exact_from_the_first_step",
        0.1,
    ),
    "the start of 1 subtracted from the mean too": (
        RUNNING,
        "return self.running_mean / (1 - start)",
        "return (self.running_mean - start) / (1 - start)",
        RUNNING_TESTS,
        "test_debiased_statistics_of_equal_batches_are_exact_from_the_first_step",
        0.1,
    ),
    "a variance below 0": (
        RUNNING,
        "np.maximum(self.running_var - start, 0)",
        "self.running_var - start",
        RUNNING_TESTS,
        "test_debiased_variance_of_a_constant_feature_is_not_negative",
    ),
    "one batch too many forgotten": (
        RUNNING,
        "(1 - self.momentum) ** t",
        "(1 - self.momentum) ** (t + 1)",
        RUNNING_TESTS,
        "test_debiased_statistics_are_a_weighted_average_of_the_batches",
    ),
    "m^t for k^t": (
        RUNNING,
        "(1 - self.momentum) ** t",
        "self.momentum**t",
        RUNNING_TESTS,
        "test_debiased_statistics_are_right_on_average",
        3,
    ),
    # samples
    "an interval for infinitely many seeds": (
        SAMPLE,
        "special.stdtrit(self.n - 1, (1 + confidence) / 2)",
        "special.ndtri((1 + confidence) / 2)",
        "test_sample.py",
        "test_the_interval_is_students",
    ),
    "signs flipped on one side": (
        SAMPLE,
        "np.abs(signs @ distance)",
        "signs @ distance",
        "test_sample.py",
        "test_ten_differences_of_one_sign_have_the_smallest_p_there_is",
    ),
    "pairs torn apart": (
        SAMPLE,
        "zip(self.values, other.values)",
        "zip(self.values, sorted(other.values))",
        "test_sample.py",
        "test_a_pair_shares_its_seed",
    ),
    "an interval that contains 0 taken for no difference": (
        SAMPLE,
        "-margin < low and high < margin",
        "low < 0 < high",
        "test_sample.py",
        "test_an_interval_that_contains_zero_is_not_equivalence",
    ),
    # claims
    "identities count": (
        "bnutils.claims",
        'return self.kind != "identity"',
        "return True",
        "test_claims.py",
        "test_an_identity_is_shown_and_does_not_count",
    ),
    "a proof is one condition among others": (
        "bnutils.claims",
        "for row in proofs or rows",
        "for row in rows",
        "test_claims.py",
        "test_a_proof_settles_the_claim_alone",
    ),
    "chance may keep the bound": (
        "bnutils.claims",
        'for name in ("chance", "mutant"):',
        'for name in ("mutant",):',
        "test_claims.py",
        "test_a_bound_that_chance_keeps_is_refused",
    ),
    "the mutant of a theorem may pass": (
        "bnutils.claims",
        'for name in ("chance", "mutant"):',
        'for name in ("chance",):',
        "test_claims.py",
        "test_a_mutant_that_passes_is_refused",
    ),
    "any difference will do": (
        "bnutils.claims",
        "sample.where(condition.bound)",
        "sample.where(0)",
        "test_claims.py",
        "test_a_difference_has_to_be_beyond_the_margin",
    ),
    "margin of the best seed": (
        "bnutils.claims",
        "nearest = min(distances) if",
        "nearest = max(distances) if",
        "test_claims.py",
        "test_margin_is_what_lies_nearest_to_the_bound_in_units_of_the_spread",
    ),
    "strict bounds taken as weak": (
        "bnutils.claims",
        'RELATIONS = {"<": lt,',
        'RELATIONS = {"<": le,',
        "test_claims.py",
        "test_each_relation_means_what_it_says",
    ),
    "rounding errors printed": (
        "bnutils.claims",
        "RESIDUE = 1e-6",
        "RESIDUE = 0",
        "test_claims.py",
        "test_the_card_says_claim_verdict_conditions_and_numbers",
    ),
    "a measured number without its sign": (
        "bnutils.claims",
        'return "≈" + _short(value)',
        "return _short(value)",
        "test_claims.py",
        "test_the_card_says_claim_verdict_conditions_and_numbers",
    ),
    "a claim's sentence not escaped": (
        "bnutils.claims",
        "{escape(judgement.claim.says)}",
        "{judgement.claim.says}",
        "test_claims.py",
        "test_the_card_says_claim_verdict_conditions_and_numbers",
    ),
    # data
    "split not seeded": (
        "bnutils.data",
        "np.random.default_rng(seed)",
        "np.random.default_rng()",
        "test_data.py",
        "test_a_seed_names_a_split",
    ),
    "split not shuffled": (
        "bnutils.data",
        "np.random.default_rng(seed).permutation(len(x))",
        "np.arange(len(x))",
        "test_data.py",
        "test_a_split_is_shuffled",
    ),
    "labels in another order than images": (
        "bnutils.data",
        "y[rows].astype(np.int64)",
        "y[np.sort(rows)].astype(np.int64)",
        "test_data.py",
        "test_every_image_is_in_one_part_with_its_own_label",
    ),
    "the test images standardise themselves": (
        "bnutils.data",
        "((x - mean) / scale, y)",
        "((x - x.mean()) / x.std(), y)",
        "test_data.py",
        "test_standardising_uses_the_training_part_and_moves_all_three_alike",
    ),
    "all images have a say in the mean": (
        "bnutils.data",
        "x_train = parts[0][0]",
        "x_train = x",
        "test_data.py",
        "test_standardising_uses_the_training_part_and_moves_all_three_alike",
    ),
    # evidence
    "a seed beyond its bound passes": (
        "bnutils.evidence",
        "if broken := sample.broken():",
        "if False:",
        "test_evidence.py",
        "test_a_seed_beyond_the_bound_stops_the_cell",
    ),
    "exact numbers to the last bit": (
        "bnutils.evidence",
        "{value:.{significant}g}",
        "{value!r}",
        "test_evidence.py",
        "test_exact_shows_and_records_ten_digits",
    ),
    "exact records to the last bit": (
        "bnutils.evidence",
        'float(f"{v:.10g}")',
        "v",
        "test_evidence.py",
        "test_the_last_bits_of_a_float_do_not_show",
    ),
    "minus zero": (
        "bnutils.evidence",
        "return value + 0.0",
        "return value",
        "test_evidence.py",
        "test_exact_shows_and_records_ten_digits",
    ),
    "measured shown as exact": (
        "bnutils.evidence",
        "{name} ≈ {_digits(sample.median, 4)} [",
        "{name} = {_digits(sample.median, 4)} [",
        "test_evidence.py",
        "test_measured_shows_four_digits_behind_the_sign_and_records_twelve",
    ),
    # exercises
    "only the first case counts": (
        ENGINE,
        "    if all(agrees):",
        "    if agrees[0]:",
        EXERCISES_TESTS,
        "test_right_on_the_first_case_only_does_not_pass",
        "the_transform",
        "undo",
    ),
    "the candidate gets the case itself": (
        ENGINE,
        "candidate(*copy.deepcopy(case.arguments))",
        "candidate(*case.arguments)",
        "exercises/test_engine.py",
        "test_a_candidate_cannot_spoil_the_cases",
    ),
    "any case will do to recognise a mistake": (
        ENGINE,
        "        if all(_equal(answer(mistake.wrong",
        "        if any(_equal(answer(mistake.wrong",
        EXERCISES_TESTS,
        "test_a_mistake_is_recognised_by_its_own_idea_and_by_no_other",
        "the_transform",
        "batch_size",
        "equality excluded",
    ),
    "a single pass passes where the mean is small": (
        "bnutils.exercises.the_transform",
        "2.0**13 + rng",
        "2.0**3 + rng",
        EXERCISES_TESTS,
        "test_a_mistake_is_recognised_by_its_own_idea_and_by_no_other",
        "the_transform",
        "standardise",
        "single pass",
    ),
    "rounding up cannot be told from rounding down": (
        "bnutils.exercises.the_transform",
        "(0.5, 0.25, 0.125, 0.3, 0.15, 0.07, 0.6)",
        "(0.5, 0.25, 0.125)",
        EXERCISES_TESTS,
        "test_a_mistake_is_recognised_by_its_own_idea_and_by_no_other",
        "the_transform",
        "batch_size",
        "rounded down",
    ),
    # plots
    "ids from chance": (
        "bnutils.plots",
        '"svg.hashsalt": "bnutils"',
        '"svg.hashsalt": None',
        "test_plots.py",
        "test_two_runs_give_the_same_bytes",
    ),
    "ids shared by all figures": (
        "bnutils.plots",
        "f'id=\"{name}-'",
        "'id=\"'",
        "test_plots.py",
        "test_two_figures_share_no_id",
    ),
    "references that lost their ids": (
        "bnutils.plots",
        'lambda start: f"{start[0]}{name}-"',
        "lambda start: start[0]",
        "test_plots.py",
        "test_every_reference_inside_the_svg_finds_its_id",
    ),
    "black ink": (
        "bnutils.plots",
        '"currentColor", body)',
        '"#000000", body)',
        "test_plots.py",
        "test_no_ink_paper_or_font_is_fixed",
    ),
    "white paper": (
        "bnutils.plots",
        '.replace("#ffffff", PAPER)',
        "",
        "test_plots.py",
        "test_no_ink_paper_or_font_is_fixed",
    ),
    "a font of its own": (
        "bnutils.plots",
        '    body = re.sub(r"font-family',
        '    re.sub(r"font-family',
        "test_plots.py",
        "test_no_ink_paper_or_font_is_fixed",
    ),
    "a stylesheet for the whole page": (
        "bnutils.plots",
        "|<style.*?</style>",
        "",
        "test_plots.py",
        "test_no_ink_paper_or_font_is_fixed",
    ),
    "metadata": (
        "bnutils.plots",
        'metadata={"Software": None}',
        "metadata={}",
        "test_plots.py",
        "test_bytes_carry_no_date_and_no_version",
    ),
    "style for everybody": (
        "bnutils.plots",
        "with matplotlib.rc_context(STYLE):",
        "matplotlib.rcParams.update(STYLE)\n    if True:",
        "test_plots.py",
        "test_nothing_is_left_in_the_global_state",
    ),
    "formulas in the order of their styles": (
        "bnutils.plots",
        "glyphs = sorted((float(x), place, text) for x, place, text in glyphs)",
        "glyphs = [(10.0 * i, place, text) for i, (x, place, text) in enumerate(glyphs)]",
        "test_plots.py",
        "test_formulas_run_in_the_order_they_are_read",
    ),
    "a colour lost on the dark page": (
        "bnutils.plots",
        '"#0072b2"',
        '"#004b78"',
        "test_plots.py",
        "test_every_colour_stands_out_on_the_page",
        "#14181e",
    ),
}


@contextlib.contextmanager
def mutated(name, old, new):
    """Run the mutated source in the namespace of the module, so that everybody who holds the module sees it."""
    module = importlib.import_module(name)
    source = Path(module.__file__).read_text(encoding="utf-8")
    assert source.count(old) == 1, (
        f"{name}: expected the text to mutate once, found it {source.count(old)} times: {old}"
    )
    original = dict(vars(module))
    try:
        exec(compile(source.replace(old, new), module.__file__, "exec"), vars(module))
        yield
    finally:
        vars(module).clear()
        vars(module).update(original)


@functools.cache
def module_of(file):
    """A test file as a module of its own, whatever the test run has imported."""
    spec = importlib.util.spec_from_file_location("tests_under_mutation_" + Path(file).stem, TESTS / file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@functools.cache
def passes(file, test, *arguments):
    getattr(module_of(file), test)(*arguments)
    return True


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_mutation_is_caught_by_the_test_it_names(mutation):
    module, old, new, file, test, *arguments = MUTATIONS[mutation]
    assert passes(file, test, *arguments)
    with mutated(module, old, new), pytest.raises((AssertionError, pytest.fail.Exception)):
        getattr(module_of(file), test)(*arguments)


def test_a_mutation_leaves_the_module_as_it_was():
    norm = importlib.import_module(NORM)
    before = dict(vars(norm))
    with mutated(NORM, "return sigma / math.sqrt(n)", "return sigma / n"):
        assert norm.std_of_mean(4) == 0.25
    assert dict(vars(norm)) == before and norm.std_of_mean(4) == 0.5


def test_a_mutation_of_text_that_is_not_there_is_an_error():
    with pytest.raises(AssertionError, match="expected the text to mutate once, found it 0 times"):
        with mutated(NORM, "no such text", ""):
            pass
