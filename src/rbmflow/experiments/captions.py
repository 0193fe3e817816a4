"""What stands below the figures of reports, and what is read aloud where they cannot be seen."""

from __future__ import annotations

CAPTIONS: dict[str, tuple[str, str]] = {
    "fig2_decimation": (
        "The renormalization group of the chain: decimation leads from every coupling to K = 0.",
        (
            "A line from K = 0, stable, to K = ∞, unstable. Arcs from K = 2 jump towards K = 0, in ever "
            "larger steps."
        ),
    ),
    "fig3_intersection": (
        ("The trained weight is where the mean of V tanh WV is the same in the machine and in the data."),
        (
            "Two curves over the weight W from 0 to 1: f of the machine, an S that rises to 8, and g of "
            "the data, which saturates at 6.4. They cross at W = 0.3063."
        ),
    ),
    "fig4_trained_weight": (
        (
            "The trained weight over the coupling of the data, with its two laws; dotted, the threshold "
            "of order."
        ),
        (
            "W rises from 0 at K = 0 like a square root, passes 0.3063 at K = 1 and becomes a straight "
            "line. Dashed laws join it on either side."
        ),
    ),
    "fig5_divergence": (
        (
            "The same crossing at three couplings: it moves outwards as the data come closer to zero "
            "temperature."
        ),
        (
            "Three panels, K = 1, 2 and 3, with the curves of machine and data. They cross at W = "
            "0.3063, 0.7393 and 1.2399."
        ),
    ),
    "limits": (
        (
            "The distance of each quantity from its limit, as points, on the leading term predicted for "
            "it, as lines."
        ),
        (
            "Eight panels with logarithmic axes, one for each limit of f, g and W. All points lie on "
            "their lines, over tens of orders of magnitude."
        ),
    ),
    "laws_of_the_weight": (
        ("How far the two expansions of the weight are from its exact value, for 1, 3, 8 and 16 terms."),
        (
            "The relative error over the coupling: dashed lines of weak coupling rise to the right, "
            "solid ones of strong coupling fall, steeper with each term, down to rounding at 1e-16."
        ),
    ),
    "flow_of_ensembles": (
        ("The order parameter along the flow of exact samples, for machines trained at five temperatures."),
        (
            "Three panels, samples at K = 0.1, 0.5 and 1, over twelve steps. Curves of machines trained "
            "at K = 0.3 fall to 0, of those trained at larger K they settle at finite values, at T = 0 "
            "at the highest."
        ),
    ),
    "phase_boundary": (
        ("Left: the coupling above which the trained flow orders. Right: as temperatures, also for ranges."),
        (
            "Left: the threshold coupling over the number of visible units grows with its logarithm at "
            "a fixed share of hidden units and levels off for 1 or 4 of them. Right: the highest "
            "temperature whose flow orders falls, but rises in the end for ranges that include T = 0."
        ),
    ),
    "gain_of_ranges": (
        "The gain after training on temperatures from T_low to T_high: above 1 the flow orders.",
        (
            "Four falling curves over T_high, from T_low = 0, 0.25, 0.5 and 1. The first two begin "
            "above 5; the one from 0 passes 1 last."
        ),
    ),
    "chains_against_exact": (
        "Cluster chains, as points, on the exact curves of a ring and a torus.",
        (
            "Left: energy per site over temperature, points on two curves. Right: the mean of |m|; that "
            "of the torus follows the infinite lattice and falls near T_c = 2.269, that of the ring is "
            "small everywhere."
        ),
    ),
    "update_orders": (
        "The mean energy of chains from two starts, by the order in which sites are visited.",
        (
            "Left: Metropolis in a fixed order stays at -0.94 or -0.025, where it began; colour by "
            "colour the starts stay a little apart. Right: with random sites or the heat bath all "
            "chains reach the exact -0.46212."
        ),
    ),
    "three_flows": (
        (
            "Three machines of one chain: where their mean-field flows settle, whether v = 0 is stable, "
            "how far each is from the chain."
        ),
        (
            "Three panels over the coupling. The magnetization of the uniform machine leaves 0 at K = "
            "0.44, of the local one at 0.22, of the decimating one it is never 0. Their divergences "
            "from the chain are about 1, 0 to rounding, and 1e-12 to 1e-7 nats."
        ),
    ),
    "stationary_flow": (
        "Three maps of one exact machine, on samples of its own law.",
        (
            "Over twelve steps Gibbs sampling keeps energy and |m| within errors, the sampled mean "
            "field drifts a little, and the mean field lowers the energy from -0.46 to -0.63 and raises "
            "|m|."
        ),
    ),
    "side_by_side": (
        ("Renormalization group and machines on the same configurations: temperatures read from the energy."),
        (
            "Four panels. Decimation heats the ring; block spins lead the torus away from T_c = 2.269, "
            "on either side. Machines on the ring lead to high, constant or unchanged temperatures, on "
            "the torus to about 2."
        ),
    ),
    "flows": (
        (
            "Temperatures read from flowing configurations, their magnetization and the excess of their "
            "energy."
        ),
        (
            "A grid of curves over the step of the flow: a column for each training set, rows for two "
            "thermometers, for |m| and for the excess. Curves from different temperatures come together "
            "within some ten steps."
        ),
    ),
    "fixed_points": (
        ("Fixed points of the mean-field flow over the number of hidden units, for each training set."),
        (
            "Three panels: the magnetization at which the flow settles, the largest singular value of "
            "the weights beside the threshold 1, and the temperatures that thermometers read there."
        ),
    ),
    "weights": (
        "Singular values of the weights, and over how many sites their modes spread.",
        (
            "Left: falling curves of singular values, one for each training set, with the threshold 1. "
            "Right: the share of the sites that each mode covers."
        ),
    ),
    "couplings": (
        "The product of the weights with their transpose: which sites a machine couples.",
        (
            "A coloured matrix for each training set, sites against sites. Bands beside the diagonal "
            "show neighbours; a machine trained at T = 0 alone couples all sites alike."
        ),
    ),
    "training": (
        "How weights, the end of the flow and reconstructions change along the training.",
        (
            "Three panels over the number of updates: the largest singular value, the magnetization at "
            "which the flow settles, and the reconstruction error."
        ),
    ),
    "thermometers": (
        (
            "What thermometers read of fresh configurations, how far readings scatter, and what they "
            "read of no magnet."
        ),
        (
            "Three panels: readings over the true temperature, their spread, and readings of "
            "uncorrelated spins over their mean m, which fall as m rises."
        ),
    ),
    "audit": (
        "The machine from six sides; the numbers are below.",
        (
            "Six panels: log-likelihoods, singular values of the weights, fixed points of the mean- "
            "field map by magnetization and free energy, effective couplings by rank, the memory of "
            "chains, and histograms of free energies."
        ),
    ),
}
"""The caption and the alternative text, by the figure's name."""
