"""The LSAT section 6 data (Bock and Lieberman 1970, Psychometrika 35, 179–197): 1,000 examinees, five items.

Frequencies of the response patterns, and the two-parameter logistic estimates with standard errors that the R package
ltm publishes for them (Rizopoulos 2006, Journal of Statistical Software 17(5); `summary(ltm(LSAT ~ z1))`).
"""

import numpy as np

FREQUENCIES = {
    "00000": 3, "00001": 6, "00010": 2, "00011": 11, "00100": 1, "00101": 1, "00110": 3, "00111": 4, "01000": 1,
    "01001": 8, "01011": 16, "01101": 3, "01110": 2, "01111": 15, "10000": 10, "10001": 29, "10010": 14, "10011": 81,
    "10100": 3, "10101": 28, "10110": 15, "10111": 80, "11000": 16, "11001": 56, "11010": 21, "11011": 173,
    "11100": 11, "11101": 61, "11110": 28, "11111": 298,
}  # fmt: skip

LOG_LIKELIHOOD = -2466.653
DIFFICULTY = np.array([-3.3597, -1.3696, -0.2799, -1.8659, -3.1236])
DIFFICULTY_ERROR = np.array([0.8669, 0.3073, 0.0997, 0.4341, 0.8700])
DISCRIMINATION = np.array([0.8254, 0.7229, 0.8905, 0.6886, 0.6575])
DISCRIMINATION_ERROR = np.array([0.2581, 0.1867, 0.2326, 0.1852, 0.2100])

# Empirical Bayes in ltm is the posterior's mode; ours is its mean. Both order patterns alike and lie close.
ABILITIES = {"00000": -1.895, "10011": -0.506, "01111": 0.023, "11011": -0.022, "11111": 0.606}


def responses() -> np.ndarray:
    return np.array(
        [[int(mark) for mark in pattern] for pattern, count in FREQUENCIES.items() for _ in range(count)], dtype=np.int8
    )
