"""Write diabetes.csv: cross-validated predictions of three models on scikit-learn's diabetes data.

Every prediction is made by a model that has not seen the row (10 shuffled folds).
Run with ``python make_predictions.py``; it needs scikit-learn and no network.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

SEED = 20260101
AGE_BANDS = ((19, 34), (35, 49), (50, 64), (65, 79))
MODELS = {
    "linear": LinearRegression(),
    "ridge": make_pipeline(StandardScaler(), PolynomialFeatures(2, include_bias=False), StandardScaler(), Ridge(100.0)),
    "boosting": GradientBoostingRegressor(n_estimators=100, max_depth=2, learning_rate=0.05, random_state=SEED),
}


def age_band(age: float) -> str:
    """Return the band of whole years that holds `age`."""
    low, high = next((low, high) for low, high in AGE_BANDS if low <= age <= high)
    return f"{low}-{high}"


def main() -> None:
    """Cross-validate the models and write the predictions, rounded to two decimals, beside this script."""
    data = load_diabetes(scaled=False)
    age, sex = (data.data[:, data.feature_names.index(name)] for name in ("age", "sex"))
    folds = KFold(10, shuffle=True, random_state=SEED)
    predicted = {name: cross_val_predict(model, data.data, data.target, cv=folds) for name, model in MODELS.items()}
    path = Path(__file__).with_name("diabetes.csv")
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["actual", *MODELS, "sex", "age_band"])
        for row in range(len(data.target)):
            numbers = [f"{np.round(predicted[name][row], 2):.2f}" for name in MODELS]
            writer.writerow([int(data.target[row]), *numbers, f"sex_{int(sex[row])}", age_band(age[row])])


if __name__ == "__main__":
    main()
