"""A folder of pictures on a Ray cluster, or on this machine as one: a Parquet file of boxes, once for each picture.

    python ray_folder.py PHOTOS FOUND

Killed, it goes on where it was when it is started again.
"""

import sys

from osprey_vision.ray import run

if __name__ == "__main__":
    run(sys.argv[1], sys.argv[2], resume=True)
