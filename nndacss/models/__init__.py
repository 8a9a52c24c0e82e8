"""Networks. Importing this package first makes torchvision importable, see `torchvision_fix`.

The heavy imports stay in the modules; `import nndacss` does not load torch.
"""
