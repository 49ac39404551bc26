_base_ = '../_base_/imagenet_300e.py'
