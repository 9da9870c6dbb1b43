"""The 80 COCO classes, in the order of every detector trained here."""

# COCO's category ids run from 1 to 90 with gaps; the teacher's columns keep the gaps, our classes do not.
_BY_ID = (
    "person bicycle car motorcycle airplane bus train truck boat traffic_light fire_hydrant - stop_sign "
    "parking_meter bench bird cat dog horse sheep cow elephant bear zebra giraffe - backpack umbrella - - "
    "handbag tie suitcase frisbee skis snowboard sports_ball kite baseball_bat baseball_glove skateboard "
    "surfboard tennis_racket bottle - wine_glass cup fork knife spoon bowl banana apple sandwich orange "
    "broccoli carrot hot_dog pizza donut cake chair couch potted_plant bed - dining_table - - toilet - tv "
    "laptop mouse remote keyboard cell_phone microwave oven toaster sink refrigerator - book clock vase "
    "scissors teddy_bear hair_drier toothbrush"
).split()

NAMES = [n.replace("_", " ") for n in _BY_ID if n != "-"]
CATEGORY_IDS = [i + 1 for i, n in enumerate(_BY_ID) if n != "-"]
INDEX = {n: i for i, n in enumerate(NAMES)}
CLASSES = len(NAMES)
assert CLASSES == 80
