"""Writes scikit-learn's answers, which the heads are compared with.

    pip install scikit-learn==1.9.1 && python make.py > scikit_learn.json

Every case holds training features with classes, features to ask about, and the probabilities that
scikit-learn gives for them.
"""

import json
import sys

import numpy as np
import sklearn
from sklearn.datasets import load_iris, make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def rounded(a):
    return [[float(f"{v:.7g}") for v in row] for row in np.asarray(a, np.float64)]


def blobs():
    x, y = make_classification(
        120, 8, n_informative=6, n_redundant=1, n_classes=4, n_clusters_per_class=1, class_sep=0.8, random_state=3
    )
    return train_test_split(np.float32(np.float32(x).round(4)), y, test_size=20, stratify=y, random_state=0)


def iris():
    x, y = load_iris(return_X_y=True)
    return train_test_split(np.float32(x), y, test_size=30, stratify=y, random_state=0)


def case(data, model, **settings):
    train, test, classes, _ = data
    model.fit(train.astype(np.float64), classes)
    return settings | {
        "train": rounded(train),
        "classes": classes.tolist(),
        "test": rounded(test),
        "probabilities": rounded(model.predict_proba(test.astype(np.float64))),
    }


def logistic(data, l2, standardize):
    # C weighs the sum of losses, our l2 the decay beside their mean.
    model = LogisticRegression(C=1 / (l2 * len(data[0])), tol=1e-12, max_iter=100_000)
    if standardize:
        model = make_pipeline(StandardScaler(), model)
    return case(data, model, l2=l2, standardize=standardize)


def neighbors(data, k, metric, weights):
    model = KNeighborsClassifier(k, metric=metric, weights=weights, algorithm="brute")
    return case(data, model, k=k, metric=metric, weights=weights)


json.dump(
    {
        "version": f"scikit-learn {sklearn.__version__}",
        "logistic_regression": [
            logistic(iris(), 0.01, True),
            logistic(blobs(), 0.1, False),
            logistic(blobs(), 0.001, True),
        ],
        "neighbors": [
            neighbors(iris(), 5, "cosine", "distance"),
            neighbors(blobs(), 1, "euclidean", "uniform"),
            neighbors(blobs(), 7, "cosine", "uniform"),
            neighbors(blobs(), 9, "euclidean", "distance"),
        ],
    },
    sys.stdout,
    separators=(",", ":"),
)
print()
