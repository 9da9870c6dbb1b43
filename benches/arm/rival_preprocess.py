"""rival_preprocess.py SITE FORMAT RUNS: OpenCV's resizing and conversion of a frame, on one thread."""

import sys

site, form, runs = sys.argv[1:]
sys.path.insert(0, site)
import cv2
import numpy as np

WIDTH, HEIGHT, SIDE = 1920, 1080, 300
cv2.setNumThreads(1)
index = np.arange(WIDTH * HEIGHT * 4, dtype=np.uint32)
pixels = (index * np.uint32(2654435761) >> np.uint32(24)).astype(np.uint8)
bgra = pixels.reshape(HEIGHT, WIDTH, 4)
luma = pixels[: WIDTH * HEIGHT].reshape(HEIGHT, WIDTH)
chroma = pixels[WIDTH * HEIGHT : WIDTH * HEIGHT * 3 // 2].reshape(HEIGHT // 2, WIDTH // 2, 2)
resize = lambda plane, side: cv2.resize(plane, (side, side), interpolation=cv2.INTER_LINEAR)
for _ in range(int(runs)):
    if form == "bgra":
        cv2.cvtColor(resize(bgra, SIDE), cv2.COLOR_BGRA2RGB)
    else:
        cv2.cvtColorTwoPlane(resize(luma, SIDE), resize(chroma, SIDE // 2), cv2.COLOR_YUV2RGB_NV12)
