"""The small classifiers: digits, run or walk, activities, gestures. All in Keras, from arrays held in memory."""
