"""Views: pictures as the detector is trained on them, each with boxes [n, 4] and scores [n, 80].

Pictures are drawn so that rare classes come more often (as repeat factors in Gupta et al. 2019, LVIS).
"""

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from .. import boxes, coco

RARE_SHARE, MAX_REPEAT = 0.03, 8.0
KINDS = {"crop": 0.36, "mosaic": 0.2, "paste": 0.06, "out": 0.08, "whole": 0.3}
WHOLE = (0.0, 0.0, 1.0, 1.0)


class Views:
    """`labels[i]` holds the merged boxes and scores of picture i seen whole."""

    def __init__(self, pack, labels, size, seed):
        self.pack, self.labels, self.size = pack, labels, size
        self.rng = np.random.default_rng(seed)
        train = pack.training
        presence = np.zeros((len(pack.records), coco.CLASSES), np.float32)
        for i in train:
            s = labels[i][1]
            if len(s):
                presence[i] = np.where(s.max(0) >= 0.3, s.max(0), 0)
        share = presence.sum(0) / len(train)
        repeat = np.clip(np.sqrt(RARE_SHARE / np.maximum(share, 1e-6)), 1, MAX_REPEAT)
        weight = np.maximum((presence * repeat).max(1), 0.5)
        weight[pack.complete] *= 2
        self.weight = weight[train] / weight[train].sum()
        # Objects to paste: rare classes first, likely ones only.
        self.objects, odds = [], []
        for i in train:
            b, s = labels[i]
            for j in np.flatnonzero((s.max(1) >= 0.55) & (boxes.area(b) > 0.004)) if len(b) else ():
                self.objects.append((i, j))
                odds.append((repeat[s[j].argmax()] ** 2) * s[j].max())
        self.odds = np.array(odds) / np.sum(odds)

    def pick(self):
        return int(self.rng.choice(self.pack.training, p=self.weight))

    def colour(self, im):
        u = self.rng.uniform
        for kind, a in ((ImageEnhance.Brightness, 0.3), (ImageEnhance.Contrast, 0.3), (ImageEnhance.Color, 0.4)):
            im = kind(im).enhance(1 + u(-a, a))
        return im

    def window(self, b, s, low=0.15):
        """A window that holds the centre of some likely object, if there is any."""
        u = self.rng.uniform
        likely = b[s.max(1) >= 0.4] if len(b) else b
        for _ in range(20):
            share, aspect = u(low, 1), np.exp(u(-0.45, 0.45))
            h, w = min(1, (share / aspect) ** 0.5), min(1, (share * aspect) ** 0.5)
            y, x = u(0, 1 - h), u(0, 1 - w)
            c = (likely[:, :2] + likely[:, 2:]) / 2
            if not len(c) or ((c > [y, x]) & (c < [y + h, x + w])).all(1).any():
                break
        return y, x, y + h, x + w

    @staticmethod
    def cut(im, window):
        w, h = im.size
        y, x, y1, x1 = window
        x0, y0 = int(x * w), int(y * h)
        return im.crop((x0, y0, max(x0 + 8, int(x1 * w)), max(y0 + 8, int(y1 * h))))

    def whole(self, i):
        return self.pack.image(i), *self.labels[i]

    def crop(self, i):
        return self.part(i, self.window(*self.labels[i]))

    def out(self, i):
        """The whole picture, smaller, on grey: what was small is smaller still (Liu et al. 2016, section 3.6)."""
        u = self.rng.uniform
        im, b, s = self.whole(i)
        share = u(0.45, 0.85)
        y, x = u(0, 1 - share, 2)
        at = (y, x, y + share, x + share)
        y0, x0, y1, x1 = (int(round(v * self.size)) for v in at)
        canvas = Image.new("RGB", (self.size, self.size), (int(u(90, 150)),) * 3)
        canvas.paste(im.resize((x1 - x0, y1 - y0), Image.BILINEAR), (x0, y0))
        return canvas, boxes.out_of_window(b, at), s

    def part(self, i, window):
        """A window onto the picture with the whole picture's labels."""
        b, s = self.labels[i]
        c, seen = boxes.into_window(b, window)
        return self.cut(self.pack.image(i), window), c[seen], s[seen]

    def mosaic(self, i):
        """Four pictures, or windows onto them, around a random point."""
        u = self.rng.uniform
        ids = [i] + [self.pick() for _ in range(3)]
        self.rng.shuffle(ids)
        cy, cx = u(0.3, 0.7), u(0.3, 0.7)
        canvas = Image.new("RGB", (self.size, self.size))
        bs, ss = [], []
        for k, j in enumerate(ids):
            cell = (0 if k < 2 else cy, 0 if k % 2 == 0 else cx, cy if k < 2 else 1, cx if k % 2 == 0 else 1)
            window = WHOLE if u() < 0.4 else self.window(*self.labels[j], low=0.3)
            im, b, s = self.flip(*self.part(j, window))
            y0, x0, y1, x1 = (int(round(v * self.size)) for v in cell)
            canvas.paste(self.colour(im).resize((x1 - x0, y1 - y0), Image.BILINEAR), (x0, y0))
            bs.append(boxes.out_of_window(b, cell))
            ss.append(s)
        return canvas, np.concatenate(bs), np.concatenate(ss)

    def paste(self, i):
        """One to three objects of other pictures, with a little of their surroundings, over this one."""
        u = self.rng.uniform
        im, b, s = self.part(i, WHOLE if u() < 0.5 else self.window(*self.labels[i], low=0.3))
        im = im.resize((self.size, self.size), Image.BILINEAR)
        for k in self.rng.choice(len(self.objects), self.rng.integers(1, 4), p=self.odds):
            j, o = self.objects[k]
            ob = self.labels[j][0][o]
            margin = (ob[2:] - ob[:2]) * u(0.03, 0.25)
            window = (*np.clip(ob[:2] - margin, 0, 1), *np.clip(ob[2:] + margin, 0, 1))
            patch, pb, ps = self.flip(*self.part(j, window))
            if min(patch.size) < 12:
                continue
            h = np.exp(u(np.log(0.12), np.log(0.7)))
            w = h * patch.size[0] / patch.size[1] * np.exp(u(-0.2, 0.2))
            h, w = np.array([h, w]) * min(1, 0.9 / max(h, w))
            y, x = u(0, 1 - h), u(0, 1 - w)
            at = (y, x, y + h, x + w)
            y0, x0, y1, x1 = (int(round(v * self.size)) for v in at)
            if y1 - y0 < 8 or x1 - x0 < 8:
                continue
            mask = Image.new("L", (x1 - x0, y1 - y0), 0)
            edge = 2
            mask.paste(255, (edge, edge, x1 - x0 - edge, y1 - y0 - edge))
            patch = self.colour(patch).resize((x1 - x0, y1 - y0), Image.BILINEAR)
            im.paste(patch, (x0, y0), mask.filter(ImageFilter.GaussianBlur(1.5)))
            if len(b):
                covered = boxes.intersection(b, np.array([at], np.float32))[:, 0] / (boxes.area(b) + 1e-9)
                b, s = b[covered < 0.5], s[covered < 0.5]
            b = np.concatenate([b, boxes.out_of_window(pb, at)])
            s = np.concatenate([s, ps])
        return im, b, s

    def flip(self, im, b, s):
        if self.rng.random() < 0.5:
            return im.transpose(Image.FLIP_LEFT_RIGHT), boxes.mirror(b), s
        return im, b, s

    def draw(self):
        """One random view: (picture of the detector's size, boxes, scores)."""
        kind = self.rng.choice(list(KINDS), p=list(KINDS.values()))
        im, b, s = self.flip(*getattr(self, kind)(self.pick()))
        return self.colour(im).resize((self.size, self.size), Image.BILINEAR), b, s
