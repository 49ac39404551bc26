# RefShapes as three toolboxes read it (docs/vmamba.md: "Small runs on a CPU").
shapes_root = 'data/shapes/'
shapes = ('circle', 'square', 'triangle', 'star', 'cross', 'ring')
